"""The Preprocessing page."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut
from streamlit.testing.v1 import AppTest

from fer_core.datasets.cache import SCHEMA_VERSION
from fer_core.labels import EMOTIONS
from fer_core.palette import EMOTION_COLORS
from fer_core.runs import RunStore
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, texts
from tests.dashboard.test_photos import encoded

Open = Callable[..., AppTest]
PREDICTION, EMOTIONS_VIEW = "What it does to the prediction", "One face of each emotion"
NAMES = ["raw", "gcn", "hist_eq", "gcn+hist_eq", "salt_pepper"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder: the drawn faces are the only dataset."""
    monkeypatch.setenv("FER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def faces(data: Path) -> np.ndarray:
    """A prepared dataset `small`: three faces of each emotion in each split, uint8 (63, 48, 48)."""
    folder = data / "small"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (63, 48, 48), dtype=np.uint8)
    labels = np.tile(np.arange(7, dtype=np.uint8), 9)
    split = np.repeat(["train", "valid", "test"], 21)
    columns = {"images": images, "labels": labels, "ids": np.arange(63).astype(str), "split": split}
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)
    manifest = {"schema_version": SCHEMA_VERSION, "images": 63, "image_shape": [48, 48], "synthetic": False}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "name": "small"}))
    return images


def headings(app: AppTest) -> list[str]:
    """What stands bold, without the strokes before underscores."""
    return [each.value.strip("*").replace("\\", "") for each in app.markdown if each.value.startswith("**")]


def cards(app: AppTest) -> list[str]:
    return [each for each in headings(app) if " · " in each and each[0].isdigit()]


def specs(app: AppTest) -> list[str]:
    return [chart.proto.spec for chart in app.get("vega_lite_chart")]


def linked(app: AppTest) -> list[str]:
    """The pipelines that the link holds."""
    value = app.query_params["pipelines"]
    return [value] if isinstance(value, str) else list(value)


def button(app: AppTest, label: str, position: int = 0) -> "object":
    return [each for each in app.main.get("button") if each.label == label][position]


def test_without_a_dataset_and_a_run_the_sample_photo_is_shown_and_a_sentence_says_how_to_get_fer2013(
    open_page: Open,
) -> None:
    app = open_page("preprocessing")
    assert_sound(app)
    assert app.segmented_control(key="source").value == "Sample photo"
    assert texts(app).count("data download fer2013") == 1
    assert cards(app) == ["1 · gcn", "2 · hist_eq"]
    assert [name for name in NAMES if name in headings(app)] == NAMES
    assert not app.warning


def test_each_emotion_is_shown_through_each_pipeline(faces: np.ndarray, open_page: Open) -> None:
    app = open_page("preprocessing", view=EMOTIONS_VIEW, face_number="2", pipelines=["gcn"])
    assert_sound(app)
    assert "Number 2 of each emotion in small" in texts(app)
    captions = [each.caption for image in app.get("image") for each in image.proto.imgs]
    assert [caption for caption in captions if caption in EMOTIONS] == 2 * list(EMOTIONS)


def test_without_a_dataset_the_drawn_faces_stand_for_each_emotion(open_page: Open) -> None:
    app = open_page("preprocessing", view=EMOTIONS_VIEW)
    assert_sound(app)
    assert "of each emotion in drawn faces" in texts(app)


def test_without_a_network_it_says_how_to_get_one(open_page: Open) -> None:
    app = open_page("preprocessing", view=PREDICTION)
    assert_sound(app)
    assert "No network to ask" in texts(app)


def test_a_face_of_a_dataset_is_shown_as_the_link_says(faces: np.ndarray, open_page: Open) -> None:
    app = open_page("preprocessing", face_split="Test", face_emotion="fear", face_number="3")
    assert_sound(app)
    assert not app.warning
    assert "small · test · fear 3 of 3" in texts(app)
    face = faces[42:][2::7][2]
    assert f"mean {face.mean():.0f}" in texts(app)
    assert "data download fer2013" not in texts(app)


def test_another_emotion_with_fewer_faces_begins_again_at_the_first(faces: np.ndarray, open_page: Open) -> None:
    app = open_page("preprocessing", face_dataset="synthetic", face_number="40")
    assert "angry 40 of" in texts(app)
    app.selectbox(key="face_dataset").set_value("small").run()
    assert_sound(app)
    assert "small · validation · angry 1 of 3" in texts(app)


