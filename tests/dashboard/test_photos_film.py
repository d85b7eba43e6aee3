"""The Photos page, on videos."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.photos.film import Film
from dashboard.photos.record import Record
from dashboard.photos.video import FILM
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_run
from tests.dashboard.test_overview import assert_sound, texts
from tests.dashboard.test_photos_parts import prediction

Open = Callable[..., AppTest]


@pytest.fixture
def trained(store: RunStore) -> RunStore:
    """A store with one run that can predict."""
    make_run(store, architecture="linear", weights=True, accuracy=0.4)
    return store


def test_the_video_part_waits_for_a_video_and_says_what_becomes_of_it(trained: RunStore, open_page: Open) -> None:
    app = open_page("photos", view="Video")
    assert_sound(app)
    (button,) = [each for each in app.button if each.label == "Read the video"]
    assert button.disabled
    assert "temporary files that it removes" in texts(app)
    assert texts(app).count("An expression is not a feeling") == 1
    assert not app.dataframe


def finished_film(runs: list[Run], frames: int = 40) -> Film:
    """A video that was read: one face, which the second run reads as another emotion from the middle on."""
    record = Record(tuple(run.id for run in runs))
    for frame in range(frames):
        emotions = ("happy", "happy" if frame < frames // 2 else "sad")
        readings = [prediction((5, 5, 40, 40), emotion) for emotion in emotions[: len(runs)]]
        record.add(frame, frame / 10, 1, readings)
    return Film("holiday.mp4", "finished", fps=10.0, frames=frames, frame=frames, looked_at=frames, record=record)


def open_film(open_page: Open, runs: list[Run], film: Film, **link: str) -> AppTest:
    app = open_page("photos", view="Video", run=runs[0].id, beside=[run.id for run in runs[1:]], **link)
    app.session_state[FILM] = film
    names = {run.id: run.spec.preprocessing for run in runs}
    app.session_state["film_settings"] = {"runs": names, "annotated_by": runs[0].id}
    return app.run()


def test_a_video_that_several_runs_read_shows_a_chart_and_rows_of_each(trained: RunStore, open_page: Open) -> None:
    second = make_run(trained, architecture="linear", preprocessing="hist_eq", weights=True, seed=1, accuracy=0.3)
    first = trained.get("linear__raw")
    app = open_film(open_page, [first, second], finished_film([first, second]))
    assert_sound(app)
    assert "1 face in 40 frames · runs agree on 50\N{NO-BREAK SPACE}% of the readings" in texts(app)
    assert len(app.get("vega_lite_chart")) == 2
    table = app.dataframe[0].value
    assert list(table["run"][:4]) == ["A", "B"] * 2
    assert list(table["emotion"].iloc[-2:]) == ["happy", "sad"]
    assert app.segmented_control(key="annotated_by").options == ["A", "B"]
    app.segmented_control(key="chart_run").set_value("B").run()
    assert_sound(app)
    assert len(app.get("vega_lite_chart")) == 1
    assert "**B** hist\\_eq" in texts(app)


def test_the_table_of_a_long_video_shows_its_first_rows_and_says_so(
    trained: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.photos.video.SHOWN_ROWS", 30)
    run = trained.get("linear__raw")
    app = open_film(open_page, [run], finished_film([run]))
    assert_sound(app)
    assert len(app.dataframe[0].value) == 30
    assert "The first 30 of 40 rows; the files hold all." in texts(app)
    assert len(app.get("vega_lite_chart")) == 1
    assert "agree" not in texts(app)


def test_the_faces_of_a_long_video_of_a_crowd_are_named_at_one_look_at_what_was_read(
    trained: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained.get("linear__raw")
    crowd = finished_film([run], 0)
    for number in range(1, 31):
        crowd.record.add(0, 0.0, number, [prediction((5, 5, 40, 40), "happy" if number % 2 else "sad")])
    looks: list[int] = []
    emotions = Record.emotions
    monkeypatch.setattr(Record, "emotions", lambda *given: looks.append(1) or emotions(*given))
    app = open_film(open_page, [run], crowd)
    assert_sound(app)
    (field,) = [each for each in app.selectbox if each.label == "Face, seen longest first"]
    assert list(field.options[:2]) == ["1 · 1 frame, mostly happy", "2 · 1 frame, mostly sad"]
    assert len(field.options) == 30
    assert len(looks) <= 4, "each look copies the whole record"
