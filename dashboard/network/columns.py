"""Columns of the Network page's tables."""

from typing import Any

from streamlit import column_config as column


def layers() -> dict[str, Any]:
    """Columns of `tables.layer_table`."""
    return {
        "number": column.NumberColumn("#", format="%d", pinned=True, width=50),
        "layer": column.TextColumn("Layer"),
        "name": column.TextColumn(
            "Name", help="As the saved weights call it; functions between layers after the last."
        ),
        "kernel": column.TextColumn("Kernel", width=190),
        "output": column.TextColumn("Output shape", alignment="right", help="Channels × height × width."),
        "parameters": column.NumberColumn("Parameters", format="%,d"),
        "arithmetic": column.TextColumn("Arithmetic"),
        "macs": column.NumberColumn("Multiplications", format="%,d", help="With weights, for a face."),
        "field": column.NumberColumn("Receptive field (px)", format="%d", help="At most the side of the face."),
    }
