"""A comparison of runs as one HTML file that asks nothing of the outside: tables, and charts as SVG inside."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from fer_core.architectures.ensemble import NAME as ENSEMBLE
from fer_core.errors import FerError
from fer_core.evaluation import Comparison, compare_runs, differing
from fer_core.report import drawings
from fer_core.report.files import write_whole
from fer_core.report.markdown import NONE, number, percent, with_interval
from fer_core.runs import Run

MOST_RUNS = 8
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1d24; background: #fff; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; }
p, li { max-width: 46rem; } .wide { overflow-x: auto; } svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #e1e4ea; text-align: right; }
th:first-child, td:first-child { text-align: left; } th { background: #f4f5f8; font-weight: 600; }
.warning { border-left: 4px solid #a8390a; padding-left: .8rem; } code { font-size: .9em; overflow-wrap: anywhere; }
"""
LAW = (
    "Regulation (EU) 2024/1689 (the EU AI Act), Article 5(1)(f), forbids AI systems that infer the emotions of people "
    "at the workplace and in education institutions, except for medical or safety reasons."
)


def comparison_report(runs: Sequence[Run]) -> str:
    """The page of 2 to 8 finished runs that were tested on the same images; raises FerError for any others."""
    if len(runs) > MOST_RUNS:
        raise FerError(f"a report compares at most {MOST_RUNS} runs, got {len(runs)}")
    pairs = compare_runs(runs)
    letters = {run.id: chr(ord("A") + place) for place, run in enumerate(runs)}
    synthetic = any(run.spec.dataset == "synthetic" for run in runs)
    warning = '<p class="warning">Trained and tested on drawn faces: this is no result.</p>' if synthetic else ""
    parts = {
        "Runs": warning + _runs(runs, letters) + drawings.accuracy_svg(_accuracies(runs, letters)),
        "What differs": _differing(runs, letters),
        "Which differences are real": _pairs(pairs, letters),
        "Learning curves": _curves(runs, letters),
        "Per emotion": drawings.emotions_svg(_emotions(runs, letters)) + _f1(runs, letters),
        "Confusion matrices": "".join(_confusion(run, letters[run.id]) for run in runs),
        "Use": f"<p>{escape(LAW)}</p>",
    }
    body = "".join(f"<h2>{title}</h2>{content}" for title, content in parts.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>Comparison of {len(runs)} runs</title><style>{STYLE}</style></head>'
        f"<body><h1>Comparison of {len(runs)} runs</h1>{body}</body></html>\n"
    )


def write_comparison(runs: Sequence[Run], path: Path) -> Path:
    """Write the page to `path`, whole or not at all."""
    return write_whole(path, comparison_report(runs), "report")


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(str(each))}</th>" for each in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(each))}</td>" for each in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _test(run: Run) -> dict[str, Any]:
    test: dict[str, Any] = run.evaluation()["splits"]["test"]
    return test


def _runs(runs: Sequence[Run], letters: dict[str, str]) -> str:
    names = "".join(f"<li><b>{letters[run.id]}</b> <code>{escape(run.id)}</code></li>" for run in runs)
    rows = []
    for run in runs:
        test, environment = _test(run), run.environment()
        seconds = None if _is_ensemble(run) else environment.get("wall_s")  # that was spent on averaging alone
        rows.append(
            (
                letters[run.id],
                with_interval(test["accuracy"], test["accuracy_interval"]),
                with_interval(test.get("clean_accuracy"), test.get("clean_accuracy_interval")),
                *(percent(test[key]) for key in ("balanced_accuracy", "macro_f1")),
                percent(test["ece"]),
                percent(test["calibrated"]["ece"]),
                number(environment.get("parameters")),
                NONE if seconds is None else f"{seconds / 60:.1f} min",
            )
        )
    columns = (
        *("run", "accuracy [95 %]", "clean [95 %]", "balanced", "macro-F1"),
        *("ECE", "ECE, calibrated", "parameters", "training"),
    )
    first = runs[0].spec
    told = (
        f"<p>{_test(runs[0])['n']:,} test images of {escape(first.dataset)}, protocol {escape(first.protocol)}. "
        "<i>Clean</i> are the images that have no exact copy in training. ECE, the expected calibration error, is how "
        "far confidence and accuracy are apart; <i>calibrated</i> is after temperature scaling.</p>"
    )
    return f"<ul>{names}</ul>{told}{_table(columns, rows)}"


