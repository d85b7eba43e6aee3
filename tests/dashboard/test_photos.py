"""The Photos page, on photos."""

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from streamlit.testing.v1 import AppTest

from dashboard.photos.editor import DRAWN
from dashboard.photos.faces import Box
from fer_core.labels import EMOTIONS
from fer_core.palette import EMOTION_COLORS
from fer_core.runs import RunStore
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, texts

Open = Callable[..., AppTest]
SAMPLE = {"photos_from": "Sample photo"}


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


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
    assert app.multiselect(key="beside_picker").disabled, "there is no second one"


def test_a_link_to_a_run_on_descriptors_says_why_it_reads_no_photos(trained: RunStore, open_page: Open) -> None:
    run = make_run(trained, architecture="shallow_cnn", accuracy=0.9)
    run.write_json("environment.json", run.environment() | {"inputs": "descriptors"})
    app = open_page("photos", run=run.id)
    assert_sound(app)
    assert "shallow_cnn · raw learnt from a table of descriptors" in app.warning[0].value.replace("\\", "")
    assert app.selectbox(key="run_picker").value.startswith("linear__")


def test_the_sample_photo_shows_its_face_with_probabilities(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos", **SAMPLE)
    assert_sound(app)
    assert "**1 photo · 1 face" in texts(app)
    (chart,) = app.get("vega_lite_chart")
    assert all(color in chart.proto.spec for color in EMOTION_COLORS.values())
    table = app.dataframe[0].value
    assert list(table["photo"]) == ["Sample photo"]
    assert table[list(EMOTIONS)].iloc[0].sum() == pytest.approx(100, abs=0.01)
    assert table["confidence"].iloc[0] == table[list(EMOTIONS)].iloc[0].max()
    assert table["box"].iloc[0] == "found"


def test_several_runs_read_the_same_face_side_by_side(trained: RunStore, open_page: Open) -> None:
    second = make_run(trained, architecture="linear", preprocessing="hist_eq", weights=True, seed=1, accuracy=0.3)
    app = open_page("photos", beside=second.id, **SAMPLE)
    assert_sound(app)
    table = app.dataframe[0].value
    assert list(table["face"]) == [1, 1]
    assert table["run"].nunique() == 2
    assert len(app.get("vega_lite_chart")) == 1, "one figure holds both"
    assert app.multiselect(key="beside_picker").value == [second.id]
    app.multiselect(key="beside_picker").set_value([]).run()
    assert_sound(app)
    assert len(app.dataframe[0].value) == 1
    assert "beside" not in app.query_params


def test_a_damaged_link_shows_the_page_and_says_what_it_left_out(trained: RunStore, open_page: Open) -> None:
    link = {"beside": "nonsense", "detector": "xray", "unsure_below": "400", "faces_shown": "Blue", **SAMPLE}
    app = open_page("photos", **link)
    assert_sound(app)
    told = texts(app)
    assert "The link's nonsense cannot be chosen here" in told
    assert "detector 'xray' cannot be shown" in told
    assert "unsure below '400' cannot be shown" in told
    assert "faces shown 'Blue' cannot be shown" in told
    assert len(app.dataframe[0].value) == 1


def test_a_face_below_the_limit_is_marked_everywhere(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos", unsure_below="100", **SAMPLE)
    assert_sound(app)
    assert "1 unsure" in texts(app)
    assert ":orange-badge[:material/help: unsure]" in texts(app)
    assert list(app.dataframe[0].value["sure"]) == ["unsure"]
    app.slider(key="unsure_below").set_value(0).run()
    assert "unsure" not in texts(app)
    app.segmented_control(key="faces_shown").set_value("Unsure").run()
    assert "No face is of this kind" in texts(app)
    assert not app.dataframe


def test_several_photos_are_read_and_a_bad_one_spoils_none(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    uploader = app.file_uploader[0]
    uploader.upload("face.jpg", encoded(astronaut(), "JPEG"))
    uploader.upload("text.jpg", b"this is no picture")
    uploader.upload("face.jpg", encoded(astronaut(), "WEBP"))
    uploader.upload("phone.heic", b"\0\0\0\x18ftypheic" + bytes(64))
    app.run()
    assert not app.exception
    count, *told = app.error[0].value.splitlines()
    assert count == "2 files could not be read:"
    assert len(told) == 2
    assert told[0].startswith("- **text.jpg** is not a picture; choose a JPEG, PNG")
    assert told[1].startswith("- **phone.heic** is a HEIC photo")
    assert list(app.dataframe[0].value["photo"]) == ["face.jpg", "face.jpg (2)"]
    assert "**2 photos · 2 faces" in texts(app)
    assert "2 files refused" in texts(app)
    assert "**face.jpg**" in texts(app), "one photo is shown large"
    assert "**face.jpg (2)**" not in texts(app)


def test_photos_under_a_name_of_markup_show_it_as_it_is(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    app.file_uploader[0].upload("_a_ **b**.png", encoded(astronaut()))
    app.run()
    assert_sound(app)
    assert r"\_a\_ \*\*b\*\*.png" in texts(app)


def test_where_no_face_is_found_a_box_can_be_drawn(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    app.file_uploader[0].upload("wall.png", encoded(np.full((60, 80, 3), 120, np.uint8)))
    app.run()
    assert not app.exception
    assert app.info[0].value.startswith("No face was found")
    assert not app.dataframe
    whole = next(button for button in app.button if button.label == "Read the whole picture as one face")
    whole.click().run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table[["x", "y", "width", "height", "box"]].values.tolist() == [[0, 0, 80, 60, "drawn"]]


def test_a_box_in_a_photo_that_is_reduced_is_told_in_pixels_of_the_file(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos")
    app.file_uploader[0].upload("wall.png", encoded(np.full((1000, 5000, 3), 120, np.uint8)))
    app.run()
    assert "reduced from 5,000 × 1,000 pixels" in texts(app)
    next(button for button in app.button if button.label == "Read the whole picture as one face").click().run()
    assert not app.exception
    ((box,),) = app.session_state[DRAWN].values()
    assert (box.width, box.height) == (4096, 819), "it is drawn in the picture that is shown"
    table = app.dataframe[0].value
    assert table[["x", "y", "width", "height", "box"]].values.tolist() == [[0, 0, 5000, 1000, "drawn"]]


def test_boxes_drawn_by_hand_are_read_in_place_of_those_found(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos", **SAMPLE)
    before = app.dataframe[0].value
    app.session_state[DRAWN] = {"sample": (Box(170, 60, 110, 110), Box(10, 300, 90, 60))}
    app.run()
    assert_sound(app)
    table = app.dataframe[0].value
    assert table[["x", "width", "box"]].values.tolist() == [[170, 110, "drawn"], [10, 90, "drawn"]]
    assert table["confidence"].iloc[0] != before["confidence"].iloc[0]
    app.session_state[DRAWN] = {"sample": None}
    app.run()
    assert app.dataframe[0].value.equals(before)


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
    assert app.error[0].value.startswith("**bad.zip** is no zip archive that can be read")
    assert list(app.dataframe[0].value["photo"]) == ["album.zip/album/face.png"]


def test_pictures_of_a_kind_that_is_not_read_are_named_and_the_others_are_read(
    trained: RunStore, open_page: Open
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.heic", b"\0\0\0\x18ftypheic" + bytes(64))
        archive.writestr("b.cr2", encoded(np.zeros((9, 9, 3), np.uint8), "TIFF"))
        archive.writestr("c.mp4", b"film")
        archive.writestr("face.avif", encoded(astronaut(), "AVIF"))
    app = open_page("photos")
    app.file_uploader[0].upload("album.zip", buffer.getvalue())
    app.file_uploader[0].upload("d.NEF", encoded(astronaut(), "TIFF"))
    app.file_uploader[0].upload("e.MOV", b"film")
    app.file_uploader[0].upload("notes.txt", b"text")
    app.run()
    assert not app.exception
    advice = "which cannot be read here; save it as JPEG or PNG first."
    assert app.error[0].value.splitlines()[1:] == [
        f"- **album.zip/b.cr2** is a camera's RAW photo, {advice}",
        "- **album.zip/c.mp4** is a video inside a zip; unpack it first.",
        f"- **d.NEF** is a camera's RAW photo, {advice}",
        "- **e.MOV** is a video; the Video tab reads it.",
        f"- **album.zip/a.heic** is a HEIC photo, {advice}",
        "- **notes.txt** is not a picture; choose a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF file, or a zip of them.",
    ]
    assert list(app.dataframe[0].value["photo"]) == ["album.zip/face.avif"]
    assert "6 files refused" in texts(app)


def test_many_files_that_cannot_be_read_are_told_in_a_list_that_can_be_opened(
    trained: RunStore, open_page: Open
) -> None:
    app = open_page("photos")
    for number in range(9):
        app.file_uploader[0].upload(f"{number}.dng", b"raw")
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value.startswith("9 files could not be read:\n- **0.dng** is a camera's RAW photo")
    assert len((app.error[0].value + "\n" + app.expander[0].markdown[0].value).splitlines()) == 1 + 9
    assert not app.dataframe


def test_a_run_with_damaged_weights_is_told_and_the_other_still_reads(trained: RunStore, open_page: Open) -> None:
    broken = make_run(trained, architecture="linear", preprocessing="gcn", weights=True, accuracy=0.9)
    (broken.path / "weights.safetensors").write_bytes(b"nothing")
    app = open_page("photos", run=broken.id, beside="linear__raw", **SAMPLE)
    assert not app.exception
    assert len(app.error) == 1
    assert len(app.dataframe[0].value) == 1
