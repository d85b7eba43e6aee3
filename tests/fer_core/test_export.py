"""ONNX: the same probabilities as PyTorch, from grey levels on."""

import dataclasses
import json
import shutil

import numpy as np
import onnx
import pytest
import torch
import typer
from typer.testing import CliRunner

from fer_core.architectures import build
from fer_core.cli.export import export
from fer_core.datasets import load_dataset
from fer_core.errors import FerError
from fer_core.export import ExportError, check, export_run
from fer_core.export.check import difference, graph_probabilities
from fer_core.export.graph import to_onnx
from fer_core.inference import Predictor
from fer_core.labels import EMOTIONS
from fer_core.preprocessing import STEPS, Pipeline
from fer_core.runs import Run, RunStore
from fer_core.training import make_spec, train_run

command = typer.Typer()
command.command()(export)
IN_A_GRAPH = [name for name in STEPS.names() if name != "face_crop"]


def untrained(pipeline, architecture="linear", channels=1):
    torch.manual_seed(0)
    model = build(architecture, channels=channels, size=48, classes=len(EMOTIONS)).eval().requires_grad_(False)
    return Predictor("a-run", model, Pipeline.parse(pipeline), EMOTIONS, temperature=1.7, channels=channels)


def faces(count):
    """Smooth and noisy, dark and bright, and one without any contrast."""
    drawn = load_dataset("synthetic").images[:count].copy()
    drawn[0] = 128
    return drawn


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    hyperparameters = {"epochs": 1, "batch_size": 64, "precision": "float32"}
    spec = make_spec(
        "two_block_cnn", "gcn", dataset="synthetic", protocol="official", recipe="modern",
        hyperparameters=hyperparameters, arguments={"filters": 4, "dense": 16},
    )  # fmt: skip
    store = RunStore(tmp_path_factory.mktemp("runs"))
    return train_run(spec, store, device="cpu", dataset=load_dataset("synthetic"))


def test_a_graph_of_every_step_gives_pytorch_s_probabilities_for_any_number_of_faces():
    predictor = untrained("+".join(IN_A_GRAPH))
    graph = to_onnx(predictor).SerializeToString()
    for count in (1, 2, 70):
        assert graph_probabilities(graph, faces(count)).shape == (count, len(EMOTIONS))
        assert difference(graph, predictor, faces(count)) < 1e-5


def test_a_graph_of_another_pipeline_is_told_apart():
    graph = to_onnx(untrained("hist_eq")).SerializeToString()
    assert difference(graph, untrained("raw"), faces(40)) > check.TOLERANCE


def test_every_file_says_what_it_is_and_how_good(run, tmp_path):
    written = export_run(run, tmp_path, ("float32", "float16", "int8"))
    assert [each.variant for each in written] == ["float32", "float16", "int8"]
    whole, half, small = written
    assert whole.difference < check.TOLERANCE < small.difference < 0.2
    assert whole.difference < half.difference < 0.01
    assert small.bytes < whole.bytes
    assert half.bytes < whole.bytes
    assert whole.accuracy == pytest.approx(run.evaluation()["splits"]["test"]["accuracy"], abs=0.01)
    for each in written:
        facts = {prop.key: json.loads(prop.value) for prop in onnx.load(each.path).metadata_props}
        assert (facts["run"], facts["classes"], facts["preprocessing"]) == (run.id, list(EMOTIONS), "gcn")
        assert (facts["variant"], facts["accuracy"]) == (each.variant, each.accuracy)
        assert facts["checked_on"] == each.checked_on == "350 test images of synthetic"


def test_it_is_told_on_how_many_of_the_test_images_a_file_was_checked(run, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "CHECKED", 20)
    result = CliRunner().invoke(command, [run.id, "--runs", str(run.path.parent), "--out", str(tmp_path)])
    assert "checked against PyTorch on 20 of 350 test images of synthetic" in " ".join(result.stdout.split())
    (path,) = tmp_path.iterdir()
    facts = {prop.key: json.loads(prop.value) for prop in onnx.load(path).metadata_props}
    assert facts["checked_on"] == "20 of 350 test images of synthetic"


