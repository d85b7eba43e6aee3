"""Tags, notes and the archive on the Run page."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import permissions
from dashboard.permissions import Permission
from fer_core.runs import RunStore, change_notes, read_notes
from tests.dashboard.runs import make_run, make_unfinished
from tests.dashboard.test_overview import assert_sound, texts

Open = Callable[..., AppTest]


@pytest.fixture
def at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "of_address", lambda *_: Permission(True, who=permissions.AT_THIS_MACHINE))


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def editor(root: str, name: str) -> None:
    from pathlib import Path

    from dashboard import run_buttons
    from dashboard.summaries import RunShelf, find
    from fer_core.runs import RunStore

    run = find(RunShelf().read(RunStore(Path(root))), name)
    assert run is not None
    run_buttons.annotate([run])


@pytest.mark.usefixtures("at_this_machine")
def test_tags_and_note_are_shown_and_changed(store: RunStore, open_page: Open) -> None:
    run, other = make_run(store, n=200), make_run(store, n=200, accuracy=0.5, seed=1)
    change_notes(run, tags=["small net"], note="The *first* one\nthat learnt")
    change_notes(other, tags=["wide"])
    app = open_page("run", run=run.id)
    assert_sound(app)
    assert "small net" in texts(app)
    assert r"The \*first\* one" in texts(app)
    press(app, "Tags and note")
    assert_sound(app)
    (field,) = [each for each in app.multiselect if each.label == "Tags"]
    assert list(field.options) == ["small net", "wide"], "tags of other runs are offered"
    assert field.value == ["small net"]
    # AppTest runs a dialog's script as a whole, so the fields are filled where nothing else stands
    app = AppTest.from_function(editor, kwargs={"root": str(store.root), "name": run.id}, default_timeout=60).run()
    app.multiselect[0].set_value(["wide"])
    app.text_area[0].set_value("Kept for the talk")
    press(app, "Save")
    assert_sound(app)
    assert read_notes(run).tags == ("wide",)
    assert read_notes(run).note == "Kept for the talk"
    assert read_notes(run).by == permissions.AT_THIS_MACHINE
    assert "Kept for the talk" in texts(open_page("run", run=run.id))


def test_where_all_finished_runs_are_archived_the_overview_says_so(store: RunStore, open_page: Open) -> None:
    change_notes(make_run(store, n=200), archived=True)
    app = open_page("overview")
    assert_sound(app)
    assert "1 finished run here, archived and so not ranked" in texts(app).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.usefixtures("at_this_machine")
def test_an_archived_run_that_never_finished_is_taken_out_again(store: RunStore, open_page: Open) -> None:
    run = make_unfinished(store, "cancelled", epoch=1)
    change_notes(run, archived=True)
    press(open_page("run", run=run.id), "Take out of the archive")
    assert not read_notes(run).archived


@pytest.mark.usefixtures("at_this_machine")
def test_a_run_is_archived_and_taken_out_of_the_archive(store: RunStore, open_page: Open) -> None:
    run = make_run(store, n=200)
    app = press(open_page("run", run=run.id), "Archive")
    assert_sound(app)
    assert read_notes(run).archived
    assert "archived" in texts(app)
    press(app, "Take out of the archive")
    assert_sound(app)
    assert not read_notes(run).archived


def test_who_may_only_watch_reads_notes_and_changes_none(
    store: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(store, n=200)
    change_notes(run, tags=["small net"])
    monkeypatch.setattr(permissions, "of_address", lambda *_: Permission(False, reason="You may watch."))
    app = open_page("run", run=run.id)
    assert_sound(app)
    assert "small net" in texts(app)
    assert "You may watch" in texts(app)
    states = {button.label: button.disabled for button in app.button}
    assert [states[name] for name in ("Tags and note", "Archive", "Delete")] == [True] * 3
