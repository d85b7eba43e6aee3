"""A run's ONNX file read without torch, and pictures read many at a time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import skimage.data
import torch
import typer
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from typer.testing import CliRunner

from fer_core.architectures import ARCHITECTURES, build
from fer_core.cli import predict
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.export.graph import to_onnx
from fer_core.inference import ExportedPredictor, FaceBox, FaceReader, Prediction, Predictor, get_detector
from fer_core.runs import RunStore

ASTRONAUT = np.asarray(skimage.data.astronaut())
CLASSES = ("happy", "sad", "neutral")


def written(model: onnx.ModelProto, path: Path, **facts: object) -> Path:
    helper.set_model_props(model, {key: json.dumps(value) for key, value in facts.items()})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A network of one layer as `export` would write it: gray faces of 8 × 8 pixels, three classes."""
    weights = np.random.default_rng(0).normal(0, 0.002, (64, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["faces"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["numbers"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "one_layer",
        [helper.make_tensor_value_info("faces", TensorProto.UINT8, ["count", 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["count", 3])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return written(model, tmp_path / "tiny.onnx", run="tiny__raw", classes=CLASSES, input_size=8)


def test_an_exported_file_reads_the_faces_of_a_photo(file: Path) -> None:
    predictor = ExportedPredictor.from_file(file)
    (face,) = predictor.predict(ASTRONAUT)
    assert predictor.run_id == "tiny__raw"
    assert face.face.shape == (8, 8)
    assert tuple(face.probabilities) == CLASSES
    assert sum(face.probabilities.values()) == pytest.approx(1)
    assert face.box == get_detector().detect(ASTRONAUT)[0]
    assert predictor.predict_faces(np.empty((0, 48, 48), np.uint8)).shape == (0, 3)


def test_an_exported_run_answers_as_the_run_does(tmp_path: Path) -> None:
    recipe = ARCHITECTURES.get("linear").paper_recipe
    run = RunStore(tmp_path).create(RunSpec("linear", "hist_eq", "synthetic", "official", recipe))
    torch.manual_seed(0)
    run.save_weights(build("linear").state_dict())
    run.write_json("evaluation.json", {"temperature": 1.7, "splits": {}})
    predictor = Predictor.from_run(run)
    facts = {"run": run.id, "classes": list(predictor.emotions), "input_size": predictor.input_size}
    exported = ExportedPredictor.from_file(written(to_onnx(predictor), tmp_path / "linear.onnx", **facts))
    boxes = [FaceBox(177, 66, 95, 95), FaceBox(-20, 30, 160, 160), FaceBox(200, 80, 60, 60, 12.5)]
    for ours, theirs in zip(
        predictor.predict(ASTRONAUT, boxes=boxes), exported.predict(ASTRONAUT, boxes=boxes), strict=True
    ):
        assert theirs.probabilities == pytest.approx(ours.probabilities, abs=1e-4)
        np.testing.assert_array_equal(theirs.face, ours.face)


def test_an_exported_run_is_read_without_torch(file: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import numpy as np; from fer_core.inference import ExportedPredictor\n"
        "predictor = ExportedPredictor.from_file(Path(sys.argv[1]))\n"
        "print(predictor.predict_faces(np.zeros((2, 48, 48), np.uint8)).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(2, 3) False"


def test_what_is_no_exported_run_is_refused_in_one_sentence(file: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("dear diary")
    nameless = written(onnx.load(file), tmp_path / "nameless.onnx", run="tiny__raw")
    refused = {
        tmp_path / "absent.onnx": "there is no file",
        text: "is no ONNX network",
        nameless: "does not say which run",
    }
    for path, reason in refused.items():
        with pytest.raises(FerError, match=reason) as caught:
            ExportedPredictor.from_file(path)
        assert "\n" not in str(caught.value)


def test_the_command_line_takes_an_exported_file_for_a_run(file: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("predict")(predict.predict)
    Image.fromarray(ASTRONAUT).save(tmp_path / "portrait.png")
    result = CliRunner().invoke(app, [str(file), str(tmp_path / "portrait.png"), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["run"] == "tiny__raw"
    assert tuple(answer["photos"][0]["faces"][0]["probabilities"]) == CLASSES


class Counting(FaceReader):
    """Answers with the mean gray level, and notes how many faces came at once."""

    run_id, emotions, input_size, channels = "counting", ("dark", "light"), 8, 1

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict_faces(self, faces: np.ndarray, batch_size: int | None = None) -> np.ndarray:
        self.batches.append(len(faces))
        light = faces.mean(axis=(1, 2)) / 255
        return np.stack([1 - light, light], axis=1).astype(np.float32)


PICTURES = [np.full((30, 30), level, np.uint8) for level in (10, 60, 110, 160, 210)]
BOXES = [[FaceBox(0, 0, 9, 9)] * count for count in (2, 0, 1, 3, 1)]


def lights(read: list[Prediction]) -> list[int]:
    return [round(255 * face.probabilities["light"]) for face in read]


def test_many_pictures_are_read_together_and_come_back_in_their_order() -> None:
    reader = Counting()
    read = [lights(faces) for faces in reader.predict_many(PICTURES, boxes=BOXES, batch_size=3)]
    assert read == [[10, 10], [], [110], [160, 160, 160], [210]]
    assert reader.batches == [3, 3, 1]


def test_pictures_are_taken_one_at_a_time_and_not_kept() -> None:
    taken: list[int] = []

    def pictures() -> Iterator[np.ndarray]:
        for number in range(100):
            taken.append(number)
            yield PICTURES[number % 5]

    read = Counting().predict_many(pictures(), detector=get_detector("whole"), batch_size=4)
    assert lights(next(read)) == [10]
    assert taken == [0, 1, 2, 3]


def test_the_answers_of_many_are_those_of_each(file: Path) -> None:
    predictor = ExportedPredictor.from_file(file)
    pictures = [ASTRONAUT, ASTRONAUT[:, ::-1].copy(), np.zeros((40, 40, 3), np.uint8)]
    each = [[face.to_json() for face in predictor.predict(picture)] for picture in pictures]
    assert [[face.to_json() for face in faces] for faces in predictor.predict_many(pictures)] == each
    assert [len(faces) for faces in each] == [1, 1, 0]


def test_boxes_and_batches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(FerError, match="as many lists of boxes as pictures"):
        list(Counting().predict_many(PICTURES, boxes=BOXES[:3]))
    with pytest.raises(FerError, match="batch_size must be at least 1, got 0"):
        list(Counting().predict_many(PICTURES, batch_size=0))
