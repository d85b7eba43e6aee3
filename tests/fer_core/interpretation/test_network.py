import threading

import numpy as np
import pytest
import torch

from fer_core.architectures import build
from fer_core.errors import FerError
from fer_core.inference import Predictor
from fer_core.interpretation import Network, feature_maps
from fer_core.runs import RunError, RunStore
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_run
from tests.fer_core.interpretation.conftest import untrained


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def test_a_run_s_network_predicts_what_its_predictor_predicts(store):
    run = make_run(store, architecture="mini_xception", weights=True)
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    run.write_json("evaluation.json", run.evaluation() | {"temperature": 0.6})
    network = Network.from_run(run)
    expected = Predictor.from_run(run).predict_faces(faces)
    assert network.trained
    assert np.allclose(network.probabilities(network.inputs(faces)), expected, atol=1e-6)


def test_a_run_without_weights_says_so(store):
    with pytest.raises(RunError, match="has no weights"):
        Network.from_run(make_run(store))


def test_a_run_on_a_table_of_descriptors_says_that_it_reads_no_pictures(store):
    run = make_run(store, architecture="lpq_phog_mlp", weights=True)
    run.write_json("environment.json", run.environment() | {"inputs": "descriptors"})
    with pytest.raises(RunError, match="table of descriptors, and cannot read pictures"):
        Network.from_run(run)


@pytest.fixture
def made(store):
    """An ensemble of two runs whose pipelines and temperatures differ."""
    members = [
        make_run(store, architecture="linear", weights=True, accuracy=0.5),
        make_run(store, architecture="mini_xception", preprocessing="hist_eq", weights=True, accuracy=0.5),
    ]
    ensemble = make_ensemble(members, store)
    spec = ensemble.read_json("spec.json")
    for run, member, temperature in zip(members, spec["architecture_arguments"]["members"], (0.6, 1.7), strict=True):
        run.write_json("evaluation.json", run.evaluation() | {"temperature": temperature})
        member["temperature"] = temperature
    ensemble.write_json("spec.json", spec)
    return store.get(ensemble.id)


def test_a_member_of_an_ensemble_predicts_what_its_own_run_predicts(store, made):
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    for place, member in enumerate(made.spec.architecture_arguments["members"]):
        network = Network.from_run(made, place)
        assert network.trained
        assert network.architecture == member["architecture"]
        expected = Predictor.from_run(store.get(member["run"])).predict_faces(faces)
        assert np.allclose(network.probabilities(network.inputs(faces)), expected, atol=1e-6)


def test_a_member_is_looked_into_where_its_own_run_is_gone(store, made):
    made.save_weights(made.weights())
    expected = Network.from_run(store.get("mini_xception"))
    store.delete(store.get("mini_xception"))
    network = Network.from_run(made, 1)
    assert [step.name for step in network.trunk] == [step.name for step in expected.trunk]
    weights, others = network.model.state_dict(), expected.model.state_dict()
    assert all(torch.equal(weights[name], others[name]) for name in others)
    assert str(network.with_random_weights(1).predictor.pipeline) == "hist_eq"


def test_a_member_that_is_not_there_is_refused(store, made):
    with pytest.raises(FerError, match="has no member 2; choose from 0 to 1"):
        Network.from_run(made, 2)
    with pytest.raises(FerError, match="has no member -1"):
        Network.from_run(made, -1)
    with pytest.raises(FerError, match="is no ensemble and has no members; look into the run itself"):
        Network.from_run(store.get("linear"), 0)


def test_an_ensemble_predicts_and_says_that_its_members_have_the_layers(made):
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    network = Network.from_run(made)
    assert network.is_ensemble
    assert np.allclose(network.probabilities(network.inputs(faces)), Predictor.from_run(made).predict_faces(faces))
    with pytest.raises(FerError, match="members each have layers of their own; look into one of them"):
        network.check_single()


def test_a_single_network_is_no_ensemble():
    network = untrained("linear")
    assert not network.is_ensemble
    network.check_single()


def test_an_untrained_network_is_the_same_for_the_same_seed_and_draws_nothing_from_others():
    before = torch.get_rng_state()
    first, second, other = (Network.untrained("linear", seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [next(iter(network.model.parameters())) for network in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_random_weights_keep_the_preprocessing_and_the_classes():
    network = Network.untrained("two_block_cnn", preprocessing="hist_eq", emotions=("happy", "sad"), seed=1)
    random = network.with_random_weights(2)
    assert str(random.predictor.pipeline) == "hist_eq"
    assert random.emotions == ("happy", "sad")
    assert not random.trained
    assert [step.name for step in random.steps] == [step.name for step in network.steps]


def test_an_unknown_layer_is_refused_with_the_choices(face):
    with pytest.raises(FerError, match=r"linear has no layer 'stem'; choose from 0, 1"):
        untrained("linear").outputs(face, ["stem"])


def test_the_trunk_is_what_every_path_passes():
    names = [step.name for step in untrained("mini_xception").trunk]
    assert names[:6] == [f"stem.{n}" for n in range(6)]
    assert names[6:] == ["modules_.0.add", "modules_.1.add", "modules_.2.add", "modules_.3.add", "classifier", "mean"]


def test_an_ensemble_has_no_trunk_and_names_its_heaviest_member(ensemble):
    with pytest.raises(FerError, match="such as its heaviest, run mini_xception__hist_eq__drawn$"):
        _ = ensemble.trunk


def test_nothing_in_it_works_in_place():
    network = untrained("conv_relu_ann")
    assert not any(getattr(module, "inplace", False) for module in network.model.modules())
    assert any(getattr(module, "inplace", False) for module in build("conv_relu_ann").modules())


def test_two_viewers_at_once_never_see_each_other_s_activations():
    network = untrained("mini_xception")
    inputs = [torch.full((1, 1, 48, 48), value) for value in (-0.8, -0.3, 0.3, 0.8)]
    layers = ["stem.0", "modules_.1.add", "classifier", "modules_.2.main.2"]
    expected = [feature_maps(network, each, layer).maps for each, layer in zip(inputs, layers, strict=True)]
    wrong, barrier = [], threading.Barrier(len(inputs))

    def look(viewer):
        barrier.wait()
        for _ in range(20):
            found = feature_maps(network, inputs[viewer], layers[viewer]).maps
            if not np.array_equal(found, expected[viewer]):
                wrong.append(viewer)

    threads = [threading.Thread(target=look, args=(viewer,)) for viewer in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.model.modules())


def test_a_look_takes_one_thread_and_leaves_the_others_theirs():
    network = untrained("linear")
    before = torch.get_num_threads()
    with network.looking():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
