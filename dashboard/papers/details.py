"""What the Papers page shows of each single paper: one drawing function a paper."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import cache, columns, tables, views
from dashboard import components as ui
from dashboard.advice import CROSS_VALIDATION, paper_command
from dashboard.formats import NONE, count, percent, plain, plural, spread
from dashboard.papers import charts
from dashboard.papers import tables as paper_tables
from dashboard.papers.comparisons import REACHED, Comparison, tally, tally_text
from dashboard.papers.tables import Systems
from dashboard.summaries import RunSummary
from fer_core.papers import Published

MEASURE_NAMES = {"F1": "f1", "Precision": "precision", "Recall": "recall", "Specificity": "specificity"}
Runs = Sequence[RunSummary]


def draw(paper: int, comparisons: Sequence[Comparison], runs: Runs) -> None:
    """All that is shown of one paper: its figures beside ours, and what it shows of its systems."""
    table = paper_tables.figures_beside(comparisons)
    title = f"Published (bar) and ours with its 95 % interval: {outcome(comparisons)}"
    ui.figure(title, charts.figures_chart(table))
    figures = [each.figure for each in comparisons if not each.is_beyond]
    notes(figures)
    PAPERS[paper](figures, runs)


def outcome(comparisons: Sequence[Comparison]) -> str:
    """What is said of a paper's comparable figures, in words, and apart from them of what goes beyond the paper."""
    own = [each for each in comparisons if each.figure.comparable and not each.is_beyond]
    further = [each for each in comparisons if each.is_beyond]
    is_run = any(each.answer for each in own)
    rest = tally_text([each for each in own if each.verdict != REACHED])
    parts = [f"{tally(own)[REACHED]} of {len(own)} reached", rest] if is_run else ["none is run yet"]
    words = ", ".join(part for part in parts if part)
    return f"{words}; beyond the paper: {tally_text(further)}" if further else words


def notes(figures: Sequence[Published]) -> None:
    """What to know when comparing: each note once, with the systems that it concerns."""
    told: dict[str, list[str]] = {}
    for figure in figures:
        if figure.note:
            told.setdefault(figure.note, []).append(figure.system)
    with st.expander("What to know when comparing"):
        st.markdown("\n".join(f"- **{plain(', '.join(names))}** {plain(note)}" for note, names in told.items()))


def choose_protocol(row: DeltaGenerator, paper: int, figures: Sequence[Published], runs: Runs) -> tuple[str, Systems]:
    """A protocol and the systems that were tested by it; where there are several, the reader chooses one."""
    choices = paper_tables.systems_by_protocol(figures, runs)
    if not choices:
        ui.empty_state(
            "No run of this paper's systems yet", "They are compared here emotion by emotion. The first one:",
            paper_command(next(figure for figure in figures if figure.comparable)),
        )  # fmt: skip
        return "", {}
    name = choice(row, "Protocol", list(choices), f"protocol_{paper}")
    return name, choices[name]


def choices_row() -> DeltaGenerator:
    """Where the choices of a paper stand, side by side."""
    return st.container(horizontal=True, vertical_alignment="bottom", gap="large")


def choice(row: DeltaGenerator, title: str, options: Sequence[str], key: str, default: str = "") -> str:
    """One of the options, chosen in a row of choices; of a single one there is no choice."""
    first = default or options[0]
    if len(options) == 1:
        return first
    return row.segmented_control(title, options, default=first, required=True, key=key) or first


def emotion_by_emotion(row: DeltaGenerator, paper: int, protocol: str, systems: Systems, default: str) -> None:
    """A measure of every emotion by system: bars, and the same in numbers."""
    short = paper_tables.short_names(list(systems))
    figures = paper_tables.class_figures({short[name]: cache.evaluation(run) for name, run in systems.items()})
    if figures.empty:
        return
    name = choice(row, "Measure", list(MEASURE_NAMES), f"measure_{paper}", default)
    measure = MEASURE_NAMES[name]
    table = paper_tables.measure_table(figures, measure)
    images = sorted({run.images or 0 for run in systems.values()})
    note = f"By the protocol {protocol}, on {' or '.join(map(count, images))} test images."
    drawn = figures[figures["system"].isin(list(short.values())[: charts.MOST_COLORS])]
    if len(drawn) < len(figures):
        note = f"{note} The chart has the first {charts.MOST_COLORS}, the table all {len(systems)}."
    ui.figure(f"{name} of each emotion", charts.class_bars(drawn, measure), note=note)
    emotions = list(table.columns[1:-1])
    st.dataframe(table, hide_index=True, column_config=columns.measures(emotions), alt=f"{name} of each emotion")
    ui.download(figures, f"paper_{paper}_emotions")


def compared(paper: int, figures: Sequence[Published], runs: Runs, measure: str) -> Systems:
    """The systems of the chosen protocol, which are compared emotion by emotion, at first by `measure`."""
    row = choices_row()
    protocol, systems = choose_protocol(row, paper, figures, runs)
    if systems:
        emotion_by_emotion(row, paper, protocol, systems, measure)
    return systems


def paper_1(figures: Sequence[Published], runs: Runs) -> None:
    """Mini-Xception with each preprocessing."""
    compared(1, figures, runs, "F1")


