"""From a run to checked ONNX files, each with what it is and how good it is inside."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fer_core.architectures.ensemble import NAME as ENSEMBLE
from fer_core.architectures.ensemble import read_members
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.export.check import Reference, difference, graph_probabilities, reference_faces, require_agreement
from fer_core.export.graph import to_onnx
from fer_core.export.quantization import to_int8
from fer_core.inference import Predictor
from fer_core.paths import check_folder, make_folder
from fer_core.runs import Run

if TYPE_CHECKING:
    import onnx

FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"
VARIANTS = (FLOAT32, FLOAT16, INT8)


@dataclass(frozen=True)
class Exported:
    """A written file: `difference` is the largest of a probability beside PyTorch on `checked_on`.

    `accuracy` is measured with the file itself on all of the run's test images, None where they are not here.
    """

    path: Path
    variant: str
    bytes: int
    difference: float
    checked_on: str
    accuracy: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {**asdict(self), "path": str(self.path)}


@dataclass(frozen=True, eq=False)
class _Source:
    run: Run
    predictor: Predictor
    reference: Reference
    folder: Path
    plain: "onnx.ModelProto"
    facts: dict[str, Any] = field(default_factory=dict)


def export_run(run: Run, folder: Path | None = None, variants: tuple[str, ...] = (FLOAT32,)) -> list[Exported]:
    """Write `<run>.onnx`, `<run>.float16.onnx`, `<run>.int8.onnx` into `folder` (the run's own unless given).

    The float32 graph is held against PyTorch on real faces first, and nothing is written where a probability
    differs by more than TOLERANCE. The others have no limit: `difference` says how far they are from PyTorch.
    Raises ExportError for a run that has no ONNX form, FerError where `folder` cannot be written into.
    """
    unknown = [name for name in variants if name not in VARIANTS]
    if unknown or not variants:
        raise FerError(f"unknown variant {', '.join(unknown) or '(none)'!r}; choose from {', '.join(VARIANTS)}")
    target = folder or run.path
    _check_target(target, run, variants)
    predictor = Predictor.from_run(run)
    plain = to_onnx(predictor)
    reference = reference_faces(predictor, run)
    require_agreement(plain.SerializeToString(), predictor, reference)
    source = _Source(run, predictor, reference, target, plain, _facts(run, predictor))
    make_folder(target)
    return [_write(source, variant) for variant in variants]


def _check_target(folder: Path, run: Run, variants: tuple[str, ...]) -> None:
    check_folder(folder)
    taken = [path for path in (_path(folder, run, variant) for variant in variants) if path.is_dir()]
    if taken:
        raise FerError(f"'{taken[0]}' is a folder, where the file is to be written; name another folder, or move it")


def _path(folder: Path, run: Run, variant: str) -> Path:
    return folder / f"{run.id}{'' if variant == FLOAT32 else f'.{variant}'}.onnx"


def _write(source: _Source, variant: str) -> Exported:
    model, reference = _variant(source, variant), source.reference
    content = model.SerializeToString()
    found = difference(content, source.predictor, reference.checked)
    accuracy = _accuracy(content, reference)
    measured = {"variant": variant, "difference": found, "checked_on": reference.checked_on, "accuracy": accuracy}
    _describe(model, source.facts | measured)
    content = model.SerializeToString()
    path = _path(source.folder, source.run, variant)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)
    return Exported(path, variant, len(content), found, reference.checked_on, accuracy)


def _variant(source: _Source, variant: str) -> "onnx.ModelProto":
    if variant == FLOAT16:
        return to_onnx(source.predictor, torch.float16)
    if variant == INT8:
        faces = source.reference.calibration
        return to_int8(source.plain, source.reference.checked if faces is None else faces)
    return source.plain


def _accuracy(content: bytes, reference: Reference) -> float | None:
    if reference.labels is None:
        return None
    return float(np.mean(graph_probabilities(content, reference.faces).argmax(1) == reference.labels))


def _facts(run: Run, predictor: Predictor) -> dict[str, Any]:
    """What a reader of the file alone would want to know."""
    spec = run.spec
    return {
        "run": run.id,
        "classes": list(predictor.emotions),
        "architecture": spec.architecture,
        **_prepared(spec, predictor),
        "dataset": spec.dataset,
        "protocol": spec.protocol,
        "seed": spec.seed,
        "input_size": predictor.input_size,
        "temperature": predictor.temperature,
        "test_accuracy_of_the_run": run.evaluation()["splits"]["test"]["accuracy"],
    }


def _prepared(spec: RunSpec, predictor: Predictor) -> dict[str, Any]:
    """By which pipeline faces are prepared: one, or those of an ensemble's members, which are named."""
    if spec.architecture != ENSEMBLE:
        return {"preprocessing": str(predictor.pipeline)}
    members = [member.to_json() for member in read_members(spec.architecture_arguments)]
    keys = ("run", "architecture", "preprocessing", "temperature", "weight")
    return {"members": [{key: member[key] for key in keys} for member in members]}


def _describe(model: "onnx.ModelProto", facts: dict[str, Any]) -> None:
    import onnx

    model.producer_name = "fer_core"
    model.doc_string = "Gray face crops, uint8 (faces, size, size), to calibrated probabilities of the classes."
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in facts.items()})
