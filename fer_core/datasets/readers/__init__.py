"""Readers, one file per source format; a new file in this folder registers itself."""

from fer_core.datasets.readers.base import LAYOUTS, SPLITS, TABLES, Layout, Place, Table
from fer_core.registry import import_submodules

__all__ = ["LAYOUTS", "SPLITS", "TABLES", "Layout", "Place", "Table", "known_formats"]

import_submodules(__name__, list(__path__))


def known_formats() -> str:
    """All formats in words, for the message about a source that is none of them."""
    formats: list[Layout | Table] = [*map(LAYOUTS.get, LAYOUTS.names()), *map(TABLES.get, TABLES.names())]
    return "; ".join(each.description for each in sorted(formats, key=lambda each: -each.specificity))
