"""A run's ONNX file, ready to predict without torch: what `export` writes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.errors import FerError
from fer_core.inference.boxes import resize_face, to_channels
from fer_core.inference.reader import FaceReader, batches, check_faces

if TYPE_CHECKING:
    import onnxruntime

AT_ONCE = 16  # faces whose intermediates stay in the cache: 256 at once take 1.6 times as long
INPUT, OUTPUT = "faces", "probabilities"  # of the graph: uint8 (N, S, S); float32 (N, classes)


@dataclass(frozen=True, eq=False)
class ExportedPredictor(FaceReader):
    """The network of an ONNX file with its preprocessing and calibration; one may serve several threads."""

    run_id: str
    session: "onnxruntime.InferenceSession"
    emotions: tuple[str, ...]
    input_size: int
    channels: int = 1  # only runs on gray faces are exported

    @classmethod
    def from_file(cls, path: Path) -> "ExportedPredictor":
        """The predictor in a file that `python -m fer_core export RUN` wrote; raises FerError for any other."""
        if not path.is_file():
            raise FerError(f"there is no file '{path}'")
        session = _session(path)
        facts = _facts(session)
        try:
            run_id, emotions, size = str(facts["run"]), tuple(facts["classes"]), int(facts["input_size"])
        except (KeyError, TypeError, ValueError):
            raise FerError(
                f"'{path.name}' does not say which run it is of; `python -m fer_core export RUN` writes files that do"
            ) from None
        return cls(run_id, session, emotions, size)

    def predict_faces(self, faces: np.ndarray, batch_size: int | None = None) -> np.ndarray:
        """Calibrated probabilities float32 (N, classes) of crops uint8 (N, H, W) or RGB (N, H, W, 3) of any size.

        At most AT_ONCE faces go through the network at once, whatever `batch_size` says.
        """
        check_faces(faces)
        found = [np.empty((0, len(self.emotions)), np.float32)]
        for batch in batches(faces, AT_ONCE if batch_size is None else min(batch_size, AT_ONCE)):
            fitted = np.stack([resize_face(to_channels(face, self.channels), self.input_size) for face in batch])
            found.append(self.session.run([OUTPUT], {INPUT: fitted})[0])
        return np.concatenate(found)


def _session(path: Path) -> "onnxruntime.InferenceSession":
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise FerError("reading an ONNX file needs onnxruntime; `pip install onnxruntime` brings it") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    # threads that spin while they wait for each other take thrice as long where something else runs, too
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds of errors have no common one
        raise FerError(f"'{path.name}' is no ONNX network that can be read") from error


def _facts(session: "onnxruntime.InferenceSession") -> dict[str, Any]:
    """The file's metadata; empty where its input and output are not those of an exported run."""
    names = [each.name for each in (*session.get_inputs(), *session.get_outputs())]
    if names != [INPUT, OUTPUT]:
        return {}
    found = session.get_modelmeta().custom_metadata_map
    try:
        return {key: json.loads(value) for key, value in found.items()}
    except json.JSONDecodeError:
        return {}
