"""The Dataset page: what is in a dataset, its averages, its audit, and labels that may be wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data import charts, form, tables
from dashboard.summaries import RunShelf
from fer_core.architectures.ensemble import NAME, Member
from fer_core.datasets.cache import SCHEMA_VERSION
from fer_core.evaluation import evaluate_run
from fer_core.labels import EMOTIONS
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, metrics, texts

Open = Callable[..., AppTest]
IMAGES = 84  # four of each emotion in each split


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder: the drawn faces are the only dataset."""
    monkeypatch.setenv("FER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def images(data: Path) -> np.ndarray:
    """A prepared dataset `small`, uint8 (84, 48, 48); image 0 is in every split, once as disgust; image 5 is flat."""
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 48, 48), dtype=np.uint8)
    images[[29, 56]] = images[0]
    images[5] = 90
    save(data / "small", images)
    return images


def save(folder: Path, images: np.ndarray, **told: object) -> None:
    """A prepared dataset with images of each emotion in turn, a third of them in each split; `told` in its manifest."""
    folder.mkdir(parents=True)
    n = len(images)
    labels = np.tile(np.arange(7, dtype=np.uint8), n // 7)
    ids = np.array([f"{EMOTIONS[label]}/{row:03d}" for row, label in enumerate(labels)])
    columns = {"images": images, "labels": labels, "ids": ids, "split": np.repeat(["train", "valid", "test"], n // 3)}
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)
    manifest = {"schema_version": SCHEMA_VERSION, "images": n, "image_shape": list(images.shape[1:])}
    text = json.dumps(
        {**manifest, "name": folder.name, "synthetic": False, "conversions": ["84 pictures resized"], **told}
    )
    (folder / "manifest.json").write_text(text)


def make_judge(store: RunStore, doubted: int = 30, **changes: object) -> Run:
    """A run of `small` that is sure of every label but that of image `doubted`, which it calls happy."""
    run = make_run(store, dataset="small", n=28, **changes)  # type: ignore[arg-type]
    arrays = {}
    for split, rows in (("valid", np.arange(28, 56)), ("test", np.arange(56, 84))):
        labels = rows % 7
        called = np.where(rows == doubted, 3, labels)
        probabilities = np.full((28, 7), 0.02) + 0.86 * np.eye(7)[called]
        ids = np.array([f"{EMOTIONS[label]}/{row:03d}" for row, label in zip(rows, labels, strict=True)])
        arrays |= {f"{split}_ids": ids, f"{split}_labels": labels, f"{split}_probabilities": probabilities}
    run.save_predictions(arrays)
    evaluate_run(run)
    return run


def spec_of(app: AppTest, place: int = 0) -> str:
    return str(app.get("vega_lite_chart")[place].proto.spec)


def pictures(app: AppTest) -> int:
    return sum(len(image.proto.imgs) for image in app.get("image"))


def test_without_a_dataset_the_drawn_faces_are_shown_as_such_and_a_sentence_says_how_to_get_others(
    open_page: Open,
) -> None:
    app = open_page("data")
    assert_sound(app)
    assert app.selectbox(key="dataset").value == "synthetic"
    assert texts(app).count("data download fer2013") == 1
    assert "These faces are drawn" in texts(app)
    assert metrics(app)["Images"] == "2,100"


def test_the_overview_counts_emotions_and_splits(images: np.ndarray, open_page: Open) -> None:
    app = open_page("data")
    assert_sound(app)
    assert app.selectbox(key="dataset").value == "small"
    shown = metrics(app)
    assert (shown["Images"], shown["Splits"], shown["Imbalance"]) == ("84", "28 / 28 / 28", "1.0 : 1")
    assert "All 7 emotions are about equally frequent" in texts(app)
    table = app.dataframe[0].value
    assert list(table["emotion"]) == list(EMOTIONS)
    assert table[["Training", "Validation", "Test", "Images"]].sum().tolist() == [28, 28, 28, 84]
    assert "84 pictures resized" in app.dataframe[-1].value["value"].tolist()


def test_faces_of_a_split_are_shown_in_pages_that_the_link_names(data: Path, open_page: Open) -> None:
    save(data / "many", np.random.default_rng(0).integers(0, 256, (231, 48, 48), dtype=np.uint8))
    app = open_page("data", samples_split="Test")
    assert_sound(app)
    assert pictures(app) == 7 * 10
    last = open_page("data", samples_split="Test", samples_page="2")
    assert_sound(last)
    assert pictures(last) == 7 * 1
    assert "11 to 11 of 11" in texts(last)


def test_averages_show_the_mean_of_all_and_of_each_emotion(images: np.ndarray, open_page: Open) -> None:
    app = open_page("data", view="Averages", averages_split="Training")
    assert_sound(app)
    assert "The mean of 28 faces" in texts(app)
    assert pictures(app) == 8
    table = app.dataframe[0].value.set_index("emotion")
    assert table.loc["angry", "brightness"] == pytest.approx(images[:28:7].mean(), rel=1e-4)
    assert table.loc["all", "images"] == 28
    changes = open_page("data", view="Averages", mean_kind="Difference from all")
    assert_sound(changes)
    assert pictures(changes) == 7


def test_the_audit_shows_each_group_once_with_the_labels_of_its_images(images: np.ndarray, open_page: Open) -> None:
    app = open_page("data", view="Audit")
    assert_sound(app)
    shown = metrics(app)
    assert (shown["Surplus copies"], shown["Conflicting labels"], shown["Across splits"]) == ("2", "1", "1")
    assert (shown["Test leaks"], shown["Validation leaks"], shown["One grey level"]) == ("1", "1", "1")
    assert pictures(app) == 1
    assert "**angry** training  \n**disgust** validation  \n**angry** test" in texts(app)
    flat = open_page("data", view="Audit", audit_show="One grey level")
    assert "1 image of a single grey level" in texts(flat)
    assert "**surprise** training" in texts(flat)


def test_a_clean_dataset_is_said_to_be_clean(open_page: Open) -> None:
    app = open_page("data", view="Audit", dataset="synthetic")
    assert_sound(app)
    assert "No image is here twice with different labels." in texts(app)


def test_the_sizes_of_the_originals_are_drawn_where_the_preparation_wrote_them_down(
    data: Path, open_page: Open
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 48, 48), dtype=np.uint8)
    save(data / "small", images, original_sizes=[[640, 480, 63], [40, 60, 21]])
    app = open_page("data", view="Averages")
    assert_sound(app)
    assert "The originals have 2 sizes: 75.0\N{NO-BREAK SPACE}% are 640" in texts(app)
    assert "25.0\N{NO-BREAK SPACE}% are smaller than they are prepared" in texts(app)
    table = app.dataframe[-1].value
    assert table[["width", "height", "images"]].values.tolist() == [[640, 480, 63], [40, 60, 21]]
    assert len(app.get("vega_lite_chart")) == 3


def test_many_sizes_are_told_by_their_range() -> None:
    sizes = [(side, side + 5, 1) for side in range(30, 60)]
    assert tables.size_finding(sizes, (40, 40)) == (
        "The originals have 30 sizes: their shorter sides are of 30 to 59 pixels; "
        "33.3\N{NO-BREAK SPACE}% are smaller than they are prepared"
    )


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"original_sizes": [[48, 48, IMAGES]]}, "as they are prepared here. Before: all 48 × 48; 84 pictures resized"),
        ({}, "Prepare the dataset again to see the sizes of the originals"),
        ({"conversions": ["84 images of 48x48 kept"]}, "All 84 images are 48\N{NO-BREAK SPACE}×"),
    ],
)
def test_one_size_and_unknown_sizes_are_a_sentence(
    data: Path, open_page: Open, told: dict[str, object], sentence: str
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 48, 48), dtype=np.uint8)
    save(data / "small", images, **told)
    app = open_page("data", view="Averages")
    assert_sound(app)
    assert sentence in texts(app)
    assert len(app.get("vega_lite_chart")) == 2
    assert ("Prepare the dataset again" in texts(app)) == (not told)


