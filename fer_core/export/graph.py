"""A run's pipeline, network and temperature as one ONNX graph."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fer_core.architectures.ensemble import Ensemble
from fer_core.errors import FerError
from fer_core.inference import Predictor
from fer_core.preprocessing import Pipeline

if TYPE_CHECKING:
    import onnx

OPSET = 18  # the newest that onnxruntime-web's WebAssembly kernels know in full
INPUT, OUTPUT = "faces", "probabilities"
MOST_FACES = 4096
NOT_IN_A_GRAPH = ("face_crop",)  # OpenCV's cascade is no arithmetic on tensors


class ExportError(FerError):
    """A run that has no ONNX form, or whose graph does not agree with PyTorch."""


class FaceClassifier(nn.Module):
    """Gray faces uint8 (N, S, S) to calibrated probabilities float32 (N, classes); `numbers` is the network's type."""

    def __init__(self, predictor: Predictor, numbers: torch.dtype) -> None:
        super().__init__()
        self.model = copy.deepcopy(predictor.model).to(numbers)
        self.pipeline, self.temperature, self.numbers = predictor.pipeline, predictor.temperature, numbers

    def forward(self, faces: Tensor) -> Tensor:
        """Preprocess, predict and calibrate."""
        logits = self.model(self.pipeline(faces[:, None]).to(self.numbers)).float()
        return torch.softmax(logits / self.temperature, dim=1)


def check_exportable(channels: int, pipelines: Sequence[str], run_id: str) -> None:
    """Raise ExportError, with the reason, where a run with these pipelines (see `pipelines_of`) has no ONNX form."""
    if channels != 1:
        raise ExportError(f"run {run_id} takes colour faces; only runs on gray faces can be exported")
    steps = [step.name for pipeline in pipelines for step in Pipeline.parse(pipeline).steps]
    inside = [name for name in steps if name in NOT_IN_A_GRAPH]
    if inside:
        raise ExportError(
            f"run {run_id} cannot be exported: its step {inside[0]} searches with OpenCV's cascade, which has no ONNX "
            "form; runs with any other step can"
        )


def to_onnx(predictor: Predictor, numbers: torch.dtype = torch.float32) -> "onnx.ModelProto":
    """The graph of a predictor, for any number of faces; raises ExportError where there is none.

    In half precision its network alone is: the pipeline before it and the probabilities behind it are as they were.
    """
    of_members = predictor.model.pipelines if isinstance(predictor.model, Ensemble) else []
    check_exportable(predictor.channels, [str(each) for each in (predictor.pipeline, *of_members)], predictor.run_id)
    try:
        import onnxscript  # noqa: F401 - torch's exporter needs it, and says so less clearly
    except ModuleNotFoundError as error:
        raise ExportError(
            f"exporting needs {error.name}; `pip install onnx onnxscript onnxruntime` brings it"
        ) from None
    # two faces: a single one would be taken for a constant
    faces = torch.zeros(2, predictor.input_size, predictor.input_size, dtype=torch.uint8)
    program = torch.onnx.export(
        FaceClassifier(predictor, numbers).eval(),
        (faces,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("count", min=1, max=MOST_FACES)},),
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=OPSET,
        verbose=False,
    )
    if program is None:
        raise ExportError(f"run {predictor.run_id} could not be exported")
    return program.model_proto
