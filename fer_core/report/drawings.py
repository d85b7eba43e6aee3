"""The charts of a comparison as SVG, drawn without a browser."""

import json
from collections.abc import Sequence
from typing import Any

Rows = list[dict[str, Any]]
# any two stay apart for colour-blind readers, and from white (3:1)
COLORS = ("#4F5BD5", "#B08D00", "#782F32", "#489086", "#86105F", "#D8386B", "#A8390A", "#6693CE")
WIDTH = 640
SHARES = "%"  # with as many decimals as tell the ticks apart


def accuracy_svg(rows: Rows) -> str:
    """Accuracy of each run with its interval; rows have `run`, `accuracy`, `low` and `high`, shares."""
    y = {"field": "run", "type": "nominal", "sort": None, "title": None}
    x = {
        "type": "quantitative",
        "title": "test accuracy",
        "scale": {"zero": False},
        "axis": {"format": SHARES, "tickCount": 8},
    }
    span = {
        "mark": {"type": "rule", "strokeWidth": 2.5},
        "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
    }
    dot = {
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
        "encoding": {"x": {"field": "accuracy", **x}},
    }
    encoding = {"y": y, "color": _color(rows)}
    return _svg({"data": {"values": rows}, "height": {"step": 34}, "encoding": encoding, "layer": [span, dot]})


def curves_svg(rows: Rows, runs: Sequence[str]) -> str:
    """Validation accuracy over the epochs; rows have `run`, `fold`, `epoch` and `value`, a share.

    `runs` are those of the whole page: each has its colour there, though it may have no curve.
    """
    encoding = {
        "x": {
            "field": "epoch", "type": "quantitative", "title": "epoch",
            "axis": {"grid": False, "format": "d", "tickMinStep": 1, "tickCount": 10},
        },
        "y": {
            "field": "value", "type": "quantitative", "title": "validation accuracy", "scale": {"zero": False},
            "axis": {"format": SHARES},
        },
        "detail": {"field": "fold", "type": "nominal"},
        "color": _color(rows, runs),
    }  # fmt: skip
    return _svg(
        {"data": {"values": rows}, "height": 280, "mark": {"type": "line", "strokeWidth": 2}, "encoding": encoding}
    )


def emotions_svg(rows: Rows) -> str:
    """F1 of each emotion, a point for each run; rows have `run`, `emotion` and `value`, a share."""
    encoding = {
        "x": {"field": "value", "type": "quantitative", "title": "F1", "axis": {"format": SHARES, "tickCount": 10}},
        "y": {"field": "emotion", "type": "nominal", "sort": None, "title": None, "axis": {"grid": True}},
        "color": _color(rows),
        "shape": {"field": "run", "type": "nominal", "sort": None, "legend": None},
    }
    mark = {"type": "point", "filled": True, "size": 80, "opacity": 1}
    return _svg({"data": {"values": rows}, "height": {"step": 32}, "mark": mark, "encoding": encoding})


def _color(rows: Rows, runs: Sequence[str] = ()) -> dict[str, Any]:
    shown = list(dict.fromkeys(row["run"] for row in rows))
    names = runs or shown
    scale = {"domain": names, "range": [COLORS[place % len(COLORS)] for place in range(len(names))]}
    legend = {"title": None, "orient": "top", "labelLimit": 300, "values": shown}
    return {"field": "run", "type": "nominal", "sort": None, "scale": scale, "legend": legend}


def _svg(spec: dict[str, Any]) -> str:
    import vl_convert  # a JavaScript engine: only who draws waits for it

    look = {
        "background": "#FFFFFF",
        "view": {"stroke": None},
        "axis": {"labelFontSize": 12, "titleFontWeight": "normal", "gridColor": "#E1E4EA"},
    }
    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "width": WIDTH, "config": look, **spec}
    return str(vl_convert.vegalite_to_svg(json.dumps(whole)))
