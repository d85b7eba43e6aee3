"""Charts and the tables that feed them."""

import json
import re
import tomllib
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from dashboard import charts, tables, theme
from dashboard.compare import matrices
from dashboard.summaries import summarize
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.palette import EMOTION_COLORS, contrast, ink_on
from fer_core.runs import RunStore
from fer_core.training.optimization import Progress
from tests.dashboard.runs import make_fold_run, make_spec

CONFIG = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text())
MATRIX = np.diag([6, 1, 5, 20, 9, 8, 11]) + np.eye(7, k=1, dtype=int) * 2


def evaluation(matrix: np.ndarray = MATRIX) -> dict[str, object]:
    rows = matrix.sum(axis=1)
    per_class = [
        {"emotion": emotion, "precision": 0.5, "recall": 0.25, "f1": 0.1 * index, "specificity": 1, "support": int(n)}
        for index, (emotion, n) in enumerate(zip(EMOTIONS, rows, strict=True), start=1)
    ]
    test = {"confusion_matrix": matrix.tolist(), "per_class": per_class}
    return {"emotions": list(EMOTIONS), "splits": {"test": test}}


def epochs(number: int) -> pd.DataFrame:
    return tables.curves(
        [
            {
                "epoch": epoch,
                "train_loss": 2 - epoch / 10,
                "valid_loss": 2 - epoch / 20,
                "train_accuracy": epoch / 10,
                "valid_accuracy": 0.5 - abs(epoch - 3) / 10,
                "learning_rate": 1e-3,
            }
            for epoch in range(1, number + 1)
        ]
    )


def drawn(chart: alt.Chart | alt.LayerChart) -> dict[str, object]:
    """The chart's specification, checked against Vega-Lite's schema."""
    return chart.to_dict()


@given(st.integers(0, 0xFFFFFF))
def test_text_on_any_colour_has_a_contrast_of_at_least_four_and_a_half(color: int) -> None:
    background = f"#{color:06X}"
    assert contrast(background, ink_on(background)) >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_the_text_of_a_cell_is_the_better_of_white_and_black_on_its_own_fill() -> None:
    chart = json.dumps(drawn(matrices.confusion_heatmap(tables.confusion_cells(evaluation()), "row")))
    assert (
        "contrast(scale('color', datum['row']), '#FFFFFF') >= contrast(scale('color', datum['row']), '#000000')"
        in chart
    )


def test_every_emotion_has_its_one_colour() -> None:
    assert tuple(EMOTION_COLORS) == EMOTIONS
    assert EMOTION_COLORS["happy"] == "#E69F00"
    chart = drawn(charts.emotion_bars(tables.f1_bars(tables.per_class(evaluation())), "F1"))
    scales = re.findall(r'"domain": (\[[^]]*\]), "range": (\[[^]]*\])', json.dumps(chart))
    assert [dict(zip(*map(json.loads, scale), strict=True)) for scale in scales] == [EMOTION_COLORS]


def test_the_shares_of_the_confusion_matrix_are_of_rows_and_columns() -> None:
    cells = tables.confusion_cells(evaluation())
    by_row = cells.pivot(index="true", columns="predicted", values="row")
    by_column = cells.pivot(index="true", columns="predicted", values="column")
    assert np.allclose(by_row.sum(axis=1), 1)
    assert np.allclose(by_column.sum(axis=0), 1)
    assert by_row.loc["angry", "disgust"] == pytest.approx(2 / 8)
    assert by_column.loc["angry", "disgust"] == pytest.approx(2 / 3)


def test_an_emotion_that_was_not_tested_has_shares_of_zero() -> None:
    matrix = MATRIX.copy()
    matrix[1] = 0
    cells = tables.confusion_cells(evaluation(matrix))
    assert not cells["row"].isna().any()
    assert set(cells.loc[cells["true"] == "disgust", "row"]) == {0}


@pytest.mark.parametrize("matrix", [[], [[1]], [[1, 2], [3]]])
def test_a_matrix_of_another_shape_is_an_error_with_a_sentence(matrix: list[list[int]]) -> None:
    broken = evaluation()
    broken["splits"]["test"]["confusion_matrix"] = matrix  # type: ignore[index]
    with pytest.raises(FerError, match="no confusion matrix of its 7 emotions"):
        tables.confusion_cells(broken)