def test_sides_of_one_size_have_a_bin_and_every_image_is_counted() -> None:
    assert tables.side_bins([(48, 48, 10)])["images"].sum() == 10
    bins = tables.side_bins([(640, 480, 3), (30, 20, 1)])
    assert bins["images"].iloc[0] == 1
    assert bins["images"].iloc[-1] == 3
    assert bins["mean"].iloc[0] == pytest.approx(365)


def test_runs_without_an_emotion_say_so_and_are_not_asked_with_those_that_know_it(
    images: np.ndarray, store: RunStore, open_page: Open
) -> None:
    six = tuple(emotion for emotion in EMOTIONS if emotion != "disgust")
    narrow = make_run(store, dataset="small", n=28, emotions=six)
    alone = open_page("data", view="Label errors")
    assert_sound(alone)
    assert "These runs were trained without disgust: images labelled so are not judged" in texts(alone)
    assert alone.multiselect(key="doubting_runs").value == [narrow.id]
    whole = make_judge(store)
    both = open_page("data", view="Label errors", runs=f"{whole.id},{narrow.id}")
    assert_sound(both)
    assert both.multiselect(key="doubting_runs").value == [whole.id]
    assert len(both.multiselect(key="doubting_runs").options) == 1
    assert "1 run trained without disgust cannot be asked with these" in texts(both)
    assert "These runs were trained without" not in texts(both)
    assert "no such run can be asked about these labels" in texts(both)


