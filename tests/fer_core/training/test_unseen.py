from dataclasses import replace

import pytest

from fer_core.config import Recipe, RunSpec
from fer_core.errors import FerError
from fer_core.training import check_spec, train_run

RECIPE = Recipe(name="test", epochs=1, batch_size=64, optimizer="adamw", learning_rate=3e-3, precision="float32")
OFFICIAL = RunSpec("linear", "raw", "synthetic", "official", RECIPE)
BY_CHANCE = replace(OFFICIAL, protocol="random_80_20")


@pytest.fixture(scope="module")
def by_chance(store, synthetic):
    return train_run(BY_CHANCE, store, device="cpu", dataset=synthetic)


@pytest.mark.parametrize("protocol", ["official", "kfold5"])
def test_a_run_that_learnt_from_the_test_images_is_no_start(store, synthetic, by_chance, protocol):
    with pytest.raises(
        FerError, match=rf"run {by_chance.id} may have learnt from, .* (validation|test) images of this training"
    ):
        check_spec(replace(OFFICIAL, protocol=protocol, init_from=by_chance.id), store, synthetic)


def test_the_same_split_of_another_seed_shares_its_test_images_with_that_training(store, synthetic, by_chance):
    check_spec(replace(BY_CHANCE, init_from=by_chance.id), store, synthetic)
    with pytest.raises(FerError, match="choose one of the same protocol and seed"):
        check_spec(replace(BY_CHANCE, seed=1, init_from=by_chance.id), store, synthetic)


def test_what_a_start_or_a_teacher_was_made_from_is_asked_too(store, synthetic, by_chance):
    start = train_run(replace(BY_CHANCE, preprocessing="hist_eq", init_from=by_chance.id), store, dataset=synthetic)
    learnt = train_run(replace(OFFICIAL, seed=5), store, device="cpu", dataset=synthetic)
    learnt.write_json("spec.json", learnt.read_json("spec.json") | {"init_from": start.id})
    for spec in (
        replace(OFFICIAL, init_from=learnt.id),
        replace(OFFICIAL, recipe=replace(RECIPE, teacher=learnt.id)),
    ):
        with pytest.raises(FerError, match=rf"run {by_chance.id}, of which {learnt.id} was made, may have learnt from"):
            check_spec(spec, store, synthetic)


def test_copies_of_a_dataset_hold_the_same_images_and_other_datasets_do_not(store, synthetic, by_chance):
    spec = replace(OFFICIAL, init_from=by_chance.id)
    with pytest.raises(FerError, match="may have learnt from"):
        check_spec(spec, store, replace(synthetic, name="copy"))
    check_spec(spec, store, replace(synthetic, name="other", ids=[f"other/{each}" for each in synthetic.ids]))


def test_a_fold_is_asked_for_the_images_that_its_own_network_saw(store, synthetic):
    folds = train_run(replace(OFFICIAL, protocol="kfold5"), store, device="cpu", dataset=synthetic)
    with pytest.raises(FerError, match="may have learnt from"):
        check_spec(replace(OFFICIAL, init_from=folds.id), store, synthetic)


def test_an_emotion_that_a_run_left_out_it_has_not_learnt_from(store, synthetic):
    two = train_run(replace(OFFICIAL, emotions=("happy", "sad")), store, device="cpu", dataset=synthetic)
    check_spec(replace(OFFICIAL, init_from=two.id), store, synthetic)


def test_a_finished_run_is_returned_though_its_source_is_gone(store, synthetic):
    source = train_run(replace(OFFICIAL, seed=2), store, device="cpu", dataset=synthetic)
    spec = replace(OFFICIAL, seed=3, init_from=source.id)
    run = train_run(spec, store, device="cpu", dataset=synthetic)
    store.delete(source)
    assert train_run(spec, store, device="cpu", dataset=synthetic).id == run.id