def test_without_its_dataset_a_run_is_checked_on_other_real_faces(run):
    elsewhere = dataclasses.replace(run.spec, dataset="not_here")
    run.__dict__["spec"], kept = elsewhere, run.spec
    try:
        reference = check.reference_faces(Predictor.from_run(run), run)
    finally:
        run.__dict__["spec"] = kept
    assert reference.checked_on == "100 faces of LFW"
    assert reference.faces.shape == (100, 48, 48)
    assert reference.labels is None


def test_a_run_of_folds_is_checked_on_the_images_that_its_kept_weights_never_saw(run, tmp_path):
    folded, faces = Run(shutil.copytree(run.path, tmp_path / run.id)), load_dataset("synthetic")
    arrays = folded.predictions()
    for split in ("valid", "test"):
        arrays[f"{split}_folds"] = np.where(np.arange(len(arrays[f"{split}_ids"])) < 30, "2", "1")
    folded.save_predictions(arrays)
    folded.write_json("environment.json", folded.environment() | {"weights_fold": "2"})
    reference = check.reference_faces(Predictor.from_run(folded), folded)
    assert reference.checked_on == "30 test images of synthetic"
    np.testing.assert_array_equal(reference.faces, faces.images[faces.rows_of(arrays["test_ids"][:30])])
    np.testing.assert_array_equal(reference.labels, arrays["test_labels"][:30])
    np.testing.assert_array_equal(reference.calibration, faces.images[faces.rows_of(arrays["valid_ids"][:30])])


def test_nothing_is_written_where_the_graph_differs(run, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "TOLERANCE", 1e-12)
    with pytest.raises(ExportError, match="differs from PyTorch by .* on 350 test images .* nothing was written"):
        export_run(run, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def unloaded(monkeypatch):
    """A run's weights must not be read."""

    def fail(*_):
        raise AssertionError("the run was loaded")

    monkeypatch.setattr(Predictor, "from_run", fail)


@pytest.mark.parametrize("below", ["", "new/deeper"])
def test_a_file_in_the_place_of_the_folder_is_refused_before_the_run_is_loaded(run, tmp_path, unloaded, below):
    taken = tmp_path / "taken.onnx"
    taken.write_text("text")
    with pytest.raises(FerError, match=r"taken.onnx' is no folder; name a folder"):
        export_run(run, taken / below)
    assert taken.read_text() == "text"


def test_a_folder_in_the_place_of_the_file_is_refused_before_the_run_is_loaded(run, tmp_path, unloaded):
    (tmp_path / f"{run.id}.int8.onnx").mkdir()
    with pytest.raises(FerError, match=r"int8.onnx' is a folder, where the file is to be written"):
        export_run(run, tmp_path, ("float32", "int8"))
    assert [path.name for path in tmp_path.iterdir()] == [f"{run.id}.int8.onnx"]


@pytest.mark.parametrize(
    ("pipeline", "channels", "reason"),
    [
        ("gcn+face_crop", 1, "face_crop searches with OpenCV's cascade"),
        ("raw", 3, "only runs on gray faces"),
    ],
)
def test_what_has_no_graph_is_refused_with_its_reason(pipeline, channels, reason):
    with pytest.raises(ExportError, match=reason):
        to_onnx(untrained(pipeline, "mini_xception", channels))


def test_an_unknown_variant_is_refused_with_the_choices(run):
    with pytest.raises(FerError, match="unknown variant 'int4'; choose from float32, float16, int8"):
        export_run(run, variants=("int4",))
    assert not list(run.path.glob("*.onnx"))


def test_probabilities_are_numbers_of_half_the_size_only_inside():
    graph = to_onnx(untrained("raw"), torch.float16)
    (output,) = graph.graph.output
    assert output.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert np.allclose(graph_probabilities(graph.SerializeToString(), faces(3)).sum(1), 1, atol=1e-5)