def test_a_doubted_label_is_shown_with_what_it_may_be(images: np.ndarray, store: RunStore, open_page: Open) -> None:
    make_judge(store)
    app = open_page("data", view="Label errors")
    assert_sound(app)
    shown = metrics(app)
    assert (shown["Images judged"], shown["Doubted labels"], shown["Most doubted"]) == ("56", "1", "fear")
    assert "labelled **fear** 1" in texts(app)
    assert "may be **happy** 96" in texts(app)
    assert pictures(app) == 1
    assert "what is labelled fear may be happy: 12.5" in texts(app)


def test_candidates_are_filtered_by_their_label_and_by_the_link(
    images: np.ndarray, store: RunStore, open_page: Open
) -> None:
    make_judge(store)
    app = open_page("data", view="Label errors", labelled="sad")
    assert_sound(app)
    assert "0 candidates labelled sad" in texts(app)
    assert pictures(app) == 0
    assert pictures(open_page("data", view="Label errors", labelled="fear", suggested="happy")) == 1


def test_the_link_chooses_whose_mean_is_taken_and_one_that_is_not_here_is_said(
    images: np.ndarray, store: RunStore, open_page: Open
) -> None:
    first, second = make_judge(store, doubted=30), make_judge(store, doubted=32, seed=1)
    one = open_page("data", view="Label errors", runs=second.id.rsplit("__", 1)[-1])
    assert_sound(one)
    assert one.multiselect(key="doubting_runs").value == [second.id]
    assert "labelled **sad**" in texts(one)
    assert "labelled **fear**" not in texts(one)
    both = open_page("data", view="Label errors", runs=f"{first.id},nowhere")
    assert_sound(both)
    assert "names nowhere" in texts(both)
    assert "labelled **fear**" in texts(both)
    assert set(open_page("data", view="Label errors").multiselect(key="doubting_runs").value) == {first.id, second.id}


def test_another_choice_of_runs_stands_in_the_link(images: np.ndarray, store: RunStore, open_page: Open) -> None:
    first, second = make_judge(store, doubted=30), make_judge(store, doubted=32, seed=1)
    app = open_page("data", view="Label errors")
    hashes = {run.id.rsplit("__", 1)[-1] for run in (first, second)}
    assert set("".join(app.query_params["runs"]).split(",")) == hashes
    app.multiselect(key="doubting_runs").set_value([second.id]).run()
    assert_sound(app)
    assert "".join(app.query_params["runs"]) == second.id.rsplit("__", 1)[-1]
    assert metrics(app)["Judged by"] == "1"
    app.multiselect(key="doubting_runs").set_value([]).run()
    assert_sound(app)
    assert "Choose a run" in texts(app)
    assert first.id not in texts(app)


def test_runs_that_agree_with_few_labels_are_said_to_be_poor_judges(
    images: np.ndarray, store: RunStore, open_page: Open
) -> None:
    make_run(store, dataset="small", accuracy=0.2)
    assert "most of these doubts are their own errors" in texts(open_page("data", view="Label errors"))
    judge = make_judge(store, seed=1).id.rsplit("__", 1)[-1]
    assert "their own errors" not in texts(open_page("data", view="Label errors", runs=judge))


def test_another_dataset_does_not_ask_for_the_runs_of_the_first(
    images: np.ndarray, store: RunStore, open_page: Open
) -> None:
    make_judge(store)
    app = open_page("data", view="Label errors")
    app.selectbox(key="dataset").set_value("synthetic").run()
    assert_sound(app)
    assert not app.warning
    assert "No run to ask" in texts(app)
    app.selectbox(key="dataset").set_value("small").run()
    assert metrics(app)["Doubted labels"] == "1"