def test_the_finding_names_the_worst_confusion_and_the_hardest_emotion() -> None:
    assert tables.worst_confusion(tables.confusion_cells(evaluation())).startswith(
        "Most often, disgust is taken for fear: 67"
    )
    assert tables.weakest_class(tables.per_class(evaluation())).startswith("Hardest is angry: F1 of 10.0")
    perfect = tables.confusion_cells(evaluation(np.eye(7, dtype=int)))
    assert tables.worst_confusion(perfect) == "No face was taken for another emotion"


@pytest.mark.parametrize("shown", ["count", "row", "column"])
def test_the_matrix_keeps_the_order_of_the_emotions_on_both_axes(shown: charts.CellValue) -> None:
    chart = json.dumps(drawn(matrices.confusion_heatmap(tables.confusion_cells(evaluation()), shown)))
    assert chart.count(f'"sort": {json.dumps(list(EMOTIONS))}') == 6  # x and y of tiles, texts and frame


def test_a_large_loss_is_a_plain_number() -> None:
    data = epochs(5).assign(train_loss=np.linspace(91.0, 37.2, 5), valid_loss=60.0)
    svg = vl_convert.vegalite_to_svg(charts.learning_curves(data, "loss", tables.best_epochs(data)).to_json())
    shown = re.findall(r">([^<>]+)</text>", svg)
    assert "60" in shown
    assert not [text for text in shown if re.fullmatch(r"[0-9.]+e[+-]?[0-9]+", text)]


@pytest.mark.parametrize("number", [1, 2, 12])
@pytest.mark.parametrize("measure", ["loss", "accuracy"])
def test_curves_are_drawn_from_the_first_epoch_on(number: int, measure: charts.Measure) -> None:
    data = epochs(number)
    best = tables.best_epochs(data)
    assert list(best["epoch"]) == [min(number, 3)]
    chart = json.dumps(drawn(charts.learning_curves(data, measure, best)))
    assert f"best epoch {min(number, 3)}" in chart
    assert '"strokeDash"' in chart
    drawn(charts.learning_rate_curve(data))


def test_the_label_of_the_best_epoch_is_above_the_plot_where_no_line_is() -> None:
    data = epochs(4).assign(train_loss=1.0, valid_loss=1.0)
    for measure in ("loss", "accuracy"):
        *_, label = drawn(charts.learning_curves(data, measure, tables.best_epochs(data)))["layer"]
        assert label["mark"]["text"] == "best epoch 3"
        assert label["encoding"]["y"]["value"] < 0
        assert label["mark"]["baseline"] == "bottom"


def test_no_two_ticks_of_close_accuracies_say_the_same() -> None:
    data = epochs(4).assign(train_accuracy=0.68, valid_accuracy=np.linspace(0.68, 0.686, 4))
    svg = vl_convert.vegalite_to_svg(charts.learning_curves(data, "accuracy", tables.best_epochs(data)).to_json())
    ticks = re.findall(r">([0-9.]+).%</text>", svg)
    assert len(set(ticks)) == len(ticks) > 2


def test_curves_without_a_known_best_epoch_mark_none() -> None:
    data = epochs(4)
    assert "best epoch" not in json.dumps(drawn(charts.learning_curves(data, "loss", tables.best_epochs(data, 99))))


def folded(number: int, lengths: list[int]) -> pd.DataFrame:
    parts = [epochs(length).assign(fold=str(fold)) for fold, length in enumerate(lengths[:number], start=1)]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("measure", ["loss", "accuracy"])
