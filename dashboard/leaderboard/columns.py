"""How the leaderboard shows its columns: the chosen ones, with units, decimals and differences."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from streamlit import column_config as column

from dashboard.leaderboard.metrics import METRICS, Metric

VERDICT_HELP = (
    "Whether the accuracy really differs from the baseline's: McNemar's exact test on the same test images, at 5 % "
    "after Holm's correction for all runs that are tested here."
)


def leaderboard(
    table: pd.DataFrame, keys: Sequence[str], facts: Sequence[str], *, by_variant: bool, has_baseline: bool
) -> tuple[dict[str, Any], list[str]]:
    """Configuration of the columns of `rows.table`, and which of them are shown, in order.

    Deviations and settings are shown where a row has one; what is set stands beside the names, which it tells apart.
    """
    setting = ["setting"] if "setting" in facts and table["setting"].any() else []
    order = ["architecture", "preprocessing", *setting, "run", *(["seeds"] if by_variant else [])]
    config: dict[str, Any] = {
        "run": column.LinkColumn("Run", display_text="Open", width="small", help="In a new tab."),
        "architecture": column.TextColumn("Architecture", pinned=True),
        "preprocessing": column.TextColumn("Preprocessing"),
        "seeds": column.NumberColumn("Seeds", format="%d", help="Runs that differ in their seed alone."),
        **_facts(),
    }
    for key in keys:
        metric = METRICS[key]
        config |= _metric(metric)
        order += [key, *([f"{key}_deviation"] if table[f"{key}_deviation"].notna().any() else [])]
        if has_baseline:
            order.append(f"{key}_difference")
            order += ["verdict", "p"] if key == "accuracy" and not by_variant else []
    hidden = {"setting", *(("interval", "seed") if by_variant else ())}
    return config, [*order, *(name for name in facts if name not in hidden)]


def _metric(metric: Metric) -> dict[str, Any]:
    sign = f"%+.{metric.decimals}f" if metric.decimals else "%+,d"
    better = "More is better." if metric.is_more_better else "Less is better."
    unit = f" ({metric.difference_unit})" if metric.difference_unit else ""
    return {
        metric.key: column.NumberColumn(metric.header, format=metric.format, help=f"{metric.help} {better}"),
        f"{metric.key}_deviation": column.NumberColumn("±", format=metric.format, help="Deviation between the seeds."),
        f"{metric.key}_difference": column.NumberColumn(
            f"Δ {metric.name}{unit}", format=sign, help=f"Less the baseline's. {better}"
        ),
    }


def _facts() -> dict[str, Any]:
    return {
        "verdict": column.TextColumn("Against the baseline", help=VERDICT_HELP),
        "p": column.TextColumn("p (Holm)", alignment="right", help="Of McNemar's test, after Holm's correction."),
        "interval": column.TextColumn("95 % interval", alignment="right", help="Wilson interval of the accuracy."),
        "recipe": column.TextColumn("Recipe"),
        "setting": column.TextColumn(
            "Setting", width=260, help="The network's arguments, and the run that it starts from."
        ),
        "seed": column.NumberColumn("Seed", format="%d"),
        "epochs": column.NumberColumn("Epochs", format="%,d", help="Where there are folds, their mean."),
        "device": column.TextColumn("Device"),
        "tags": column.ListColumn("Tags"),
        "note": column.TextColumn("Note", width="large"),
    }
