"""The layers of a network as tables: for reading, for the graph, and for choosing one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard.formats import NONE

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.interpretation import LayerRow

FAMILIES = ("convolution", "dense", "normalisation", "activation", "pooling", "sum or gate", "other")
BRANCHING = ("Add", "Multiply", "Concatenate")
ACTIVATIONS = ("ReLU", "ReLU6", "SiLU", "Sigmoid", "GELU", "Hardswish", "Hardsigmoid", "Hardtanh", "Tanh", "Softmax")


def family(kind: str) -> str:
    """What a layer of a kind does, in one of FAMILIES."""
    if kind.startswith("Conv") and kind != "Concatenate":
        return "convolution"
    if kind == "Linear":
        return "dense"
    if "Norm" in kind:
        return "normalisation"
    if kind in ACTIVATIONS:
        return "activation"
    if "Pool" in kind or kind == "Mean":
        return "pooling"
    return "sum or gate" if kind in BRANCHING else "other"


def shape_text(shape: Sequence[int]) -> str:
    """(32, 48, 48) as `32 × 48 × 48`."""
    return " × ".join(f"{side:,}" for side in shape)


def layer_table(rows: Sequence["LayerRow"]) -> pd.DataFrame:
    """One row a layer, numbered from 1 in the order in which a face passes."""
    return pd.DataFrame(
        [
            {
                "number": number,
                "layer": row.kind,
                "name": row.name,
                "kernel": row.kernel or NONE,
                "output": shape_text(row.output_shape),
                "parameters": row.parameters,
                "arithmetic": row.arithmetic or NONE,
                "macs": row.macs,
                "field": row.receptive_field or None,
            }
            for number, row in enumerate(rows, start=1)
        ]
    )


def layer_labels(rows: Sequence["LayerRow"]) -> dict[str, str]:
    """Name -> what a layer is, in one line; parameters without a layer, which come last, cannot be chosen."""
    layers = [row for row in rows if row.kind != "Parameter"]
    return {
        row.name: " · ".join(
            part
            for part in (
                f"Layer {row.name} is no. {number} of {len(layers)}",  # the name itself may be a number
                row.kind,
                row.kernel,
                f"gives {shape_text(row.output_shape)}",
                f"{row.arithmetic} parameters" if row.arithmetic else "",
            )
            if part
        )
        for number, row in enumerate(layers, start=1)
    }


def strength_texts(strengths: Sequence[float]) -> list[str]:
    """Strengths (≥ 0) with the same decimals: as many as give the largest of them three digits."""
    largest = max(strengths, default=0.0)
    decimals = max(0, 2 - int(np.floor(np.log10(largest)))) if largest > 0 else 0
    return [f"{strength:.{decimals}f}" for strength in strengths]


def graph_nodes(rows: Sequence["LayerRow"]) -> pd.DataFrame:
    """One box a layer: its `place` from the left, and half its height, which grows with the side of its maps."""
    nodes = [row for row in rows if row.kind != "Parameter"]
    return pd.DataFrame(
        [
            {
                "place": place,
                "left": place + 0.1,
                "right": place + 0.9,
                "name": row.name,
                "number": place + 1,
                "kind": row.kind,
                "family": family(row.kind),
                "kernel": row.kernel or NONE,
                "output": shape_text(row.output_shape),
                "parameters": row.parameters,
                "top": _half_height(row),
                "bottom": -_half_height(row),
            }
            for place, row in enumerate(nodes)
        ]
    )


def _half_height(row: "LayerRow") -> float:
    side = row.output_shape[1] if row.is_spatial else 1
    return 0.5 + float(np.log2(side))


def graph_arcs(rows: Sequence["LayerRow"]) -> pd.DataFrame:
    """The ways that skip layers: three points each, from a layer's top over those between to where it goes in."""
    nodes = [row for row in rows if row.kind != "Parameter"]
    highest = max((_half_height(row) for row in nodes), default=1.0)
    points: list[tuple[str, int, float, float]] = []
    for place, row in enumerate(nodes):
        for source in row.inputs:
            if 0 <= source < place - 1:
                arc = f"{source}-{place}"
                peak = highest * 1.12 + 0.12 * min(place - source, 24)
                middle = (source + place) / 2 + 0.5
                points += [
                    (arc, 0, source + 0.5, _half_height(nodes[source])),
                    (arc, 1, middle, peak),
                    (arc, 2, place + 0.5, _half_height(row)),
                ]
    return pd.DataFrame(points, columns=["arc", "step", "x", "y"])


def embedding_points(points: np.ndarray, true: np.ndarray, predicted: np.ndarray, places: np.ndarray,
                     emotions: Sequence[str]) -> pd.DataFrame:  # fmt: skip
    """Test images in a plane, with their label, the prediction, and whether they agree."""
    names = np.array(emotions)
    return pd.DataFrame(
        {
            "x": points[:, 0],
            "y": points[:, 1],
            "place": places,
            "label": names[true],
            "prediction": names[predicted],
            "outcome": np.where(true == predicted, "recognised", "mistaken"),
        }
    )


def neighbours_agree(points: np.ndarray, classes: np.ndarray, neighbours: int = 10) -> float:
    """The share, in [0, 1], of the nearest `neighbours` of each point that are of its own class."""
    from scipy.spatial import cKDTree

    count = min(neighbours + 1, len(points))
    _, nearest = cKDTree(points).query(points, k=count)
    return float((classes[nearest[:, 1:]] == classes[:, None]).mean())