def test_a_damaged_link_falls_back_and_says_so(faces: np.ndarray, open_page: Open) -> None:
    app = open_page(
        "preprocessing",
        source="Mars",
        face_split="Sideways",
        face_number="999",
        size="big",
        build="nothing",
        noise_seed="-1",
        pipelines=["gcn", "hist_q", "gcn(lam=-1)", "+".join(["median"] * 13), "salt_pepper"],
    )
    assert_sound(app)
    told = "\n".join(warning.value for warning in app.warning).replace("\\", "")
    for wrong in ("Mars", "Sideways", "'999'", "'big'", "'nothing'", "'-1'"):
        assert wrong in told
    assert "Unknown step 'hist_q' (did you mean 'hist_eq'?); choose from clahe" in told
    assert "lam must be between" in told
    assert "at most 12" in told
    assert app.multiselect(key="pipelines").value == ["gcn", "salt_pepper"]
    assert [name for name in headings(app) if name in NAMES] == ["raw", "gcn", "salt_pepper"]
    assert "small · validation · angry 1 of 3" in texts(app)


def test_a_link_that_is_written_by_hand_may_join_steps_by_plus_signs(open_page: Open) -> None:
    app = open_page("preprocessing", pipelines=["gcn(lam=50) hist_eq", "median"])  # as a browser reads `+`
    assert_sound(app)
    assert not app.warning
    assert cards(app) == ["1 · gcn", "2 · hist_eq"]
    assert app.multiselect(key="pipelines").value == ["gcn(lam=50)+hist_eq", "median"]


def test_what_is_typed_and_is_no_pipeline_does_not_stay(open_page: Open) -> None:
    app = open_page("preprocessing", pipelines=["gcn"])
    app.multiselect(key="pipelines").set_value(["gcn", "hist_q"]).run()
    assert_sound(app)
    assert "Left out" in app.warning[0].value
    assert app.multiselect(key="pipelines").value == ["gcn"]
    app.selectbox(key="add_step").set_value("median").run()
    assert linked(app) == ["gcn+median"]


def test_a_step_is_added_moved_set_and_removed_and_the_link_follows(open_page: Open) -> None:
    app = open_page("preprocessing", pipelines=["gcn"])
    app.selectbox(key="add_step").set_value("median").run()
    assert_sound(app)
    assert cards(app) == ["1 · gcn", "2 · median"]
    assert linked(app) == ["gcn+median"]
    app.select_slider(key="gcn_0_lam").set_value(50.0).run()
    assert linked(app) == ["gcn(lam=50)+median"]
    button(app, "Earlier", 1).click().run()
    assert cards(app) == ["1 · median", "2 · gcn"]
    assert app.select_slider(key="gcn_1_lam").value == 50.0
    button(app, "Remove").click().run()
    assert_sound(app)
    assert linked(app) == ["gcn(lam=50)"]
    button(app, "Remove").click().run()
    assert_sound(app)
    assert cards(app) == []
    assert linked(app) == ["raw"]


def test_a_new_pipeline_begins_with_no_step(open_page: Open) -> None:
    app = open_page("preprocessing", pipelines=["gcn", "hist_eq"], build="hist_eq")
    button(app, "New pipeline").click().run()
    assert_sound(app)
    assert cards(app) == []
    app.selectbox(key="add_step").set_value("clahe").run()
    assert_sound(app)
    assert linked(app) == ["gcn", "hist_eq", "clahe"]
    assert cards(app) == ["1 · clahe"]


def test_without_any_pipeline_a_step_begins_one(open_page: Open) -> None:
    app = open_page("preprocessing", pipelines="")
    assert_sound(app)
    assert cards(app) == []
    app.selectbox(key="add_step").set_value("gcn").run()
    assert_sound(app)
    assert linked(app) == ["gcn"]


def test_two_pipelines_that_become_the_same_are_one(open_page: Open) -> None:
    app = open_page("preprocessing", pipelines=["gcn", "gcn(lam=50)"], build="gcn(lam=50)")
    app.select_slider(key="gcn_0_lam").set_value(10.0).run()
    assert_sound(app)
    assert linked(app) == ["gcn"]
    assert cards(app) == ["1 · gcn"]


def test_noise_is_said_to_be_for_training_and_has_a_seed(open_page: Open) -> None:
    app = open_page("preprocessing", pipelines=["salt_pepper", "gcn"], build="salt_pepper", noise_seed="7")
    assert_sound(app)
    assert "training images only" in texts(app)
    assert app.number_input(key="noise_seed").value == 7
    quiet = open_page("preprocessing", pipelines=["gcn"])
    assert "noise_seed" not in [each.key for each in quiet.number_input]


def test_a_picture_without_a_face_is_taken_whole_and_a_bad_one_gets_one_sentence(open_page: Open) -> None:
    app = open_page("preprocessing", source="Upload")
    assert_sound(app)
    assert texts(app).count("go nowhere") == 1
    assert not cards(app)
    app.file_uploader(key="face_upload").upload("wall.png", encoded(np.full((60, 80, 3), 120, np.uint8))).run()
    assert_sound(app)
    assert "No face was found" in texts(app)
    assert "wall.png · whole picture" in texts(app)
    assert cards(app)
    for name in ("text.jpg", "notes.txt"):
        app.file_uploader(key="face_upload").upload(name, b"this is no picture").run()
        assert not app.exception
        assert [error.value for error in app.error] == [
            f"'{name}' is not a picture; choose a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF file."
        ]
        assert not cards(app)


