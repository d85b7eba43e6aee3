"""The choices of the Photos page; the link holds all but the files."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.formats import plain, plural, sentence
from dashboard.labels import labels
from dashboard.linked import LINKED, linked_notice, segments
from dashboard.photos.faces import LETTERS, Finder, Photo, Refused
from dashboard.picker import run_picker
from dashboard.summaries import RunSummary, find
from fer_core.errors import FerError

MOST_RUNS = len(LETTERS)
MOST_PHOTOS = 400  # read at once
UNSURE_BELOW = 50  # percent: below this no emotion has the majority
UPLOAD, SAMPLE = "Upload", "Sample photo"
UPRIGHT, LEVEL = "As they stand", "Eyes level"
PHOTO_MB = 50
NO_FEELING = "An expression is not a feeling: a network reads how a face looks, not what a person feels."


def choose_runs(everything: Sequence[RunSummary]) -> list[RunSummary]:
    """Up to four runs that read the same faces, out of those that can; at least one of them can."""
    able = [run for run in everything if run.can_predict]
    with st.grid(2, min_column_width=320):
        with st.container():
            first = run_picker(able, refused={run.id: run.obstacle for run in everything if run.obstacle})
        with st.container():
            others = _more_runs(able, first)
    return [first, *others]


def _more_runs(able: Sequence[RunSummary], first: RunSummary) -> list[RunSummary]:
    wanted = st.query_params.get_all("beside")
    found = {name: find(able, name) for name in wanted}
    chosen = {run.id: run for run in found.values() if run and run.id != first.id}
    chosen = dict(list(chosen.items())[: MOST_RUNS - 1])
    names = labels(able)
    st.session_state["beside_picker"] = list(chosen)
    st.multiselect(
        "More runs, on the same faces",
        [run.id for run in able if run.id != first.id],
        format_func=names.__getitem__,
        key="beside_picker",
        on_change=_remember_more,
        max_selections=MOST_RUNS - 1,
        placeholder="None",
        disabled=len(able) < 2,
    )
    missing = [name for name, run in found.items() if run is None]
    if missing:
        st.caption(f"The link's {plain(', '.join(missing))} cannot be chosen here.")
    return list(chosen.values())


def _remember_more() -> None:
    chosen = st.session_state["beside_picker"]
    if chosen:
        st.query_params["beside"] = chosen
    else:
        st.query_params.pop("beside", None)


def usable(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """The runs whose networks can be loaded; of the others it is said why not."""
    found = []
    for run in runs:
        with ui.errors_shown():
            cache.predictor_of(run)
            found.append(run)
    return found


def choose_finder() -> Finder:
    """How faces are found, and how they are cut out."""
    known = cache.detectors()
    able = [name for name, kind in known.items() if not kind.obstacle]
    linked_notice("detector", list(known))
    wanted = st.query_params.get("detector", able[0])
    if wanted in known and wanted not in able:
        st.warning(sentence(known[wanted].obstacle), icon=":material/link_off:")
    name = wanted if wanted in able else able[0]
    st.session_state["detector_picker"] = name
    st.selectbox(
        "Faces found by",
        able,
        format_func=lambda each: known[each].label,
        key="detector_picker",
        on_change=_remember_detector,
        width=280,
        help="  \n".join(sentence(kind.obstacle) for kind in known.values() if kind.obstacle) or None,
    )
    if not known[name].finds_eyes:
        return Finder(name)
    return Finder(name, segments("Cut out", "cut_out", [UPRIGHT, LEVEL]) == LEVEL)


def _remember_detector() -> None:
    st.query_params["detector"] = st.session_state["detector_picker"]


def choose_limit() -> float:
    """The share below which a face counts as unsure."""
    linked_notice("unsure_below", (), lambda value: value.isdecimal() and int(value) <= 100)
    help = "A face whose most probable emotion has less than this is marked as unsure."
    return (
        st.slider("Unsure below (%)", 0, 100, UNSURE_BELOW, 5, key="unsure_below", bind=LINKED, width=220, help=help)
        / 100
    )


def choose_photos() -> tuple[list[Photo], list[Refused]]:
    """The photos to read, and the archives that could not be opened."""
    source = segments("Photos from", "photos_from", [UPLOAD, SAMPLE], label_visibility="collapsed")
    if source == SAMPLE:
        return [Photo(SAMPLE, "sample", cache.sample_photo())], []
    # of any type: what is no photo is told in a sentence, and the others are read
    uploads = st.file_uploader(
        "Photos (JPEG, PNG, WebP, AVIF, GIF, TIFF, …), or a zip of them",
        accept_multiple_files=True,
        key="uploads",
        max_upload_size=PHOTO_MB,
    )
    photos: list[Photo] = []
    refused: list[Refused] = []
    for upload in uploads:
        try:
            opened, told = _opened(upload.name, upload.file_id, upload.getvalue())
            photos += opened
            refused += told
        except FerError as error:
            refused.append(Refused(upload.name, str(error)))
    if len(photos) > MOST_PHOTOS:
        left_out = photos[MOST_PHOTOS:]
        st.warning(f"{plural(len(left_out), 'photo')} left out: at most {MOST_PHOTOS} are read at once.")
    return _with_own_names(photos[:MOST_PHOTOS]), refused


def _opened(name: str, key: str, content: bytes) -> tuple[list[Photo], list[Refused]]:
    """The photos in a file, and what in it cannot be read; raises FerError where that is all of it."""
    if name.lower().endswith(".zip"):
        inside = cache.unpacked(content, name)
        photos = [Photo(each, f"{key}/{each}", source) for each, source in inside.pictures.items()]
        return photos, [Refused(each, reason) for each, reason in inside.refused.items()]
    is_video = name.lower().endswith(tuple(f".{each}" for each in cache.video_types()))
    reason = f"'{name}' is a video; the Video tab reads it" if is_video else cache.refusal(name)
    if reason:
        raise FerError(reason)
    return [Photo(name, key, content)], []


def _with_own_names(photos: Sequence[Photo]) -> list[Photo]:
    """The photos under names of which no two are alike."""
    seen: dict[str, int] = {}
    named = []
    for photo in photos:
        seen[photo.name] = number = seen.get(photo.name, 0) + 1
        named.append(photo if number == 1 else Photo(f"{photo.name} ({number})", photo.key, photo.source))
    return named


def letters_of(runs: Sequence[RunSummary]) -> dict[str, str]:
    """A letter for each run's id."""
    return dict(zip([run.id for run in runs], LETTERS, strict=False))


def names_of(runs: Sequence[RunSummary], everything: Sequence[RunSummary]) -> Mapping[str, str]:
    """The runs' labels by id, as the pickers show them."""
    names = labels([run for run in everything if run.can_predict])
    return {run.id: names[run.id] for run in runs}
