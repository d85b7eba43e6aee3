"""The HTML page of a comparison: whole in one file, and every figure the runs' own."""

import re

import numpy as np
import pytest

from fer_core.errors import FerError
from fer_core.evaluation import compare_runs, evaluate_run
from fer_core.labels import EMOTIONS
from fer_core.report import comparison_report
from fer_core.report.drawings import COLORS, accuracy_svg, curves_svg
from fer_core.runs import RunStore
from fer_core.training import make_spec
from fer_core.training.ensemble import make_ensemble

N = 210


def make_finished(store, preprocessing, right, dataset="fer2013", first=0):
    """A finished run that has the first `right` of its test images right."""
    run = store.create(make_spec("linear", preprocessing, dataset=dataset, protocol="official", recipe="modern"))
    labels = np.arange(N) % len(EMOTIONS)
    called = np.where(np.arange(N) < right, labels, (labels + 1) % len(EMOTIONS))
    arrays = {}
    for split in ("valid", "test"):
        arrays |= {
            f"{split}_ids": np.array([f"{split}_{first + row}" for row in range(N)]),
            f"{split}_labels": labels,
            f"{split}_probabilities": 0.3 / 7 + 0.7 * np.eye(len(EMOTIONS))[called],
        }
    run.save_predictions(arrays)
    evaluate_run(run)
    for epoch in (1, 2):
        run.append_metrics({"epoch": epoch, "valid_accuracy": 0.2 * epoch})
    facts = {
        "parameters": 16_135,
        "trainable_parameters": 16_135,
        "train_images": 28_709,
        "image_size": 48,
        "channels": 1,
    }
    run.write_json("environment.json", facts | {"wall_s": 60.0})
    run.update_status(state="finished")
    return run


@pytest.fixture
def runs(tmp_path):
    store = RunStore(tmp_path / "runs")
    return [make_finished(store, "raw", 150), make_finished(store, "gcn", 110)]


def test_a_report_asks_nothing_of_the_outside(runs):
    page = comparison_report(runs)
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(\s*['\"]?http|\ssrc=|\shref=", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",  # names of formats, which nobody fetches
    }
    assert page.count("<svg") == 3


def test_its_figures_are_those_of_the_runs_and_of_their_test(runs):
    page = comparison_report(runs)
    (pair,) = compare_runs(runs)
    assert "<td>A − B</td><td>+19.0 points</td>" in page
    assert f"<td>{pair.only_first}</td><td>{pair.only_second}</td>" in page
    assert page.count("<td>71.4 % [") == 1
    assert page.count("<td>52.4 % [") == 1
    assert "<td>preprocessing</td><td>raw</td><td>gcn</td>" in page
    assert "Article 5(1)(f)" in page


def test_what_a_run_is_called_cannot_become_markup(runs):
    for run in runs:
        run.write_json("spec.json", run.read_json("spec.json") | {"dataset": "<b>&faces"})
        del run.spec
    page = comparison_report(runs)
    assert "<b>&faces" not in page
    assert "&lt;b&gt;&amp;faces" in page


def test_drawn_faces_are_called_no_result(runs, tmp_path):
    assert "no result" not in comparison_report(runs)
    store = RunStore(tmp_path / "drawn")
    drawn = [make_finished(store, name, 100, "synthetic") for name in ("raw", "gcn")]
    assert "this is no result" in comparison_report(drawn)


def test_runs_on_other_images_and_too_many_runs_are_refused(runs, tmp_path):
    other = make_finished(RunStore(tmp_path / "other"), "median", 100, first=1000)
    with pytest.raises(FerError, match="different images"):
        comparison_report([runs[0], other])
    with pytest.raises(FerError, match="at most 8"):
        comparison_report([runs[0]] * 9)


def test_the_command_writes_the_page(runs, tmp_path, monkeypatch, capsys):
    from fer_core.cli.app import main

    path = tmp_path / "page.html"
    names = [run.id for run in runs]
    monkeypatch.setattr(
        "sys.argv", ["fer_core", "runs", "compare", *names, "--html", str(path), "--runs", str(tmp_path / "runs")]
    )
    with pytest.raises(SystemExit):
        main()
    assert path.read_text(encoding="utf-8") == comparison_report(runs)
    assert "page.html" in capsys.readouterr().out.replace("\n", "")


def figures_in(svg):
    """The numbers that a picture shows, in its order."""
    return re.findall(r">([0-9.]+%?)</text>", svg)


def test_no_two_ticks_of_an_axis_say_the_same():
    ticks = figures_in(accuracy_svg([{"run": "A", "accuracy": 0.707, "low": 0.691, "high": 0.721}]))
    assert len(set(ticks)) == len(ticks) > 4
    rows = [{"run": "A", "fold": "", "epoch": epoch, "value": 0.68 + 0.001 * epoch} for epoch in range(1, 7)]
    ticks = figures_in(curves_svg(rows, ["A"]))
    assert len(set(ticks)) == len(ticks)
    assert [tick for tick in ticks if "%" not in tick] == ["1", "2", "3", "4", "5", "6"]


def test_a_run_keeps_its_colour_where_the_one_before_it_has_no_curve():
    svg = curves_svg([{"run": "B", "fold": "", "epoch": epoch, "value": 0.5} for epoch in (1, 2)], ["A", "B"])
    assert COLORS[1] in svg
    assert COLORS[0] not in svg


def test_an_ensemble_is_told_by_its_members_and_has_no_training(runs, tmp_path):
    store = RunStore(tmp_path / "runs")
    ensemble = make_ensemble([runs[0], make_finished(store, "median", 150)], store)
    page = comparison_report([ensemble, *runs])
    assert "raw (" in page
    assert not re.search(r"None|\{&#x27;|recipe\.|architecture_arguments|0\.0 min", page)
    assert "<td>preprocessing</td><td>–</td><td>raw</td><td>gcn</td>" in page
    assert "<td>optimizer</td>" not in page, "the two that were trained have the same"
    assert "<p>A is an ensemble: not trained, it has no curve.</p>" in page
    assert "<td>1.0 min</td>" in page, "the other run's training"


def test_calibration_is_told_before_and_after_temperature_scaling(runs):
    page = comparison_report(runs)
    test = runs[0].evaluation()["splits"]["test"]
    before, after = (f"{100 * value:.1f} %" for value in (test["ece"], test["calibrated"]["ece"]))
    assert before != after
    assert f"<td>{before}</td><td>{after}</td>" in page
    assert "<th>ECE</th><th>ECE, calibrated</th>" in page
