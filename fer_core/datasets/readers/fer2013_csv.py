"""fer2013.csv and icml_face_data.csv: columns emotion, pixels, Usage in any order (the latter with spaces)."""

from collections.abc import Mapping

from fer_core.datasets.readers.base import TABLES, Table
from fer_core.datasets.readers.kaggle_folders import USAGES


def split_of(row: Mapping[str, str]) -> tuple[str, str]:
    """Split and id prefix by the column Usage."""
    usage = row["usage"].strip()
    if usage not in USAGES:
        raise ValueError(f"Usage is '{usage[:40]}' instead of one of {', '.join(USAGES)}")
    return USAGES[usage], usage


TABLES.add(
    "fer2013_csv",
    Table(
        "fer2013.csv or icml_face_data.csv (columns emotion, pixels, Usage)",
        20,
        frozenset({"emotion", "pixels", "usage"}),
        split_of,
    ),
)
