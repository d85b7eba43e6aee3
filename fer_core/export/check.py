"""Faces to hold a graph against PyTorch with, and the graph's answers."""

from dataclasses import dataclass

import numpy as np

from fer_core.datasets import DatasetError, FaceDataset, dataset_names, load_dataset
from fer_core.export.graph import INPUT, ExportError
from fer_core.inference import Predictor
from fer_core.inference.boxes import resize_face
from fer_core.runs import Run

TOLERANCE = 1e-4  # largest difference of a probability between the graph and PyTorch
CHECKED = 512  # faces
BATCH = 64


@dataclass(frozen=True, eq=False)
class Reference:
    """Gray faces uint8 (N, S, S), what they are, and their classes where they are the run's own test images."""

    faces: np.ndarray
    source: str
    labels: np.ndarray | None = None
    calibration: np.ndarray | None = None

    @property
    def checked(self) -> np.ndarray:
        """At most CHECKED of the faces, evenly drawn."""
        return self.faces[:: max(1, len(self.faces) // CHECKED)][:CHECKED]

    @property
    def checked_on(self) -> str:
        """How many of the faces are `checked`: `512 of 3,589 test images of fer2013`."""
        count, total = len(self.checked), len(self.faces)
        return f"{f'{count:,} of ' if count < total else ''}{total:,} {self.source}"


def reference_faces(predictor: Predictor, run: Run) -> Reference:
    """The run's test images where its dataset is prepared here, else real faces that scikit-image ships.

    For calibrating whole-number arithmetic there are validation images beside the test images.
    """
    if run.spec.dataset in dataset_names():
        found = _of_dataset(load_dataset(run.spec.dataset), run, predictor.input_size)
        if found is not None:
            return found
    from skimage.data import lfw_subset

    faces = (lfw_subset()[:100] * 255).round().astype(np.uint8)  # the first half of it are faces, 25×25
    return Reference(np.stack([resize_face(face, predictor.input_size) for face in faces]), "faces of LFW")


def _of_dataset(dataset: FaceDataset, run: Run, size: int) -> Reference | None:
    if dataset.channels != 1 or dataset.images.shape[1] != size:
        return None
    saved = run.network_predictions()
    try:
        test, valid = (dataset.rows_of(saved[f"{split}_ids"]) for split in ("test", "valid"))
    except DatasetError:
        return None  # the dataset of that name is another one here
    source = f"test images of {dataset.name}"
    return Reference(dataset.images[test], source, saved["test_labels"], dataset.images[valid[:CHECKED]])


def graph_probabilities(model: bytes, faces: np.ndarray) -> np.ndarray:
    """What onnxruntime makes of gray faces uint8 (N, S, S): float32 (N, classes), on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    batches = [faces[start : start + BATCH] for start in range(0, len(faces), BATCH)]
    return np.concatenate([session.run(None, {INPUT: np.ascontiguousarray(batch)})[0] for batch in batches])


def difference(model: bytes, predictor: Predictor, faces: np.ndarray) -> float:
    """The largest difference of a probability between a graph and PyTorch."""
    return float(np.abs(graph_probabilities(model, faces) - predictor.predict_faces(faces)).max())


def require_agreement(model: bytes, predictor: Predictor, reference: Reference) -> float:
    """`difference` on the reference's faces; raises ExportError where it is above TOLERANCE."""
    found = difference(model, predictor, reference.checked)
    if not found <= TOLERANCE:
        raise ExportError(
            f"the graph of run {predictor.run_id} differs from PyTorch by {found:.2g} on {reference.checked_on}, which "
            f"is more than {TOLERANCE:g}; nothing was written"
        )
    return found