def test_without_a_run_of_the_dataset_it_says_how_to_get_one(
    images: np.ndarray, store: RunStore, open_page: Open
) -> None:
    make_run(store, dataset="synthetic")
    app = open_page("data", view="Label errors")
    assert_sound(app)
    assert "No run to ask" in texts(app)
    assert "train --dataset small" in app.code[0].value


def test_images_that_are_not_prepared_here_are_listed_by_their_id(
    images: np.ndarray, store: RunStore, open_page: Open
) -> None:
    make_run(store, dataset="small", accuracy=0.5)
    app = open_page("data", view="Label errors")
    assert_sound(app)
    assert "images are not in small as it is prepared here" in texts(app)
    assert {"id", "label", "suggested"} <= set(app.dataframe[0].value)


def test_descriptors_are_counted_and_have_no_pictures(data: Path, open_page: Open) -> None:
    save(data / "table", np.random.default_rng(0).normal(size=(84, 10)))
    for view in ("Overview", "Averages", "Audit"):
        app = open_page("data", view=view)
        assert_sound(app)
        assert pictures(app) == 0
    assert "10 descriptors" in [metric.delta for metric in open_page("data").metric]
    assert "holds descriptors of faces" in texts(open_page("data", view="Averages"))


def test_a_damaged_dataset_gets_one_sentence(images: np.ndarray, data: Path, open_page: Open) -> None:
    (data / "small" / "labels.npy").write_bytes(b"no array")
    app = open_page("data")
    assert not app.exception
    assert len(app.error) == 1
    assert "damaged" in app.error[0].value


def test_a_damaged_link_falls_back_and_says_so(images: np.ndarray, open_page: Open) -> None:
    app = open_page("data", dataset="mars", view="Moon", samples_split="Sideways", samples_page="99")
    assert_sound(app)
    told = "\n".join(warning.value for warning in app.warning)
    for wrong in ("'mars'", "'Moon'", "'Sideways'", "'99'"):
        assert wrong in told
    assert metrics(app)["Images"] == "84"


def test_the_sentence_on_the_balance_names_both_ends() -> None:
    counts = {"train": dict(zip(EMOTIONS, (10, 2, 10, 28, 20, 15, 15), strict=True))}
    totals = tables.totals(counts)
    assert tables.imbalance(totals) == 14
    assert "Happy is the most frequent (28.0" in tables.balance_sentence(totals)
    assert "disgust the rarest (2.0" in tables.balance_sentence(totals)


def test_emotions_that_a_dataset_lacks_are_left_out() -> None:
    counts = {"": {**dict.fromkeys(EMOTIONS, 4), "disgust": 0}}
    assert "disgust" not in tables.totals(counts)
    assert list(tables.class_table(counts)) == ["emotion", "Images", "Share (%)"]


def test_a_histogram_holds_every_value() -> None:
    bins = tables.histogram(np.array([0.0, 10, 10, 255]), tables.BRIGHTNESS_ENDS)
    assert (bins["images"].sum(), bins["share"].sum()) == (4, 1)
    assert charts.histogram(bins.assign(mean=68.75), "grey level").to_dict()["layer"]


def test_a_group_is_listed_with_its_number() -> None:
    labelled = pd.DataFrame({"label": ["sad", "fear", "sad"], "split": ["train", "", ""]}, index=["a", "b", "c"])
    labelled.index.name = "id"
    found = tables.group_table([np.array([0, 2]), np.array([1])], labelled)
    assert found.to_numpy().tolist() == [[1, "a", "sad", "train"], [1, "c", "sad", ""], [2, "b", "fear", ""]]
    assert tables.members(["sad", "sad", "fear"], ["test", "test", ""]) == ["**sad** test × 2", "**fear**"]


def test_an_ensemble_is_not_counted_beside_its_members_unless_it_is_chosen(store: RunStore) -> None:
    linear = make_run(store, architecture="linear", accuracy=0.8)
    make_run(store, architecture="mini_xception", accuracy=0.7)
    member = Member(linear.id, "linear", "raw", temperature=1.0, weight=1.0).to_json()
    make_run(store, architecture=NAME, accuracy=0.9, architecture_arguments={"members": [member]})
    candidates = form.fitting(RunShelf().read(store), "synthetic")
    names = [run.spec.architecture for run in candidates if run.spec]
    assert names == ["ensemble:weighted", "linear", "mini_xception"]
    assert [run.spec.architecture for run in form.first_runs(candidates) if run.spec] == names[1:]