def test_an_uploaded_face_is_found_and_cropped(open_page: Open) -> None:
    app = open_page("preprocessing", source="Upload")
    app.file_uploader(key="face_upload").upload("face.jpg", encoded(astronaut(), "JPEG")).run()
    assert_sound(app)
    assert "face.jpg · face 1 of" in texts(app)
    app.selectbox(key="face_part").set_value("Whole picture").run()
    assert_sound(app)
    assert "face.jpg · whole picture" in texts(app)


def test_a_snapshot_of_the_camera_is_read_like_a_photo(open_page: Open) -> None:
    app = open_page("preprocessing", source="Camera")
    assert_sound(app)
    assert "Take a photo" in texts(app)
    app.camera_input(key="face_camera").set_value(("shot.jpg", encoded(astronaut(), "JPEG"), "image/jpeg")).run()
    assert_sound(app)
    assert "Camera · face 1 of" in texts(app)


def test_one_network_reads_the_face_through_each_technique_but_noise(store: RunStore, open_page: Open) -> None:
    make_run(store, architecture="linear", preprocessing="gcn", weights=True)
    app = open_page("preprocessing", view=PREDICTION)
    assert_sound(app)
    table = app.dataframe[-1].value
    assert list(table["technique"]) == ["raw", "gcn", "hist_eq", "gcn+hist_eq"]
    assert table[list(EMOTIONS)].sum(axis=1).tolist() == pytest.approx([100] * 4, abs=0.01)
    assert table[list(EMOTIONS)].drop_duplicates().shape[0] >= 3, "techniques move the probabilities"
    assert "It was trained with gcn. Without salt_pepper" in texts(app)
    assert any(all(color in spec for color in EMOTION_COLORS.values()) for spec in specs(app))


def test_what_a_network_says_of_its_own_technique_is_what_it_says_by_itself(store: RunStore, open_page: Open) -> None:
    make_run(store, architecture="linear", preprocessing="gcn", weights=True)
    one = open_page("preprocessing", view=PREDICTION, pipelines=["gcn"])
    own = open_page("preprocessing", view=PREDICTION, pipelines=["gcn"], network="The network of each technique")
    assert_sound(own)
    assert list(own.dataframe[-1].value["technique"]) == ["gcn"]
    assert "trained with raw." in texts(own)
    through = one.dataframe[-1].value.set_index("technique").loc["gcn", list(EMOTIONS)]
    itself = own.dataframe[-1].value.set_index("technique").loc["gcn", list(EMOTIONS)]
    np.testing.assert_allclose(np.asarray(through, float), np.asarray(itself, float), rtol=1e-6)


def test_the_networks_of_the_techniques_are_compared_where_there_are_some(store: RunStore, open_page: Open) -> None:
    make_run(store, architecture="mini_xception", weights=True, accuracy=0.9)
    for seed, preprocessing in enumerate(("raw", "gcn", "salt_pepper")):
        make_run(store, architecture="linear", preprocessing=preprocessing, weights=True, accuracy=0.4 + seed / 10)
    app = open_page("preprocessing", view=PREDICTION, network="The network of each technique")
    assert_sound(app)
    table = app.dataframe[-1].value
    assert list(table["technique"]) == ["raw", "gcn", "salt_pepper"]
    assert all(name.startswith(f"linear__{technique}__") for name, technique in table[["network", "technique"]].values)
    assert "trained with hist_eq, gcn+hist_eq" in texts(app).replace("\\", "")


def test_a_face_that_the_network_may_have_learnt_from_is_said_to_be_one(
    faces: np.ndarray, store: RunStore, open_page: Open
) -> None:
    make_run(store, architecture="linear", dataset="small", weights=True)
    assert "may have learnt from this face" in texts(open_page("preprocessing", view=PREDICTION, face_split="Training"))
    assert "may have learnt from this face" not in texts(open_page("preprocessing", view=PREDICTION, face_split="Test"))


def test_an_ensemble_is_not_asked_as_its_members_preprocess_for_themselves(store: RunStore, open_page: Open) -> None:
    members = [make_run(store, name, weights=True, accuracy=0.5) for name in ("linear", "mini_xception")]
    ensemble = make_ensemble(members, store)
    app = open_page("preprocessing", view=PREDICTION, run=ensemble.id)
    assert_sound(app)
    assert "is an ensemble, whose members preprocess for themselves" in texts(app)
    assert app.selectbox(key="run_picker").value in {member.id for member in members}
