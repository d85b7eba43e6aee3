"""The Run page's part on robustness, and its model card."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.robustness import charts, tables
from dashboard.summaries import RunShelf
from fer_core.runs import ROBUSTNESS_FILE, TTA_FILE, RunStore
from tests.dashboard.robustness_reports import report, views
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, texts

Open = Callable[..., AppTest]


def test_steps_are_in_percent_with_the_points_lost_on_the_same_images() -> None:
    table = tables.steps(report())
    assert len(table) == 10
    last = table[(table["corruption"] == "blur") & (table["severity"] == 5)].iloc[0]
    assert last["accuracy"] == pytest.approx(35)
    assert last["loss"] == pytest.approx(25)
    assert (last["low"], last["high"]) == (pytest.approx(30), pytest.approx(40))


def test_the_most_harmful_corruption_stands_first() -> None:
    table = tables.side_by_side(tables.steps(report()))
    assert list(table["corruption"]) == ["blur", "noise"]
    assert list(table.columns) == ["corruption", "mean", *(f"severity {number}" for number in range(1, 6))]
    assert table["mean"].iloc[0] == pytest.approx(45)
    assert tables.finding(report()).endswith("blur harms most")


def test_a_trial_says_that_it_is_one() -> None:
    assert tables.subject(report(200, 400)) == "A trial on 200 of 400 test images, evenly drawn."
    assert tables.subject(report(400, 400)) == "All 400 test images."
    assert tables.subject(report(400, 400) | {"fold": "2"}) == "All 400 test images of fold 2."


def test_the_chart_has_a_line_for_each_corruption_and_the_clean_level() -> None:
    spec = charts.severity_lines(tables.steps(report()), 0.6).to_dict()
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert marks == ["rule", "text", "line", "point"]
    assert spec["layer"][2]["encoding"]["color"]["scale"]["domain"] == ["noise", "blur"]


def test_an_unmeasured_run_names_the_command(store: RunStore, open_page: Open) -> None:
    run = make_run(store, weights=True, architecture="linear")
    app = open_page("run")
    assert_sound(app)
    commands = [each.value for each in app.code]
    assert any(command.endswith(f"evaluate {run.id} --corruptions") for command in commands)
    assert any(command.endswith(f"evaluate {run.id} --tta ten_crop") for command in commands)


def test_a_run_without_weights_says_that_it_cannot_be_measured(store: RunStore, open_page: Open) -> None:
    make_run(store)
    app = open_page("run")
    assert_sound(app)
    assert "cannot be: this run has no weights here" in texts(app)
    assert not any("--corruptions" in each.value for each in app.code)


def test_measured_figures_are_drawn_and_listed(store: RunStore, open_page: Open) -> None:
    run = make_run(store)
    run.write_json(ROBUSTNESS_FILE, report())
    run.write_json(TTA_FILE, views())
    app = open_page("run")
    assert_sound(app)
    shown = texts(app)
    assert "blur harms most" in shown
    assert "A trial on 200 of 400 test images" in shown
    assert "Ten crops together recognise 62.5" in shown
    listed = [each.value for each in app.dataframe]
    assert any("severity 5" in table.columns for table in listed)
    assert any("gain" in table.columns and table["gain"].iloc[1] == pytest.approx(2.5) for table in listed)


def test_a_damaged_measurement_is_told_and_the_rest_of_the_page_stays(store: RunStore, open_page: Open) -> None:
    run = make_run(store)
    (run.path / ROBUSTNESS_FILE).write_text("{}")
    app = open_page("run")
    assert not app.exception
    assert any("delete it and measure again" in each.value for each in app.error)
    assert any("support" in each.value.columns for each in app.dataframe)


def test_the_model_card_of_the_page_is_that_of_the_command(store: RunStore, open_page: Open) -> None:
    from fer_core.report import model_card

    run = make_run(store, n=100)
    (summary,) = RunShelf().read(store)
    assert cache.model_card(summary).decode() == model_card(run)
    app = open_page("run")
    assert "Model card" in [getattr(button, "label", "") for button in app.get("download_button")]
