"""One face to look at, chosen from a dataset, a photo, the camera or the sample photo; the link holds the choice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import cache
from dashboard.advice import PYTHON
from dashboard.formats import plain, sentence
from dashboard.linked import LINKED, choice, linked_notice, segments
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS

DATASET, UPLOAD, CAMERA, SAMPLE = "Dataset", "Upload", "Camera", "Sample photo"
DRAWN = "synthetic"
SPLITS = {"train": "Training", "valid": "Validation", "test": "Test", "": "All"}
FIRST_EMOTION = "angry"
WHOLE = "Whole picture"
PRIVACY = "Photos stay in the memory of the computer that runs this dashboard, and go nowhere."
GET_FER2013 = (
    "No dataset of real faces is prepared here: "
    f"`{PYTHON} -m fer_core data download fer2013` gets FER2013 from Kaggle, and "
    f"`{PYTHON} -m fer_core data prepare SOURCE` reads a copy that you have."
)


@dataclass(frozen=True, eq=False)
class Face:
    """A face: uint8 gray (H, W) or RGB (H, W, 3) in its own size, and what is known of it.

    `emotion` is its label, `dataset` and `split` (a key of SPLITS) where it comes from, `number` (from 1)
    which one of that emotion it is; a photo's face has none of these.
    """

    name: str
    image: np.ndarray
    emotion: str = ""
    dataset: str = ""
    split: str = ""
    number: int = 0


def choose_face() -> Face | None:
    """The fields, and the face that is chosen in them; None, with a sentence on what to do, where there is none yet."""
    datasets = cache.image_datasets()
    sources = [DATASET, UPLOAD, CAMERA, SAMPLE]
    is_prepared = set(datasets) != {DRAWN}
    source = segments("Face from", "source", sources, DATASET if is_prepared else SAMPLE)
    if not is_prepared:
        st.caption(GET_FER2013)
    notices = st.container()
    try:
        return _of_dataset(datasets, notices) if source == DATASET else _of_photo(source, notices)
    except FerError as error:
        st.error(plain(sentence(str(error))), icon=":material/error:")
        return None


def _of_dataset(datasets: Sequence[str], notices: DeltaGenerator) -> Face:
    with st.grid(4, min_column_width=130):
        dataset = choice("Dataset", "face_dataset", datasets, place=notices)
        splits = {SPLITS[split]: split for split in cache.dataset_splits(dataset)}
        split = splits[choice("Split", "face_split", list(splits), SPLITS["valid"], notices)]
        emotion = choice("Labelled", "face_emotion", EMOTIONS, FIRST_EMOTION, notices)
        count = cache.count_samples(dataset, split, emotion)
        number = _number(count, notices)
    if dataset == DRAWN:
        st.caption("These faces are drawn: good for trying, not a result.")
    place = "" if split == "" else f" · {SPLITS[split].lower()}"
    name = f"{dataset}{place} · {emotion} {number} of {count:,}"
    return Face(name, cache.sample(dataset, split, emotion, number), emotion, dataset, split, number)


def _number(count: int, notices: DeltaGenerator) -> int:
    """Which of `count` faces; the first again where the chosen one is beyond a new count."""
    linked_notice("face_number", (), lambda value: value.isdecimal() and 1 <= int(value) <= max(1, count), notices)
    if st.session_state.get("face_number", 1) > max(1, count):
        st.session_state["face_number"] = 1
    label = f"Number, of {count:,}"
    return int(st.number_input(label, 1, max(1, count), key="face_number", bind=LINKED))


def _of_photo(source: str, notices: DeltaGenerator) -> Face | None:
    photo, name = _photo(source)
    if photo is None:
        return None
    try:
        with st.spinner("Looking for faces"):
            found = len(cache.faces_in(photo))
    except FerError as error:
        raise FerError(str(error).replace("the file", f"'{name}'", 1)) from error  # of bytes, it knows no name
    names = {f"Face {number} of {found}": number for number in range(1, found + 1)} | {WHOLE: 0}
    if not found:
        st.info(
            "No face was found, and the whole picture is taken. Frontal faces of at least 40 pixels are found best."
        )
    chosen = WHOLE
    if found:
        with st.container(horizontal=True):
            chosen = choice("Part of the photo, largest face first", "face_part", list(names), place=notices)
    return Face(f"{name} · {chosen.lower()}", cache.face_in(photo, names[chosen]))


def _photo(source: str) -> tuple[bytes | None, str]:
    """A photo's bytes, or None where none is chosen yet, and its name."""
    if source == SAMPLE:
        return cache.sample_photo(), SAMPLE
    if source == UPLOAD:
        # of any type: what is no photo is told in a sentence
        file = st.file_uploader("Photo (JPEG, PNG, WebP, AVIF, …)", key="face_upload", max_upload_size=50)
    else:
        with st.container(width=420):
            file = st.camera_input("Camera", key="face_camera")
    st.caption(f"{PRIVACY} A link carries no photo: who opens it chooses one.")
    if file is None:
        st.info("Choose a photo." if source == UPLOAD else "Take a photo.")
        return None, ""
    return file.getvalue(), file.name if source == UPLOAD else "Camera"
