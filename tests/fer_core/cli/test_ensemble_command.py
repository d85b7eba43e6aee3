import json

import pytest

from fer_core.runs import RunStore
from tests.dashboard.runs import make_run


@pytest.fixture
def store(tmp_path):
    """Three finished runs that predicted the same images, one of them of another protocol."""
    store = RunStore(tmp_path)
    for architecture, changes in (("linear", {}), ("mini_xception", {}), ("linear", {"protocol": "random_80_20"})):
        make_run(store, architecture, accuracy=0.5, n=80, **changes)
    return store


def test_the_best_runs_of_a_protocol_are_averaged(command, store):
    arguments = ("ensemble", "--best", "2", "--dataset", "synthetic", "--runs", store.root)
    status, out, _ = command(*arguments, "--json")
    made = json.loads(out)
    assert status == 0
    assert [each["weight"] for each in made["members"]] == [0.5, 0.5]
    assert (
        made["test_accuracy"] == store.get("linear__raw__synthetic-official").evaluation()["splits"]["test"]["accuracy"]
    )
    _, table, _ = command(*arguments)
    assert "0.5000" in table


def test_runs_are_named_or_the_best_are_taken(command, store):
    status, _, error = command("ensemble", "--runs", store.root)
    assert status == 2
    assert "name the runs to average, or give --best N" in error


def test_where_runs_are_named_no_dataset_is_chosen(command, store):
    names = [run.id for run in store.list()][:2]
    status, _, error = command("ensemble", *names, "--dataset", "synthetic", "--runs", store.root)
    assert status == 2
    assert "--dataset and --protocol go with --best" in error
    assert not [run for run in store.list() if run.id.startswith("ensemble")]


def test_one_run_is_no_ensemble(command, store):
    status, _, error = command(
        "ensemble", "--best", "2", "--dataset", "synthetic", "--protocol", "random_80_20", "--runs", store.root
    )
    assert status == 2
    assert "an ensemble needs two" in error


def test_the_best_that_can_be_averaged_are_taken_and_no_archived_one(command, store):
    other = make_run(store, "conv_relu_ann", accuracy=0.9, n=60)  # the best, of other images
    archived = make_run(store, "shallow_cnn", accuracy=0.8, n=80)
    command("runs", "archive", archived.id, "--runs", store.root)
    status, out, _ = command("ensemble", "--best", "4", "--dataset", "synthetic", "--json", "--runs", store.root)
    assert status == 0
    members = {each["run"] for each in json.loads(out)["members"]}
    assert len(members) == 2
    assert not members & {other.id, archived.id}


def test_an_ensemble_of_one_seed_has_that_seed(command, store):
    runs = [make_run(store, name, accuracy=0.5, n=80, seed=3) for name in ("linear", "mini_xception")]
    command("ensemble", *(run.id for run in runs), "--runs", store.root)
    assert store.get("ensemble").spec.seed == 3


def test_an_ensemble_is_shown_with_its_members(command, store):
    command("ensemble", "--best", "2", "--dataset", "synthetic", "--protocol", "official", "--runs", store.root)
    status, out, _ = command("runs", "show", "ensemble", "--runs", store.root)
    assert status == 0
    assert "what it was made from, 23 min in all" in out
    assert "1 and 2" in out
    _, out, _ = command("runs", "show", "ensemble", "--json", "--runs", store.root)
    shown = json.loads(out)
    assert [each["origin"] for each in shown["made_from"]] == ["random weights", "random weights", "averages 1 and 2"]
    assert shown["total_s"] == pytest.approx(sum(each["wall_s"] for each in shown["made_from"]))


def test_an_ensemble_is_compared_by_its_members_and_not_by_a_recipe_that_nobody_followed(command, store):
    command("ensemble", "--best", "2", "--dataset", "synthetic", "--protocol", "official", "--runs", store.root)
    trained = [run.id for run in store.list() if run.id.startswith(("linear__raw__synthetic-official", "mini"))]
    names = [store.get("ensemble").id, *trained]
    status, out, _ = command("runs", "compare", *names, "--runs", store.root)
    assert status == 0
    assert "Holm's correction over 3 pairs" in out
    assert "50.0 % linear · raw" in " ".join(out.split())
    _, out, _ = command("runs", "compare", *names, "--json", "--runs", store.root)
    differing = json.loads(out)["spec"]
    assert list(differing) == ["architecture", "architecture_arguments.members"]
    assert [member["weight"] for member in differing["architecture_arguments.members"][0]] == [0.5, 0.5]
    _, out, _ = command("runs", "compare", *trained, "--json", "--runs", store.root)
    assert json.loads(out)["spec"] == {"architecture": [name.split("__")[0] for name in trained]}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--dataset", "nosuch"), "has the dataset 'nosuch'; choose from synthetic"),
        (
            ("--dataset", "synthetic", "--protocol", "bogus"),
            "the protocol of synthetic 'bogus'; choose from official, random_80_20",
        ),
    ],
)
def test_an_unknown_dataset_or_protocol_is_refused_with_those_there_are(command, store, asked, sentence):
    status, _, error = command("ensemble", "--best", "3", *asked, "--runs", store.root)
    assert (status, sentence in error) == (2, True)
