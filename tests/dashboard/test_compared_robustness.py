"""The Compare page's part on robustness, and the HTML report of a comparison."""

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.robustness import compared_charts as charts
from dashboard.robustness import compared_tables as tables
from dashboard.summaries import RunShelf, RunSummary
from fer_core.errors import FerError
from fer_core.report import comparison_report
from fer_core.runs import ROBUSTNESS_FILE, TTA_FILE, Run, RunStore
from tests.dashboard.robustness_reports import report, views
from tests.dashboard.runs import make_fold_run, make_run
from tests.dashboard.test_compare import hashes
from tests.dashboard.test_overview import assert_sound, texts
from tests.dashboard.tested_runs import make_tested

Open = Callable[..., AppTest]
STEADY, BETTER = "A · linear", "B · mini_xception"
TWO = {STEADY: report(400, 400, clean=0.4, noise=0.0), BETTER: report(400, 400, clean=0.8, noise=0.04)}


@pytest.fixture
def three(store: RunStore) -> list[Run]:
    """Runs on the same faces, the last without weights."""
    accuracies = {"raw": 0.5, "gcn": 0.6, "hist_eq": 0.7}
    runs = [make_tested(store, preprocessing=name, accuracy=share) for name, share in accuracies.items()]
    for run in runs[:2]:
        (run.path / "weights.safetensors").write_bytes(b"")
    return runs


def summaries(store: RunStore, *runs: Run) -> list[RunSummary]:
    found = {summary.id: summary for summary in RunShelf().read(store)}
    return [found[run.id] for run in runs]


def links(app: AppTest) -> list[str]:
    return [getattr(button, "label", "") for button in app.get("download_button")]


def test_lines_begin_with_the_untouched_accuracy_and_the_first_are_the_mean_of_all() -> None:
    lines = tables.lines(TWO)
    assert len(lines) == 2 * 3 * 6
    assert list(dict.fromkeys(lines["corruption"])) == [tables.MEAN, "noise", "blur"]
    mine = lines[lines["run"] == BETTER].set_index(["corruption", "severity"])
    assert mine.loc[("noise", 0), "accuracy"] == pytest.approx(80)
    assert mine.loc[("noise", 5), "accuracy"] == pytest.approx(60)
    assert mine.loc[("blur", 5), "accuracy"] == pytest.approx(55)
    assert mine.loc[(tables.MEAN, 5), "accuracy"] == pytest.approx(57.5)
    assert mine.loc[("noise", 5), "kept"] == pytest.approx(75)
    assert mine.loc[("noise", 5), "low"] == pytest.approx(55)
    assert pd.isna(mine.loc[(tables.MEAN, 5), "low"])


def test_runs_are_ranked_by_what_is_left_and_the_loss_is_relative_to_each_run_s_own() -> None:
    table = tables.ranking(TWO)
    assert list(table["run"]) == [BETTER, STEADY]
    best = table.iloc[0]
    assert (best["corrupted"], best["lost"]) == (pytest.approx(66.5), pytest.approx(-13.5))
    assert best["relative"] == pytest.approx(-100 * 13.5 / 80)
    assert (best["noise"], best["blur"]) == (pytest.approx(68), pytest.approx(65))
    assert tables.corruptions(table) == ["noise", "blur"]
    assert tables.finding(table).replace("\N{NO-BREAK SPACE}", " ") == (
        "On worse pictures B · mini_xception recognises most: 66.5 %, and keeps most of what it recognises untouched"
    )
    poorer = tables.ranking(TWO | {BETTER: report(400, 400, clean=0.8, noise=0.15)})
    assert tables.finding(poorer).endswith("; A keeps most of its own (81\N{NO-BREAK SPACE}%)")


def test_a_mean_on_other_images_is_said_to_be_one() -> None:
    assert tables.note(TWO, is_same=True) == "All 400 test images. 2 corruptions in five severities each."
    trials = {name: each | {"images": 200} for name, each in TWO.items()}
    assert tables.note(trials, is_same=True).startswith("A trial on 200 of 400 test images")
    mixed = tables.note(TWO | {STEADY: trials[STEADY] | {"fold": "2"}}, is_same=False)
    assert "Not measured on the same test images (A on 200 of 400 of fold 2, B on 400 of 400)" in mixed


def test_all_panels_have_one_scale_and_the_runs_their_colours() -> None:
    names = [STEADY, BETTER, "C · not measured"]
    lines = tables.lines(TWO)
    ends = charts.axis_ends(lines, "accuracy")
    assert ends[0] < 0.15
    assert ends[1] > 0.8
    spec = charts.panel(lines[lines["corruption"] == "blur"], names, "accuracy", ends).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rule", "line", "point"]
    assert spec["layer"][1]["encoding"]["color"]["scale"]["domain"] == names
    sheet = charts.sheet(lines, names, "kept").to_dict()
    assert [panel["title"] for panel in sheet["concat"]] == ["All corruptions", "Noise", "Blur"]
    domains = {tuple(panel["layer"][1]["encoding"]["y"]["scale"]["domain"]) for panel in sheet["concat"]}
    assert domains == {charts.axis_ends(lines, "kept")}
    marks = [layer["mark"]["type"] for layer in charts.losses(tables.ranking(TWO), names).to_dict()["layer"]]
    assert marks == ["rule", "point", "point", "text", "text"]


