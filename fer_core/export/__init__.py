"""ONNX with the preprocessing inside the graph: faces in, calibrated probabilities out."""

from fer_core.export.check import TOLERANCE, Reference, reference_faces
from fer_core.export.export import VARIANTS, Exported, export_run
from fer_core.export.graph import ExportError, check_exportable

__all__ = [
    "TOLERANCE",
    "VARIANTS",
    "ExportError",
    "Exported",
    "Reference",
    "check_exportable",
    "export_run",
    "reference_faces",
]
