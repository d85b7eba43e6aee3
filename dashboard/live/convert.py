"""MediaPipe's BlazeFace (short range) from TFLite to ONNX, for pictures of any size that 16 divides.

The network is fully convolutional: only its last reshapes hold the original 128 × 128 pixels, and are freed here.
Source: Bazarevsky et al. (2019), BlazeFace; the weights are those of the npm package @mediapipe/face_detection.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

OPSET = 18  # as the networks' own export
INPUT, OUTPUTS = "pixels", ("boxes", "scores")  # float32 (1, 3, H, W) in [-1, 1]; (1, anchors, 16), (1, anchors, 1)
TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}


@dataclass
class Graph:
    """The ONNX graph that grows, and what is known of the TFLite tensors: their names and constants."""

    model: Any
    source: Any
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    dequantized: dict[int, int] = field(default_factory=dict)  # tensor -> the half-precision one behind it

    def name(self, tensor: int) -> str:
        return f"t{tensor}"

    def value(self, tensor: int) -> np.ndarray:
        """A constant tensor's numbers."""
        found = self.source.Tensors(self.dequantized.get(tensor, tensor))
        kinds = {tflite.TensorType.FLOAT16: "<f2", tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.INT32: "<i4"}
        raw = self.model.Buffers(found.Buffer()).DataAsNumpy()
        values: np.ndarray = np.frombuffer(raw.tobytes(), kinds[found.Type()]).reshape(found.ShapeAsNumpy())
        return values

    def constant(self, name: str, values: np.ndarray) -> str:
        """Add a constant; half-precision ones stay small in the file, and are widened when it is loaded."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        if values.dtype != np.float16:
            return name
        self.add("Cast", [name], f"{name}_wide", to=TensorProto.FLOAT)
        return f"{name}_wide"

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))


@dataclass(frozen=True)
class Operation:
    """One TFLite operation: its inputs, its output and its options."""

    inputs: list[int]
    output: int
    options: Any

    def option(self, kind: str) -> Any:
        """Its options read as `kind`, e.g. Conv2DOptions."""
        read = getattr(tflite, kind)()
        read.Init(self.options.Bytes, self.options.Pos)
        return read


def convert(source: Path) -> onnx.ModelProto:
    """The ONNX form of the TFLite file `source`; raises ValueError where it holds an unknown operation."""
    model = tflite.Model.GetRootAsModel(source.read_bytes(), 0)
    graph = Graph(model, model.Subgraphs(0))
    (entry,) = graph.source.InputsAsNumpy()
    graph.add("Identity", [INPUT], graph.name(entry))
    for number in range(graph.source.OperatorsLength()):
        found = graph.source.Operators(number)
        name = NAMES[model.OperatorCodes(found.OpcodeIndex()).BuiltinCode()]
        if name not in WRITERS:
            raise ValueError(f"{source.name} holds the operation {name}; known are {', '.join(sorted(WRITERS))}")
        operation = Operation(found.InputsAsNumpy().tolist(), int(found.OutputsAsNumpy()[0]), found.BuiltinOptions())
        WRITERS[name](graph, operation)
    for tensor, output in zip(graph.source.OutputsAsNumpy(), OUTPUTS, strict=True):
        graph.add("Identity", [graph.name(tensor)], output)
    return _assembled(graph)


def _assembled(graph: Graph) -> onnx.ModelProto:
    entry = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, "height", "width"])
    widths = (16, 1)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "anchors", width])
        for name, width in zip(OUTPUTS, widths, strict=True)
    ]
    body = helper.make_graph(graph.nodes, "blazeface_short_range", [entry], ends, graph.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    model.doc_string = "BlazeFace, short range, by the MediaPipe authors; Apache License 2.0."
    onnx.checker.check_model(model, full_check=True)
    return model


def _dequantize(graph: Graph, operation: Operation) -> None:
    graph.dequantized[operation.output] = operation.inputs[0]


def _convolution(graph: Graph, operation: Operation) -> None:
    # (out, kh, kw, in) -> (out, in, kh, kw)
    weights = graph.value(operation.inputs[1]).transpose(TO_NCHW)
    _write_convolution(graph, operation, weights, "Conv2DOptions", groups=1)


def _depthwise(graph: Graph, operation: Operation) -> None:
    # (1, kh, kw, channels) -> (channels, 1, kh, kw)
    weights = graph.value(operation.inputs[1]).transpose(3, 0, 1, 2)
    _write_convolution(graph, operation, weights, "DepthwiseConv2DOptions", groups=len(weights))


def _write_convolution(graph: Graph, operation: Operation, weights: np.ndarray, options: str, groups: int) -> None:
    read, output = operation.option(options), graph.name(operation.output)
    kernel = weights.shape[2]
    if read.FusedActivationFunction() or (kernel > 1 and read.Padding() != tflite.Padding.SAME):
        raise ValueError(f"convolution {operation.output} is not as BlazeFace has it: padded otherwise, or fused")
    names = [
        graph.name(operation.inputs[0]),
        graph.constant(f"{output}_weights", weights),
        graph.constant(f"{output}_bias", graph.value(operation.inputs[2])),
    ]
    stride = read.StrideW()
    graph.add(
        "Conv", names, output, group=groups, strides=[stride, stride], pads=_same_padding(kernel, stride),
        kernel_shape=[kernel, kernel],
    )  # fmt: skip


def _same_padding(kernel: int, stride: int) -> list[int]:
    """TensorFlow's SAME for a side that the stride divides: the odd pixel comes at the right and below."""
    total = max(kernel - stride, 0)
    return [total // 2, total // 2, total - total // 2, total - total // 2]


def _max_pool(graph: Graph, operation: Operation) -> None:
    read = operation.option("Pool2DOptions")
    kernel, stride = read.FilterWidth(), read.StrideW()
    names, output = [graph.name(operation.inputs[0])], graph.name(operation.output)
    graph.add(
        "MaxPool", names, output, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=_same_padding(kernel, stride)
    )


def _relu(graph: Graph, operation: Operation) -> None:
    graph.add("Relu", [graph.name(operation.inputs[0])], graph.name(operation.output))


def _add(graph: Graph, operation: Operation) -> None:
    graph.add("Add", [graph.name(tensor) for tensor in operation.inputs], graph.name(operation.output))


def _pad(graph: Graph, operation: Operation) -> None:
    paddings = graph.value(operation.inputs[1])[TO_NCHW].astype(np.int64)  # (4, 2): before and after each axis
    output = graph.name(operation.output)
    name = graph.constant(f"{output}_pads", paddings.T.ravel())
    graph.add("Pad", [graph.name(operation.inputs[0]), name], output)


def _reshape(graph: Graph, operation: Operation) -> None:
    """(1, anchors, width) out of the cells, row by row as TFLite has them."""
    width = int(graph.source.Tensors(operation.output).ShapeAsNumpy()[2])
    output = graph.name(operation.output)
    graph.add("Transpose", [graph.name(operation.inputs[0])], f"{output}_cells", perm=TO_NHWC)
    shape = graph.constant(f"{output}_shape", np.array([1, -1, width], np.int64))
    graph.add("Reshape", [f"{output}_cells", shape], output)


def _concatenate(graph: Graph, operation: Operation) -> None:
    graph.add("Concat", [graph.name(tensor) for tensor in operation.inputs], graph.name(operation.output), axis=1)


WRITERS: dict[str, Callable[[Graph, Operation], None]] = {
    "DEQUANTIZE": _dequantize,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "MAX_POOL_2D": _max_pool,
    "RELU": _relu,
    "ADD": _add,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "CONCATENATION": _concatenate,
}
