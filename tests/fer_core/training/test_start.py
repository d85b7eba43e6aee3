"""Starting from another run's weights."""

import dataclasses

import pytest
import torch

from fer_core.architectures import build
from fer_core.architectures.ensemble import NAME
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.runs import RunError, RunStore
from fer_core.training import get_recipe
from fer_core.training.start import build_model, initial_model

RECIPE = get_recipe("modern", "mini_xception", epochs=1)
SPEC = RunSpec("mini_xception", "raw", "synthetic", "official", RECIPE)
GRAY, COLOUR = torch.zeros(1, 1, 48, 48, dtype=torch.uint8), torch.zeros(1, 3, 48, 48, dtype=torch.uint8)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


@pytest.fixture
def teacher(store):
    run = store.create(SPEC)
    torch.manual_seed(7)
    run.save_weights(build("mini_xception").state_dict())
    return run


def test_a_network_starts_with_all_weights_of_the_run_that_it_names(store, teacher):
    model = initial_model(dataclasses.replace(SPEC, init_from=teacher.id), GRAY, store)
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, teacher.weights()[name], rtol=0, atol=0)


def test_without_a_name_it_starts_fresh(store, teacher):
    model = initial_model(SPEC, GRAY, store)
    assert not torch.equal(model.state_dict()["stem.0.weight"], teacher.weights()["stem.0.weight"])


def test_for_other_classes_the_last_layer_alone_stays_fresh(store, teacher):
    spec = dataclasses.replace(SPEC, init_from=teacher.id, emotions=("sad", "happy"))
    state, given = initial_model(spec, GRAY, store).state_dict(), teacher.weights()
    fresh = {name for name, tensor in state.items() if tensor.shape != given[name].shape}
    assert fresh == {list(state)[-2], list(state)[-1]}
    kept = [name for name in state if name not in fresh]
    assert all(torch.equal(state[name], given[name]) for name in kept)


def test_for_as_many_other_classes_the_last_layer_stays_fresh_too(store):
    six = [tuple(each for each in EMOTIONS if each != left_out) for left_out in ("disgust", "fear")]
    first = store.create(dataclasses.replace(SPEC, emotions=six[0]))
    first.save_weights(build("mini_xception", classes=6).state_dict())
    state = initial_model(dataclasses.replace(SPEC, init_from=first.id, emotions=six[1]), GRAY, store).state_dict()
    same = [name for name, tensor in state.items() if torch.equal(tensor, first.weights()[name])]
    assert set(state) - set(same) == {list(state)[-2], list(state)[-1]}


def test_an_ensemble_is_no_start_and_its_members_are_named(store, teacher):
    members = [{"run": "one"}, {"run": "other"}]
    ensemble = store.create(dataclasses.replace(SPEC, architecture=NAME, architecture_arguments={"members": members}))
    with pytest.raises(FerError, match="is an ensemble, .*choose from its members one, other$"):
        initial_model(dataclasses.replace(SPEC, init_from=ensemble.id), GRAY, store)


def test_colour_faces_do_not_fit_a_gray_network(store, teacher):
    with pytest.raises(FerError, match=r"do not fit: stem.* size and colour of the faces must agree"):
        initial_model(dataclasses.replace(SPEC, init_from=teacher.id), COLOUR, store)


def test_another_architecture_does_not_fit(store, teacher):
    with pytest.raises(
        FerError, match="a mini_xception, do not fit: they lack .* start from a run of the same architecture"
    ):
        initial_model(dataclasses.replace(SPEC, architecture="linear", init_from=teacher.id), GRAY, store)


def test_a_run_without_weights_says_so(store, teacher):
    (teacher.path / "weights.safetensors").unlink()
    with pytest.raises(RunError, match="is queued; only a finished run has weights"):
        initial_model(dataclasses.replace(SPEC, init_from=teacher.id), GRAY, store)


def test_a_table_of_another_width_is_refused():
    spec = RunSpec("lpq_phog_mlp", "raw", "table", "kfold2", RECIPE)
    with pytest.raises(FerError, match="the table has 12 columns, and lpq_phog_mlp here takes 10"):
        build_model(spec, torch.zeros(1, 12))