def paper_2(figures: Sequence[Published], runs: Runs) -> None:
    """From one layer to five convolutions."""
    systems = compared(2, figures, runs, "Recall")
    if not systems:
        return
    losses = paper_tables.losses({name: tables.curves(cache.metrics(run)) for name, run in systems.items()})
    ui.figure("Loss of all models over the epochs", charts.loss_curves(losses), note="Training is dashed.")


def paper_3(figures: Sequence[Published], runs: Runs) -> None:
    """Descriptors, a network of its own and transfer on SFEW; removal of training samples."""
    systems = compared(3, figures, runs, "Precision")
    pairs = {name: with_errors(pair) for name, pair in paper_tables.removal_pairs(systems).items()}
    pairs = {name: pair for name, pair in pairs.items() if pair}
    if not pairs:
        return
    st.subheader("Bimodal distribution removal", anchor=False)
    views.removals(pairs[choice(choices_row(), "Descriptors", list(pairs), "descriptors")], "paper_3")


def with_errors(pair: Systems) -> Systems:
    """Those runs that tell their training samples' errors, with removal first."""
    return {
        name: pair[name]
        for name in ("with removal", "without removal")
        if name in pair and cache.has_removals(pair[name])
    }


def paper_4(figures: Sequence[Published], runs: Runs) -> None:
    """A report that contradicts its own accuracy; the layers and their parameters."""
    _, systems = choose_protocol(choices_row(), 4, figures, runs)
    run = next(iter(systems.values()), None)
    contradiction(figures, run)
    layers("conv_relu_ann")


def contradiction(figures: Sequence[Published], run: RunSummary | None) -> None:
    """The two accuracies that paper 4 prints for one model, and why the second measures chance."""
    accuracy, report = (figure.value for figure in figures)
    evaluation = cache.evaluation(run) if run else None
    per_class = tables.per_class(evaluation) if evaluation else None
    st.subheader("Two accuracies for one model", anchor=False)
    trace = percent(tables.traced_accuracy(evaluation)) if evaluation else NONE
    ui.metric_row(
        [
            ui.Metric("Published accuracy", percent(accuracy), "last epoch's validation"),
            ui.Metric("Published report", percent(report), "same model, same images"),
            ui.Metric("Our accuracy", percent(run.accuracy) if run else NONE, "from saved predictions"),
            ui.Metric("Our report", trace, "from the confusion matrix"),
        ]
    )
    table = paper_tables.contradiction(per_class)
    ui.figure(
        "The printed precision of each emotion is just its share of the images",
        charts.chance_chart(table),
        note="So score predictions that were listed in another order than the labels. A run of ours whose report "
        "disagrees with its own predictions cannot be saved.",
    )
    st.dataframe(table, hide_index=True, column_config=columns.contradiction(), alt="Paper 4's report beside chance")
    ui.download(table, "paper_4_report")


def layers(architecture: str) -> None:
    """Every layer of a live network, its output and how its parameters are counted."""
    with st.spinner("Building the network to count its layers"):
        rows = cache.layers(architecture, 1, 48, 7)
    table = tables.layers(rows)
    table = table.assign(parameters=table["parameters"].where(table["parameters"] > 0))
    ui.figure_title(
        f"{count(int(table['parameters'].sum()))} parameters in {len(table)} layers",
        f"Counted on the live {architecture} for one 48×48 gray face.",
    )
    st.dataframe(
        table, hide_index=True, column_config=columns.layers(), height="content", placeholder=NONE,
        alt=f"Layers of {architecture}",
    )  # fmt: skip
    ui.download(table, f"layers_{architecture}")


def paper_5(figures: Sequence[Published], runs: Runs) -> None:
    """Cross-validation over settings, and class weights."""
    answers = paper_tables.cross_validated(figures, runs)
    figure = next(each for each in figures if each.protocol.startswith("kfold"))
    if not answers:
        ui.empty_state(
            "No setting is cross-validated yet", "Its folds, their mean and deviation are seen here. The first one:",
            CROSS_VALIDATION,
        )  # fmt: skip
        return
    defaults = cache.default_arguments(figure.architecture)
    settings = paper_tables.settings_table(answers, defaults)
    evaluations = {answer.run.id: cache.evaluation(answer.run) for answer in answers}
    best = answers[0].run
    reached = f"{spread(best.mean_accuracy, best.deviation)} over {best.folds} folds"
    ui.figure(
        f"Best of {plural(len(settings), 'setting')}: {reached}",
        charts.setting_chart(paper_tables.fold_points(settings, evaluations), figure.value),
        note=f"The dashed line is the paper's best mean, {percent(figure.value)}, of 16 settings.",
    )
    shown = settings.drop(columns="setting")
    names = list(shown.columns[1 : shown.columns.get_loc("trained")])
    ui.run_table(shown, columns.settings(names), "settings", "Cross-validated settings")
    ui.download(shown, "cross_validation")
    supports = {each["emotion"]: each["support"] for each in evaluations[best.id]["splits"]["test"]["per_class"]}
    weights = paper_tables.class_weights(supports)
    ui.figure(
        "Class weights: how much one face of each emotion weighs in the loss",
        charts.weight_bars(weights),
        note="Balanced: number of images over number of emotions times the emotion's own images.",
    )


PAPERS: dict[int, Callable[[Sequence[Published], Runs], Any]] = {
    1: paper_1,
    2: paper_2,
    3: paper_3,
    4: paper_4,
    5: paper_5,
}
