"""The Photos page."""

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from streamlit.testing.v1 import AppTest

from dashboard.palette import EMOTION_COLORS
from fer_core.inference import FaceBox, Prediction
from fer_core.labels import EMOTIONS
from fer_core.runs import RunStore
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, texts

Open = Callable[..., AppTest]


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def prediction(box: FaceBox, emotion: str = "happy") -> Prediction:
    probabilities = {each: 0.88 if each == emotion else 0.02 for each in EMOTIONS}
    return Prediction(box, emotion, 0.88, probabilities, np.zeros((48, 48), np.uint8))


@pytest.fixture
def trained(store: RunStore) -> RunStore:
    """A store with one run that can predict, and a better one whose weights are not here."""
    make_run(store, architecture="linear", weights=True, accuracy=0.4)
    make_run(store, accuracy=0.7)
    return store


def test_without_a_network_it_says_how_to_get_one(store: RunStore, open_page: Open) -> None:
    make_run(store)
    app = open_page("photos")
    assert_sound(app)
    assert "No network to try" in texts(app)
    assert "-m fer_core train" in app.code[0].value


def test_it_says_where_photos_go_and_what_an_expression_is_not(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    assert_sound(app)
    assert texts(app).count("go nowhere") == 1
    assert texts(app).count("not a feeling") == 1
    assert not app.dataframe


def test_only_runs_with_weights_are_offered(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    assert [option.split(" ")[0] for option in app.selectbox(key="run_picker").options] == ["linear"]


def test_a_link_to_a_run_on_descriptors_says_why_it_reads_no_photos(trained: RunStore, open_page: Open) -> None:
    run = make_run(trained, architecture="shallow_cnn", accuracy=0.9)
    run.write_json("environment.json", run.environment() | {"inputs": "descriptors"})
    app = open_page("photos", run=run.id)
    assert_sound(app)
    assert f"{run.id} learnt from a table of descriptors" in texts(app)
    assert app.selectbox(key="run_picker").value.startswith("linear__")


def test_the_sample_photo_shows_its_face_with_probabilities(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    app.button[0].click().run()
    assert_sound(app)
    (chart,) = app.get("vega_lite_chart")
    assert all(color in chart.proto.spec for color in EMOTION_COLORS.values())
    table = app.dataframe[0].value
    assert list(table["photo"]) == ["Sample photo"]
    assert table[list(EMOTIONS)].iloc[0].sum() == pytest.approx(100, abs=0.01)
    assert table["confidence"].iloc[0] == table[list(EMOTIONS)].iloc[0].max()


def test_several_photos_are_read_and_a_bad_one_spoils_none(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    uploader = app.file_uploader[0]
    uploader.upload("face.jpg", encoded(astronaut(), "JPEG"))
    uploader.upload("text.jpg", b"this is no picture")
    uploader.upload("face.webp", encoded(astronaut(), "WEBP"))
    app.run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "The picture is not a picture; choose a JPEG, PNG, WebP, GIF, BMP or TIFF file."
    ]
    assert list(app.dataframe[0].value["photo"]) == ["1. face.jpg", "3. face.webp"]


def test_a_photo_without_a_face_can_be_read_whole(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    app.file_uploader[0].upload("wall.png", encoded(np.full((60, 80, 3), 120, np.uint8)))
    app.run()
    assert not app.exception
    assert app.info[0].value.startswith("No face was found")
    assert not app.dataframe
    app.toggle[0].set_value(True).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table[["x", "y", "width", "height"]].values.tolist() == [[0, 0, 80, 60]]


def test_an_unsure_face_is_marked(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    app.button[0].click().run()
    confidence = app.dataframe[0].value["confidence"].iloc[0]
    assert ("no emotion has the majority" in texts(app)) == (confidence < 50)


def test_a_zip_is_read_like_its_photos_and_a_damaged_one_is_told(trained: RunStore, open_page: Open) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("album/face.png", encoded(astronaut()))
        archive.writestr("readme.txt", "no picture")
    app = open_page("photos")
    app.file_uploader[0].upload("bad.zip", b"PK and nothing more")
    app.file_uploader[0].upload("album.zip", buffer.getvalue())
    app.run()
    assert not app.exception
    assert "'bad.zip' is no zip archive that can be read" in app.error[0].value
    assert list(app.dataframe[0].value["photo"]) == ["2. album.zip/album/face.png"]
