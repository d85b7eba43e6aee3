"""What the Preprocessing page counts, draws and builds, without the page."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from dashboard.preprocess import charts, drawing
from dashboard.preprocess import frames as preprocess_frames
from dashboard.preprocess.chain import rungs, swapped, with_argument, with_step, without_step
from dashboard.preprocess.frames import Frame, frames_of
from dashboard.preprocess.tables import (
    Reading,
    counterparts,
    finding,
    long_probabilities,
    probabilities,
    trained_otherwise,
)
from dashboard.summaries import RunShelf
from fer_core.chain import ChainError
from fer_core.labels import EMOTIONS
from fer_core.preprocessing import STEPS, Pipeline
from fer_core.runs import RunStore
from tests.dashboard.runs import make_run


def frames(text: str, image: np.ndarray) -> list[Frame]:
    import torch

    return frames_of(Pipeline.parse(text).trace(torch.from_numpy(image)[None, None], training=True))


@pytest.fixture
def ramp() -> np.ndarray:
    """Every grey level nine times, uint8 (48, 48)."""
    return (np.arange(48 * 48) // 9).astype(np.uint8).reshape(48, 48)


@pytest.mark.parametrize("name", STEPS.names())
def test_every_slider_climbs_from_the_lowest_to_the_highest_value_past_the_default(name: str) -> None:
    for argument in STEPS.get(name).arguments():
        values = rungs(argument, argument.default)
        assert values == sorted(set(values))
        assert (values[0], values[-1]) == (argument.low, argument.high)
        assert argument.default in values
        assert 3 <= len(values) <= 100
        assert {type(each) for each in values} == {argument.kind}
        for value in values:
            STEPS.get(name)(**{argument.name: value})


def test_a_slider_shows_a_value_that_only_a_link_can_hold() -> None:
    (lam,) = (each for each in STEPS.get("gcn").arguments() if each.name == "lam")
    values = rungs(lam, 12.34)
    assert 12.34 in values
    assert {1.0, 2.0, 5.0, 10.0, 1e5} <= set(values)


def test_a_pipeline_is_built_step_by_step() -> None:
    pipeline = with_step(with_step(Pipeline.parse("raw"), "gcn"), "hist_eq")
    assert str(pipeline) == "gcn+hist_eq"
    assert str(with_argument(pipeline, 0, "lam", 50.0)) == "gcn(lam=50)+hist_eq"
    assert str(swapped(pipeline, 0)) == "hist_eq+gcn"
    assert str(without_step(pipeline, 0)) == "hist_eq"
    assert str(without_step(without_step(pipeline, 0), 0)) == "raw"
    with pytest.raises(ChainError, match="lam must be between"):
        with_argument(pipeline, 0, "lam", -1.0)


def test_a_frame_tells_its_step_and_whether_training_alone_sees_it(ramp: np.ndarray) -> None:
    raw, gcn, noise = frames("gcn+salt_pepper", ramp)
    assert [frame.step for frame in (raw, gcn, noise)] == ["raw", "gcn", "salt_pepper"]
    assert [frame.training_only for frame in (raw, gcn, noise)] == [False, False, True]
    assert raw.milliseconds == 0 < gcn.milliseconds
    np.testing.assert_array_equal(raw.image, ramp)


def test_a_face_that_is_not_found_is_noted(ramp: np.ndarray) -> None:
    raw, crop = frames("face_crop", ramp)
    assert (raw.note, crop.note) == ("", "no face found, the picture is kept")
    assert preprocess_frames.changed_share(crop, raw) == 0


def test_a_histogram_counts_every_pixel_once(ramp: np.ndarray) -> None:
    (frame,) = frames("raw", ramp)
    assert preprocess_frames.histogram(frame).tolist() == [9] * 256
    table = preprocess_frames.histogram_table(frame, None)
    assert table["after"].sum() == pytest.approx(1)
    assert table["after"].nunique() == 1
    assert table[["level", "to"]].iloc[[0, -1]].values.tolist() == [[0, 3], [252, 255]]


def test_a_colour_picture_is_counted_in_its_luminance() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[..., 1] = 100
    assert set(Frame("raw", image).gray.ravel().tolist()) == {59}


def test_a_difference_has_a_sign_and_its_colours_meet_in_the_middle() -> None:
    before, after = Frame("raw", np.array([[0, 100, 200]], np.uint8)), Frame("x", np.array([[100, 100, 100]], np.uint8))
    difference = preprocess_frames.difference(after, before)
    assert difference.tolist() == [[100, 0, -100]]
    assert preprocess_frames.changed_share(after, before) == pytest.approx(2 / 3)
    colors = drawing.colored(difference, ["#FF0000", "#FFFFFF", "#0000FF"])
    assert colors.tolist() == [[[0, 0, 255], [255, 255, 255], [255, 0, 0]]]
    assert drawing.span(np.zeros((2, 2), np.int16)) == drawing.LEAST_SPAN


def test_a_small_face_is_shown_with_its_own_pixels() -> None:
    url = drawing.shown(np.array([[0, 255], [255, 0]], np.uint8), 10)
    import base64

    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))
    assert picture.shape == (10, 10)
    assert set(np.unique(picture).tolist()) == {0, 255}
    assert (picture[:5, 5:] == 255).all()


def test_numbers_and_pictures_are_saved_whole(ramp: np.ndarray) -> None:
    traces = {"raw": frames("raw", ramp), "gcn+hist_eq": frames("gcn+hist_eq", ramp)}
    saved = np.load(io.BytesIO(preprocess_frames.to_npz(traces)))
    assert saved["pipelines"].tolist() == ["raw", "gcn+hist_eq"]
    assert saved["steps_1"].tolist() == ["raw", "gcn", "hist_eq"]
    np.testing.assert_array_equal(saved["pictures_1"][2], traces["gcn+hist_eq"][2].image)
    assert saved["histograms_1"].sum(axis=1).tolist() == [48 * 48] * 3
    table = preprocess_frames.table(traces)
    assert list(zip(table["pipeline"], table["position"], table["step"], strict=True))[1:] == [
        ("gcn+hist_eq", 0, "raw"),
        ("gcn+hist_eq", 1, "gcn"),
        ("gcn+hist_eq", 2, "hist_eq"),
    ]
    assert table["changed"].iloc[0] == 0 < table["changed"].iloc[2]


def test_the_sheet_holds_every_picture(ramp: np.ndarray) -> None:
    data = drawing.sheet({"gcn": [("raw", ramp), ("a long name " * 9, ramp)], "none": [("raw", ramp)]})
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG"
    assert picture.width >= 2 * drawing.CELL
    assert picture.height >= 2 * drawing.CELL


def test_charts_are_made_once_and_take_their_rows_later() -> None:
    for text in (
        charts.histogram(with_before=True),
        charts.probability_lines(tuple(EMOTIONS), 4),
    ):
        spec = json.loads(text)
        assert spec["data"] == {"name": charts.ROWS}
        assert "datasets" not in spec
    assert len(json.loads(charts.histogram(with_before=False))["layer"]) == 1
    assert charts.histogram(with_before=True) is charts.histogram(with_before=True)


def reading(technique: str, **shares: float) -> Reading:
    return Reading(technique, "a run", shares)


def test_the_finding_names_both_ends_and_how_many_agree() -> None:
    readings = [reading("raw", angry=0.3, fear=0.7), reading("gcn", angry=0.6, fear=0.4)]
    told = finding(readings, "angry").replace("\N{NO-BREAK SPACE}", " ")
    assert told == "Angry goes from 30.0 % with raw to 60.0 % with gcn; 1 of 2 say angry"
    assert finding(readings, "").startswith("Fear goes from")
    assert finding(readings, "disgust").startswith("Fear goes from"), "the network does not know disgust"
    assert finding(readings[:1], "angry").startswith("raw: fear, 70.0")


def test_probabilities_are_a_row_a_technique_and_a_line_an_emotion() -> None:
    readings = [reading("raw", angry=0.25, fear=0.75), reading("gcn", angry=0.5, fear=0.5)]
    wide, rows = probabilities(readings), long_probabilities(readings)
    assert wide[["technique", "emotion", "angry", "fear"]].values.tolist() == [
        ["raw", "fear", 25, 75],
        ["gcn", "angry", 50, 50],
    ]
    assert rows.groupby("technique")["probability"].sum().tolist() == [1, 1]


def test_a_counterpart_differs_in_its_preprocessing_alone(store: RunStore) -> None:
    chosen = make_run(store, preprocessing="raw", dataset="fer2013", weights=True, accuracy=0.5)
    same = make_run(store, preprocessing="gcn", dataset="fer2013", weights=True, accuracy=0.55)
    make_run(store, preprocessing="gcn", dataset="fer2013", weights=True, accuracy=0.4, seed=1)
    make_run(store, preprocessing="hist_eq", dataset="synthetic", weights=True)
    make_run(store, preprocessing="median", dataset="fer2013", weights=True, recipe="paper")
    make_run(store, preprocessing="clahe", dataset="fer2013")  # its weights are not here
    runs = RunShelf().read(store)
    (run,) = (each for each in runs if each.id == chosen.id)
    found = counterparts(run, runs, ["raw", "gcn", "hist_eq", "median", "clahe"])
    assert {name: each.id for name, each in found.items()} == {"raw": chosen.id, "gcn": same.id}


def test_the_archive_is_a_zip_without_pickles(ramp: np.ndarray) -> None:
    data = preprocess_frames.to_npz({"raw": frames("raw", ramp)})
    assert all(name.endswith(".npy") for name in zipfile.ZipFile(io.BytesIO(data)).namelist())
    assert np.load(io.BytesIO(data), allow_pickle=False)["pictures_0"].dtype == np.uint8


def test_what_networks_of_other_techniques_were_trained_with_is_told(store: RunStore) -> None:
    for technique, epochs in (("raw", 30), ("gcn", 25), ("hist_eq", 30)):
        make_run(store, "linear", technique, weights=True, epochs=epochs, seed=epochs)
    runs = RunShelf().read(store)
    (raw,) = [run for run in runs if run.spec and run.spec.preprocessing == "raw"]
    found = counterparts(raw, runs, ["raw", "gcn", "hist_eq"])
    assert list(found) == ["raw", *[name for name in found if name != "raw"]]
    assert set(found) == {"raw", "gcn", "hist_eq"}
    assert trained_otherwise(raw, found) == {"gcn": ["epochs"]}
