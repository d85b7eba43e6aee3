"""All photos looked at by all runs, with progress where it takes long."""

import time
from collections.abc import Sequence

import streamlit as st

from dashboard import cache
from dashboard.photos.editor import drawn_boxes
from dashboard.photos.faces import Finder, Looked, Photo, Refused, faces_of
from dashboard.summaries import RunSummary
from fer_core.errors import FerError

SOON_S = 0.4  # what takes less needs no progress bar


def look_at_all(
    photos: Sequence[Photo], runs: Sequence[RunSummary], finder: Finder
) -> tuple[list[Looked], list[Refused]]:
    """Every photo with its faces and what each run reads in them, and the files that are none."""
    looked: list[Looked] = []
    refused: list[Refused] = []
    began = time.monotonic()
    place = st.empty()
    for number, photo in enumerate(photos, start=1):
        if time.monotonic() - began > SOON_S:
            place.progress((number - 1) / len(photos), f"Reading photo {number} of {len(photos)}")
        try:
            looked.append(look_at(photo, runs, finder))
        except FerError as error:
            refused.append(Refused(photo.name, str(error)))
    place.empty()
    return looked, refused


def look_at(photo: Photo, runs: Sequence[RunSummary], finder: Finder) -> Looked:
    """A photo with its faces: those that someone has drawn, else those found. Raises FerError where it is none."""
    found = cache.found(photo, finder)
    drawn = drawn_boxes(photo.key)
    boxes = found.boxes if drawn is None else drawn
    by_run = {run.id: cache.readings(run, photo, boxes) for run in runs}
    faces = faces_of(boxes, by_run)
    return Looked(photo, found.width, found.height, drawn is not None, faces, found.notes, found.scale)
