"""How much of a run's accuracy is left on worse pictures, and what averaging over views of a face adds."""

from fer_core.robustness.averaging import VIEWS, measure_averaging, views_of
from fer_core.robustness.corruptions import CORRUPTIONS, SEVERITIES, Corruption, corrupt
from fer_core.robustness.measure import measure_corruptions
from fer_core.robustness.unseen import UnseenFaces, unseen_faces

__all__ = [
    "CORRUPTIONS",
    "SEVERITIES",
    "VIEWS",
    "Corruption",
    "UnseenFaces",
    "corrupt",
    "measure_averaging",
    "measure_corruptions",
    "unseen_faces",
    "views_of",
]