def test_folds_have_a_line_and_a_best_epoch_each(measure: charts.Measure) -> None:
    data = folded(3, [5, 2, 5])
    best = tables.best_epochs(data, known=4)
    assert list(best["fold"]) == ["1", "2", "3"]
    assert list(best["epoch"]) == [3, 2, 3], "the known epoch is that of one fold"
    chart = drawn(charts.learning_curves(data, measure, best))
    assert chart["layer"][0]["encoding"]["detail"]["field"] == "fold"
    points = chart["datasets"][chart["layer"][2]["data"]["name"]]
    assert [(point["fold"], point["epoch"]) for point in points] == [("1", 3), ("2", 2), ("3", 3)]
    assert "best epoch 3" not in json.dumps(chart)


def test_the_tooltip_of_folds_has_their_mean_and_how_many_reached_the_epoch() -> None:
    data = folded(2, [4, 2])
    chart = drawn(charts.learning_curves(data, "accuracy", tables.best_epochs(data)))
    rows = {row["epoch"]: row for row in chart["datasets"][chart["layer"][1]["data"]["name"]]}
    assert [rows[epoch]["folds"] for epoch in (1, 2, 3, 4)] == [2, 2, 1, 1]
    assert rows[1]["training"] == pytest.approx(0.1)
    assert rows[1]["lowest"] == rows[1]["highest"] == pytest.approx(0.3)


def test_the_title_of_a_curve_of_folds_is_their_mean() -> None:
    best = tables.best_epochs(folded(2, [5, 2]))
    assert tables.curve_title(best, "accuracy") == (
        "Validation accuracy 45.0\N{NO-BREAK SPACE}% at the best epochs of 2 folds"
    )


def test_the_title_of_a_curve_is_the_value_at_the_best_epoch() -> None:
    best = tables.best_epochs(epochs(5))
    assert tables.curve_title(best, "accuracy") == "Validation accuracy 50.0\N{NO-BREAK SPACE}% at epoch 3"
    assert tables.curve_title(best, "loss") == "Validation loss 1.850 at epoch 3"
    assert tables.curve_title(tables.best_epochs(epochs(5), 99), "loss") == "Loss over the epochs"


def test_metrics_of_a_foreign_run_may_lack_columns_and_epochs() -> None:
    data = tables.curves([{"epoch": 1, "train_loss": 1.0}, {"train_loss": 0.9}])
    assert len(data) == 1
    best = tables.best_epochs(data)
    assert best.empty
    drawn(charts.learning_curves(data, "accuracy", best))


@pytest.mark.parametrize("accuracies", [[0.5], [0.5, 0.5], [0.2, 0.7]])
def test_the_map_has_a_colour_scale_of_some_width(accuracies: list[float]) -> None:
    cells = pd.DataFrame(
        {
            "architecture": "linear",
            "preprocessing": [f"p{number}" for number in range(len(accuracies))],
            "accuracy": accuracies,
            "shown": "x",
            "interval": "x",
            "n": 10,
            "runs": 1,
            "mean": "x",
            "id": "x",
        }
    )
    chart = json.dumps(drawn(charts.accuracy_heatmap(cells)))
    (domain,) = {tuple(json.loads(found)) for found in re.findall(r'"scale": {"domain": (\[[^]]*\])}', chart)}
    assert domain[0] < domain[1]
    assert domain[0] <= min(accuracies)
    assert domain[1] >= max(accuracies)


@pytest.mark.parametrize(("width", "text", "size"), [(900, "68.3\N{NO-BREAK SPACE}%", 15), (240, "68.3", 9)])
def test_the_figures_of_a_map_fit_their_cells(width: int, text: str, size: int) -> None:
    shown = "68.3\N{NO-BREAK SPACE}%"
    same = {"shown": shown, "interval": "x", "n": 10, "runs": 1, "mean": "x", "id": "x"}
    names = [f"p{number}" for number in range(10)]
    cells = pd.DataFrame({"architecture": "linear", "preprocessing": names, "accuracy": 0.683, **same})
    chart = charts.accuracy_heatmap(cells).properties(width=width)
    svg = vl_convert.vegalite_to_svg(chart.to_json())
    figures = re.findall(r'font-size="([0-9.]+)px"[^>]*>(68[^<]*)<', svg)
    assert len(figures) == 10
    assert {(round(float(pixels)), figure) for pixels, figure in figures} == {(size, text)}
    assert 0.6 * len(text) * size < width / 10