def test_measured_runs_are_laid_over_each_other_and_the_others_named_with_their_command(
    three: list[Run], open_page: Open
) -> None:
    three[0].write_json(ROBUSTNESS_FILE, report(200, 200, clean=0.5))
    three[0].write_json(TTA_FILE, views())
    app = open_page("compare", runs=hashes(*three), view="Robustness", severity_height="Share of untouched")
    assert_sound(app)
    shown = texts(app)
    assert "On worse pictures A · raw recognises 39.5" in shown
    assert "All 200 test images" in shown
    assert "Not measured on worse pictures: B." in shown
    assert "C cannot be measured on worse pictures: it has no weights here" in shown
    assert "Averaging over ten crops, five mirrored helps A most: +2.5 points" in shown
    (first, second) = [each.value for each in app.code]
    assert first.endswith(f"fer_core evaluate {three[1].id} --corruptions")
    assert second.endswith(f"fer_core evaluate {three[1].id} --tta ten_crop")
    assert app.query_params["severity_height"] == "Share of untouched"
    (table,) = [each.value for each in app.dataframe if "relative" in each.value.columns]
    assert table["relative"].iloc[0] == pytest.approx(-21)
    assert len(app.get("vega_lite_chart")) == 4


def test_equally_many_other_images_are_not_called_the_same(store: RunStore, open_page: Open) -> None:
    runs = [make_tested(store, preprocessing="raw"), make_tested(store, preprocessing="gcn", first=50)]
    for run in runs:
        run.write_json(ROBUSTNESS_FILE, report(200, 200))
    app = open_page("compare", runs=hashes(*runs), view="Robustness")
    assert_sound(app)
    assert "Not measured on the same test images (A on 200 of 200, B on 200 of 200)" in texts(app)
    assert "All 200 test images" not in texts(app)


def test_the_folds_of_the_weights_are_measured_and_told_apart(store: RunStore) -> None:
    runs = summaries(store, *(make_fold_run(store, n=200, folds=2, seed=seed) for seed in (0, 1)))
    first, second = (report(100, 100) | {"fold": fold} for fold in ("1", "2"))
    assert cache.measured_on(runs[0], first) == cache.measured_on(runs[1], first)
    assert cache.measured_on(runs[0], first) != cache.measured_on(runs[1], second)
    assert cache.measured_on(runs[0], first) != cache.measured_on(runs[0], first | {"images": 50})


def test_where_none_is_measured_all_commands_are_given(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three[:2]), view="Robustness")
    assert_sound(app)
    assert "None of these runs is measured yet" in texts(app)
    (commands,) = [each.value for each in app.code]
    assert [line.split()[-2:] for line in commands.splitlines()] == [[run.id, "--corruptions"] for run in three[:2]]


def test_a_damaged_measurement_is_said_and_the_other_runs_are_shown(three: list[Run], open_page: Open) -> None:
    three[0].write_json(ROBUSTNESS_FILE, report(200, 200))
    three[1].write_json(ROBUSTNESS_FILE, {"clean": 1})
    app = open_page("compare", runs=hashes(*three[:2]), view="Robustness")
    assert not app.exception
    assert ["delete it and measure again" in each.value for each in app.error] == [True]
    assert "On worse pictures A · raw recognises" in texts(app)


def test_the_page_s_report_is_that_of_the_command_line_and_made_when_it_is_asked_for(
    store: RunStore, three: list[Run], open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache.comparison_report(summaries(store, *three)).decode() == comparison_report(three)
    monkeypatch.setattr("fer_core.report.comparison_report", lambda runs: pytest.fail("drawn without a click"))
    app = open_page("compare", runs=hashes(*three))
    assert_sound(app)
    assert "HTML report" in links(app)


def test_where_a_report_is_impossible_the_page_says_why(store: RunStore, open_page: Open) -> None:
    others = [make_tested(store, preprocessing="raw"), make_tested(store, preprocessing="gcn", first=50)]
    again = [make_fold_run(store, n=200, folds=2, repetitions=2, epochs=epochs) for epochs in (10, 20)]
    with pytest.raises(FerError, match="several times over"):
        comparison_report(again)
    assert cache.report_obstacle(summaries(store, *again)) == cache.report_obstacle(summaries(store, *others))
    app = open_page("compare", runs=hashes(*others))
    assert_sound(app)
    assert "An HTML report compares runs that were tested once each on the very same images" in texts(app)
    assert "HTML report" not in links(app)


def test_the_leaderboard_offers_accuracy_under_corruption_once_a_run_has_it(store: RunStore, open_page: Open) -> None:
    measured, other = make_run(store, n=200), make_run(store, preprocessing="gcn", n=200)
    measured.write_json(ROBUSTNESS_FILE, report(200, 200))
    app = open_page("leaderboard", map="Accuracy under corruption", figures="Accuracy under corruption")
    assert_sound(app)
    assert "Accuracy under corruption: mini_xception with raw leads with 49.5" in texts(app)
    table = app.dataframe[0].value.set_index("id")
    assert table.loc[measured.id, "corrupted"] == pytest.approx(49.5)
    assert pd.isna(table.loc[other.id, "corrupted"])
