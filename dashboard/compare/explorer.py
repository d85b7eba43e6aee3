"""The disagreement explorer: images on which runs differ, that no run reads, or whose label most contradict."""

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.compare.form import letter_field
from dashboard.compare.gallery import gallery
from dashboard.compare.selection import Selection
from dashboard.formats import count, percent
from dashboard.linked import choice, segments
from fer_core.evaluation import Answers, Picked, alone_right, contradicted, hardest, together

ONE_RIGHT, HARDEST, CONTRADICTED = "One right, one wrong", "Hardest for all", "Label contradicted"
ALL = "All emotions"


@st.fragment
def explore(selection: Selection) -> None:
    """Which images, and they themselves."""
    with ui.errors_shown():
        answers, names = cache.shared(selection.paired), selection.names
        _together(answers)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            kind = segments("Images", "images", [ONE_RIGHT, HARDEST, CONTRADICTED])
            picked, title, note = _picked(kind, answers, selection)
            emotion = choice("Labelled", "labelled", [ALL, *answers.emotions], ALL, width=150)
        if emotion != ALL:
            picked = picked.where(answers.labels == answers.emotions.index(emotion))
        whole = f" labelled {emotion}" if emotion != ALL else ""
        ui.figure_title(f"{count(len(picked))} {title}{whole}", note)
        dataset = selection.baseline.spec.dataset if selection.baseline.spec else ""
        gallery(answers, picked, dataset, names, "seen", f"disagreement_{kind.split()[0].lower()}")


def _together(answers: Answers) -> None:
    found = together(answers)
    runs = f"of {len(answers.runs)} runs"
    ui.metric_row(
        [
            ui.Metric("All right", percent(found.all_right), runs, "Images that every run recognises."),
            ui.Metric("At least one right", percent(found.any_right), runs, "No choice between them can be better."),
            ui.Metric("None right", percent(found.none_right), runs, "Images that no run recognises."),
            ui.Metric("Their mean", percent(found.mean_vote), "accuracy", "Of the mean of their probabilities."),
        ]
    )


def _picked(kind: str, answers: Answers, selection: Selection) -> tuple[Picked, str, str]:
    """The images, what they are, and by what they are sorted."""
    if kind == HARDEST:
        note = "Sorted by how much more probability their answers get than the label, the runs' mean."
        return hardest(answers), f"images that none of the {len(answers.runs)} runs recognises", note
    if kind == CONTRADICTED:
        note = (
            "More than half of the runs say the same other emotion; sorted by how much more probability it gets than "
            "the label. Such a label may be wrong: no run has been trained on these images."
        )
        return contradicted(answers), "images whose label most runs contradict", note
    first, second = _two(selection)
    note = f"Sorted by how much more probability {first} gives the label than {second}."
    ids = {letter: run for run, letter in selection.letters.items()}
    return alone_right(answers, ids[first], ids[second]), f"images that {first} recognises and {second} does not", note


def _two(selection: Selection) -> tuple[str, str]:
    """The letters of who is right and who is wrong; never the same."""
    letters = [selection.letter(run.id) for run in selection.paired]
    base = selection.letter(selection.baseline.id)
    right = letter_field("Right", "right", letters, next(each for each in letters if each != base))
    others = [each for each in letters if each != right]
    return right, letter_field("Wrong", "wrong", others, base if base in others else others[0])
