"""The figures of the leaderboard: the map, the table, and quality against effort."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import cache, tables
from dashboard import components as ui
from dashboard.accuracy_map import run_of_pair
from dashboard.formats import NONE, p_text, plain, plural
from dashboard.labels import board_label, network_name
from dashboard.leaderboard import charts, chosen, columns, export, form
from dashboard.leaderboard.metrics import METRICS, Metric
from dashboard.leaderboard.query import Query
from dashboard.leaderboard.rows import IS_BASELINE, NOT_TOLD, REAL
from dashboard.linked import choice, segments
from dashboard.summaries import RunSummary, find

DRAWN = " These faces are drawn: good for trying, not a result."
TABLE_HEIGHT = 520
MOST_POINTS = 2000  # beside those of the front: more are a cloud


def metric_map(query: Query) -> None:
    """The heatmap of every architecture × preprocessing pair, for a metric that the page's link holds."""
    offered = cache.board_choices(query.board)
    possible = form.titles([*offered.metrics, *offered.efforts])
    metric = METRICS[possible[choice("Map of", "map", list(possible), width=240)]]
    cells = cache.metric_cells(query, metric.key)
    if not len(cells):
        st.caption(f"The {metric.name} is not measured of any run that is shown.")
        return
    best = cells.iloc[0 if cells["value"].isna().all() else _best_row(cells, metric.is_more_better)]
    shown = cache.selected(query)
    leader = find(shown, best["id"])
    name = network_name(leader, " with ") if leader else best["architecture"]
    drawn = DRAWN if query.board.dataset == "synthetic" else ""
    several = " Mean over the seeds where there are several." if (cells["seeds"] > 1).any() else ""
    ui.figure_title(
        f"{metric.title}: {name} leads with {best['exact']}",
        f"Each pair's variant that is best on the validation split.{several} Click a cell to open its run."
        f"{_left_out(shown, int(cells['variants'].sum()), metric)}{drawn}",
    )

    def build() -> alt.LayerChart:
        return charts.metric_heatmap(cells, metric)

    event = st.vega_lite_chart(
        cache.chart_spec(("map", query, metric.key, cache.runs_version()), build),
        key=f"leaderboard_map_{board_label(query.board)}_{metric.key}",
        on_select="rerun",
        selection_mode="cell",
        alt=f"{metric.title} of every architecture and preprocessing",
    )
    ui.download_chart(build, f"leaderboard_{metric.key}")
    for pair in event["selection"].get("cell", []):
        run_id = run_of_pair(cells, pair["architecture"], pair["preprocessing"])
        if run_id:
            ui.open_run(run_id)


def _left_out(shown: Sequence[RunSummary], drawn: int, *metrics: Metric) -> str:
    """How many variants are not drawn, and why, as a sentence behind others; "" where all are."""
    variants = len({run.variant for run in shown})
    if drawn >= variants:
        return ""
    absent = [metric.name for metric in metrics if any(metric.value(run) is None for run in shown)]
    what = " or ".join(absent or [metrics[-1].name])
    return f" {variants - drawn:,} of {plural(variants, 'variant')} left out: no {what} measured."


def _best_row(cells: pd.DataFrame, is_more_better: bool) -> int:
    values = cells["value"]
    return int(values.argmax() if is_more_better else values.argmin())


def ranking(query: Query, shown: Sequence[RunSummary]) -> None:
    """The fields above the table, the table, what is done with its rows, and what it is saved as."""
    look = form.choose_view(query.board, shown, cache.selected(Query(query.board, with_archived=True)))
    baseline = look.baseline
    table = cache.ranking(query, look.sorting, look.metrics, baseline)
    by_variant = look.sorting.by_variant
    ui.figure_title(_finding(table, baseline, by_variant), _note(table, look))
    config, order = columns.leaderboard(
        table, look.metrics, look.facts, by_variant=by_variant, has_baseline=baseline is not None
    )
    event = st.dataframe(
        _with_p_as_text(table),
        key="leaderboard_table",
        hide_index=True,
        placeholder=NONE,
        column_config=config,
        column_order=order,
        on_select="rerun",
        selection_mode="multi-row",
        height=TABLE_HEIGHT if len(table) > 13 else "auto",
        alt="Finished runs, ranked",
    )
    wanted = [table["id"].iloc[row] for row in event["selection"]["rows"] if row < len(table)]
    known = {run.id: run for run in shown}
    chosen.bar([known[name] for name in wanted if name in known], baseline)
    _save(table, look, query)