def test_a_json_object_becomes_tables_of_text() -> None:
    found = tables.key_values(
        {"seed": 0, "emotions": ["sad", "happy"], "init_from": "", "recipe": {"l2": 0.5}, "x": {}}
    )
    assert list(found) == ["", "recipe"]
    assert found[""].values.tolist() == [["seed", "0"], ["emotions", "sad, happy"], ["starts from", "–"]]


def test_charts_know_no_streamlit() -> None:
    assert "streamlit" not in Path(charts.__file__).read_text().lower().replace("no streamlit here", "")


def saved(chart: charts.Drawn, kind: charts.PictureKind, monkeypatch: pytest.MonkeyPatch, scheme: str) -> bytes:
    """What the buttons below a chart save for somebody whose page is light or dark."""
    monkeypatch.setattr(theme, "scheme", lambda: scheme)
    return charts.picture(chart, kind, theme.chart_config())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_a_chart_is_saved_as_a_picture_with_its_marks(
    kind: charts.PictureKind, start: bytes, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = pd.DataFrame({"emotion": list(EMOTIONS), "probability": [1 / 7] * 7, "probability_text": ["14.3 %"] * 7})
    content = saved(charts.emotion_bars(bars, "probability"), kind, monkeypatch, scheme)
    assert content.startswith(start)
    if kind == "svg":
        assert all(color.lower() in content.decode().lower() for color in EMOTION_COLORS.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_saved_chart_has_the_colours_of_the_page_that_it_stands_on(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = CONFIG["theme"][scheme]
    best = tables.best_epochs(epochs(5), 3)
    content = saved(charts.learning_curves(epochs(5), "loss", best), "svg", monkeypatch, scheme).decode().upper()
    assert look["backgroundColor"] in content
    assert all(color.upper() in content for color in look["chartCategoricalColors"][:2])
    assert "#4C78A8" not in content, "Vega's own first colour"
    ground, greys = look["backgroundColor"], theme.AXIS_GREYS[scheme]
    assert contrast(greys[0], ground) > 3 > contrast(greys[1], ground), "labels are read, the grid stays behind"


def test_learning_rates_are_plain_numbers() -> None:
    data = epochs(3).assign(learning_rate=[1.5e-3, 8e-4, 0.0])
    svg = vl_convert.vegalite_to_svg(charts.learning_rate_curve(data).to_json())
    assert ">0.0014</text>" in svg
    assert not re.search(r">\d\S*e[+−-]\d+</text>", svg)


def test_a_picture_is_as_wide_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = charts.learning_rate_curve(epochs(5))
    content = charts.picture(chart, "svg", theme.chart_config(), 500).decode()
    assert re.search(r'<svg[^>]* width="500"', content)


def test_an_axis_of_percent_reads_as_the_text_does():
    shown = charts.number_axis(format=".0%", tickCount=4).to_dict()
    assert shown["labelExpr"] == "replace(datum.label, '%', '\u00a0%')"
    assert "labelExpr" not in charts.number_axis(format="d").to_dict()


def test_of_equally_accurate_epochs_the_one_of_the_lower_loss_is_best_as_in_training() -> None:
    data = folded(2, [5, 5])
    data["valid_accuracy"] = 0.5
    data["valid_loss"] = [3.0, 1.0, 2.0, 4.0, 5.0, 2.0, 2.0, 3.0, 4.0, 5.0]
    assert list(tables.best_epochs(data)["epoch"]) == [2, 1]
    progress = Progress()
    for epoch, loss in enumerate(data["valid_loss"][:5], start=1):
        progress = progress.after(epoch, 0.5, loss, make_spec().recipe)
    assert progress.best_epoch == 2


def test_what_repeated_folds_predict_is_not_called_faces(store: RunStore) -> None:
    once, often = (make_fold_run(store, n=400, folds=2, repetitions=number, seed=number) for number in (1, 3))
    counts = [tables.what_counts(summarize(run, ())) for run in (once, often)]
    assert counts == ["faces", "predictions"]
    assert tables.weakest_class(tables.per_class(often.evaluation()), counts[1]).endswith(" predictions")