def _is_ensemble(run: Run) -> bool:
    return run.spec.architecture == ENSEMBLE


def _accuracies(runs: Sequence[Run], letters: dict[str, str]) -> drawings.Rows:
    tests = {run.id: _test(run) for run in runs}
    return [
        {
            "run": letters[name], "accuracy": test["accuracy"],
            "low": test["accuracy_interval"][0], "high": test["accuracy_interval"][1],
        }
        for name, test in tests.items()
    ]  # fmt: skip


def _differing(runs: Sequence[Run], letters: dict[str, str]) -> str:
    rows = differing([run.spec for run in runs])
    return _table(("", *letters.values()), rows) if rows else "<p>Nothing that a specification says.</p>"


def _pairs(pairs: Sequence[Comparison], letters: dict[str, str]) -> str:
    rows = [
        (
            f"{letters[pair.first]} − {letters[pair.second]}",
            f"{100 * pair.difference:+.1f} points".replace("-", "−"),
            f"{100 * pair.interval[0]:+.1f} … {100 * pair.interval[1]:+.1f}".replace("-", "−"),
            pair.only_first,
            pair.only_second,
            percent(pair.agreement),
            f"{pair.adjusted:.2g}",
            "yes" if pair.is_real else "no",
        )
        for pair in pairs
    ]
    columns = ("pair", "difference", "95 %", "first alone right", "second alone right", "same answer", "p", "real")
    told = (
        f"<p>McNemar's exact test on {pairs[0].n:,} images; p is after Holm's correction over the number of pairs, "
        f"{len(pairs)}; a difference is called real where p &lt; 0.05.</p>"
    )
    return told + _table(columns, rows)


def _curves(runs: Sequence[Run], letters: dict[str, str]) -> str:
    rows = [
        {"run": letters[run.id], "fold": each.get("fold", ""), "epoch": each["epoch"], "value": each["valid_accuracy"]}
        for run in runs
        for each in run.metrics()
        if each.get("valid_accuracy") is not None
    ]
    drawn = {row["run"] for row in rows}
    absent = [run for run in runs if letters[run.id] not in drawn]
    chart = drawings.curves_svg(rows, list(letters.values())) if rows else ""
    return chart + "".join(f"<p>{letters[run.id]} {_without_curve(run)}</p>" for run in absent)


def _without_curve(run: Run) -> str:
    return "is an ensemble: not trained, it has no curve." if _is_ensemble(run) else "has no recorded epochs."


def _emotions(runs: Sequence[Run], letters: dict[str, str]) -> drawings.Rows:
    return [
        {"run": letters[run.id], "emotion": each["emotion"], "value": each["f1"]}
        for run in runs
        for each in _test(run)["per_class"]
    ]


def _f1(runs: Sequence[Run], letters: dict[str, str]) -> str:
    classes = [_test(run)["per_class"] for run in runs]
    rows = [
        (each[0]["emotion"], each[0]["support"], *(percent(one["f1"]) for one in each))
        for each in zip(*classes, strict=True)
    ]
    return _table(("F1", "support", *letters.values()), rows)


def _confusion(run: Run, letter: str) -> str:
    """Counts, each cell as dark as its share of the row; the darkest keeps a contrast of 6.5 with its text."""
    emotions, matrix = run.evaluation()["emotions"], _test(run)["confusion_matrix"]
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *emotions))
    rows = []
    for name, row in zip(emotions, matrix, strict=True):
        total = max(1, sum(row))
        cells = (f'<td style="background:rgba(79,91,213,{0.6 * each / total:.2f})">{each}</td>' for each in row)
        rows.append(f"<tr><td>{escape(name)}</td>{''.join(cells)}</tr>")
    return (
        f"<h3>{letter}</h3><p>A row is the true emotion, a column the answer; the darker, the larger its share of the "
        f'row.</p><div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
    )