def _with_p_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """All have three decimals and begin with 0, 1 or <, so that they sort as the numbers do."""
    return table.assign(p=[p_text(p) if p == p else NONE for p in table["p"]]) if "p" in table else table


def _finding(table: pd.DataFrame, baseline: RunSummary | None, by_variant: bool) -> str:
    count = plural(len(table), "variant" if by_variant else "run")
    if baseline is None or "verdict" not in table:
        return f"{count}, ranked"
    verdicts = table["verdict"].value_counts()
    better, worse = (int(verdicts.get(name, 0)) for name in REAL)
    same = int(verdicts.get(NOT_TOLD, 0))
    return f"{better} really better than the baseline, {worse} really worse, {same} not told apart"


def _note(table: pd.DataFrame, look: form.View) -> str:
    by_variant = look.sorting.by_variant
    is_alone = by_variant and table["seeds"].max() == 1
    lonely = " No variant has a second seed, so there are no deviations." if is_alone else ""
    if look.baseline is None:
        sort = "Click a column's title to sort by it. Pin a baseline to see differences, and which of them are real."
        return sort + lonely
    if by_variant:
        means = "Differences are those of the means from the baseline's figure; single runs are tested against it."
        return means + lonely
    tested = int(table["p"].notna().sum()) if "p" in table else 0
    if not tested:
        return (
            f"{plain(look.baseline_name)} cannot be tested against these: its predictions cannot be read, it was "
            "tested on other images, or several times on the same."
        )
    most = f"; the first {cache.MOST_TESTED} rows are tested" if len(table) - 1 > cache.MOST_TESTED else ""
    return (
        f"McNemar's exact test on the images that both were tested on, at 5 % after Holm's correction over {tested} "
        f"runs{most}. {IS_BASELINE.capitalize()}: {plain(look.baseline_name)}."
    )


def _save(table: pd.DataFrame, look: form.View, query: Query) -> None:
    """Buttons that save the table as it is shown: all numbers in CSV, rounded ones in LaTeX and Markdown."""
    name = f"leaderboard_{query.board.dataset}_{query.board.protocol}"
    caption = f"{board_label(query.board)}: test figures, best first."
    with st.container(horizontal=True, gap="small"):
        ui.save_button("CSV", name, "csv", lambda: tables.to_csv(table.drop(columns="run")))
        ui.save_button("LaTeX", name, "tex", lambda: export.latex(export.printed(table, look.metrics), caption))
        ui.save_button("Markdown", name, "md", lambda: export.markdown(export.printed(table, look.metrics), caption))


def effort(query: Query) -> None:
    """Quality over effort of every variant, with the Pareto front."""
    offered = cache.board_choices(query.board)
    if not offered.efforts or not offered.metrics:
        return
    qualities, efforts = form.titles(offered.metrics), form.titles(offered.efforts)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        against = METRICS[efforts[segments("Effort", "effort", list(efforts))]]
        quality = METRICS[qualities[choice("Quality", "quality", list(qualities), width=240)]]
    points = cache.effort_points(query, quality.key, against.key)
    if points.empty:
        st.caption(f"No run that is shown has both figures, {quality.name} and {against.name}.")
        return
    front = int(points["front"].sum())
    left_out = _left_out(cache.selected(query), len(points), quality, against)
    points = points[points["front"] | (points["quality"].rank(ascending=not quality.is_more_better) <= MOST_POINTS)]
    ui.figure_title(
        f"{quality.header} against {against.name}: {front} of {plural(len(points), 'variant')} on the front",
        f"A diamond is on the Pareto front: no other is as good for less. Click a point to open its run.{left_out}",
    )

    def build() -> alt.LayerChart:
        return charts.effort_scatter(points, quality, against)

    event = st.vega_lite_chart(
        cache.chart_spec(("effort", query, quality.key, against.key, cache.runs_version()), build),
        key=f"leaderboard_effort_{board_label(query.board)}_{quality.key}_{against.key}",
        on_select="rerun",
        selection_mode="point",
        alt=f"{quality.title} against {against.name}",
    )
    ui.download_chart(
        lambda: charts.effort_scatter(points, quality, against), f"leaderboard_{quality.key}_{against.key}"
    )
    for point in event["selection"].get("point", []):
        if point.get("id"):
            ui.open_run(str(point["id"]))
