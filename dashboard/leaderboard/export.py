"""The leaderboard's table as text for papers and pages: LaTeX (booktabs) and Markdown; CSV is a table's own."""

from collections.abc import Sequence

import pandas as pd

from dashboard.formats import NONE
from dashboard.leaderboard.metrics import METRICS, Metric

MARKS = {"better": "*", "worse": "*", "not told apart": "", "baseline": " (baseline)"}
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


def printed(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows of `rows.table` as text: numbers with their decimals and deviations, differences behind them.

    An asterisk is at an accuracy that really differs from the baseline's.
    """
    found = pd.DataFrame({"Architecture": table["architecture"], "Preprocessing": table["preprocessing"]})
    has_seeds = bool((table["seeds"] > 1).any())
    if has_seeds:
        found["Seeds"] = table["seeds"].astype(str)
    for key in keys:
        metric = METRICS[key]
        found[metric.header] = [_cell(row, metric) for row in table.to_dict("records")]
    return found.astype(object)


def _cell(row: dict[object, object], metric: Metric) -> str:
    text = metric.text(_number(row[metric.key]))
    deviation = _number(row.get(f"{metric.key}_deviation"))
    if deviation is not None:
        text += f" ± {metric.text(deviation)}"
    mark = MARKS.get(str(row.get("verdict", "")), "") if metric.key == "accuracy" else ""
    difference = _number(row.get(f"{metric.key}_difference"))
    if difference is None or row.get("verdict") == "baseline":
        return text + mark
    return f"{text} ({signed(difference, metric)}{mark})"


def signed(difference: float, metric: Metric) -> str:
    """`+2.1` or `−0.4`."""
    return f"{'−' if difference < 0 else '+'}{metric.text(abs(difference))}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value == value else None


def markdown(text: pd.DataFrame, caption: str) -> bytes:
    """A table of GitHub's Markdown below its caption; numbers stand at the right."""
    names = list(text.columns)
    rule = ["---" if is_name(name) else "---:" for name in names]
    rows = [names, rule, *([str(value).replace("|", "\\|") for value in row] for row in text.itertuples(index=False))]
    return "\n".join([caption, "", *(f"| {' | '.join(row)} |" for row in rows), ""]).encode()


def latex(text: pd.DataFrame, caption: str) -> bytes:
    """A `table` with booktabs' rules; every sign that LaTeX reads as a command is escaped."""
    columns = "".join("l" if is_name(name) else "r" for name in text.columns)
    rows = [" & ".join(escaped(str(value)) for value in row) + r" \\" for row in text.itertuples(index=False)]
    head = " & ".join(escaped(str(name)) for name in text.columns) + r" \\"
    lines = [
        r"% needs \usepackage{booktabs}",
        *(r"\begin{table}", r"\centering", f"\\caption{{{escaped(caption)}}}"),
        *(f"\\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule"),
        *rows,
        *(r"\bottomrule", r"\end{tabular}", r"\end{table}", ""),
    ]
    return "\n".join(lines).encode()


def is_name(column: object) -> bool:
    """Whether a column holds words and not numbers."""
    return column in ("Architecture", "Preprocessing")


def escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    found = "".join(SPECIAL.get(sign, sign) for sign in text)
    return found.replace("±", r"$\pm$").replace("−", "$-$").replace("\N{NO-BREAK SPACE}", "~").replace(NONE, "--")
