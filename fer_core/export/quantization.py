"""The same graph in whole numbers of 8 bits."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_core.export.graph import INPUT

if TYPE_CHECKING:
    import onnx

WEIGHTED = ("Conv", "Gemm", "MatMul")
CALIBRATION_BATCH = 32


def to_int8(model: "onnx.ModelProto", faces: np.ndarray) -> "onnx.ModelProto":
    """Convolutions and matrices in whole numbers, their ranges measured on `faces` uint8 (N, S, S)."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Faces(CalibrationDataReader):
        """Batches of faces, as the quantiser asks for them."""

        def __init__(self) -> None:
            starts = range(0, len(faces), CALIBRATION_BATCH)
            self.batches = iter([{INPUT: np.ascontiguousarray(faces[i : i + CALIBRATION_BATCH])} for i in starts])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder:
        whole, source, target = (Path(folder) / f"{name}.onnx" for name in ("whole", "prepared", "int8"))
        onnx.save(model, whole)
        quant_pre_process(whole, source, skip_symbolic_shape=True)
        quantize_static(
            source,
            target,
            Faces(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            op_types_to_quantize=list(WEIGHTED),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(target)
