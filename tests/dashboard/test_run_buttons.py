"""What can be done with one run on its own page: cancelling, queueing again, deleting."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import actions, permissions
from fer_core.errors import FerError
from fer_core.jobs import JobQueue
from fer_core.runs import Run, RunStore, read_job
from tests.dashboard.driving import REFUSED, labels, press, summary
from tests.dashboard.runs import make_run, make_spec, make_unfinished
from tests.dashboard.test_overview import assert_sound, texts

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("at_this_machine")


def test_the_page_of_a_waiting_run_tells_its_place_and_can_cancel(
    store: RunStore, open_page: Open, jobs: JobQueue
) -> None:
    jobs.launch(make_spec(seed=1))
    run = jobs.launch(make_spec(), by="ada").run
    app = open_page("run", run=run.id)
    assert_sound(app)
    assert app.info[0].value.startswith("Place 2 of 2 in the queue · asked by ada just now. No worker is at work")
    press(app, f"cancel_{run.id}")
    assert run.state == "cancelled"


@pytest.mark.parametrize(("state", "label"), [("failed", "Retry"), ("cancelled", "Resume"), ("queued", "Queue")])
def test_the_page_of_a_stopped_run_queues_it_again(
    store: RunStore, open_page: Open, worker: Callable[..., None], state: str, label: str
) -> None:
    worker()
    run = make_unfinished(store, state)
    app = open_page("run", run=run.id)
    assert app.button(key=f"again_{run.id}").label == label
    press(app, f"again_{run.id}")
    assert read_job(run) is not None
    assert app.info[0].value.startswith("Place 1 of 1 in the queue")


def test_a_running_run_can_be_cancelled_and_not_deleted(
    store: RunStore, open_page: Open, train: Callable[..., Run]
) -> None:
    run = train("linear", epoch=1)
    app = open_page("run", run=run.id)
    assert_sound(app)
    assert labels(app) == ["Cancel", "Tags and note"]
    press(app, f"cancel_{run.id}")
    assert labels(app) == ["Stopping …", "Tags and note"]


def deletion(root: str, name: str) -> None:
    from pathlib import Path

    import streamlit as st

    from dashboard import components, run_buttons
    from dashboard.summaries import RunShelf, find
    from fer_core.runs import RunStore

    runs = RunShelf().read(RunStore(Path(root)))
    components.notices(runs)
    run = find(runs, name)
    if run:
        st.session_state["run"] = run.id
        run_buttons.confirm_deletion(run)


def test_a_run_is_deleted_after_a_question(store: RunStore, open_page: Open) -> None:
    run = make_run(store, n=50, architecture="linear")
    app = press(open_page("run", run=run.id), f"delete_{run.id}")
    assert_sound(app)
    assert "nothing is erased" in texts(app)
    assert run.path.is_dir(), "the question comes first"
    # AppTest runs a dialog's script as a whole, so the answer is given where nothing else stands
    app = AppTest.from_function(deletion, kwargs={"root": str(store.root), "name": run.id}, default_timeout=60)
    app.query_params["run"] = run.id
    app.run().button(key="delete_confirmed").click().run()
    assert_sound(app)
    assert not run.path.exists()
    assert len(list((store.root / ".trash").iterdir())) == 1
    assert "run" not in app.query_params
    assert "run" not in app.session_state
    assert [toast.value for toast in app.toast] == ["**linear · raw** is in the trash."]


def test_who_may_only_watch_deletes_nothing(store: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(store, n=50)
    monkeypatch.setattr(permissions, "permission", lambda: REFUSED)
    app = open_page("run")
    assert_sound(app)
    assert app.button(key=f"delete_{run.id}").disabled
    assert texts(app).count("From here you can watch.") == 1
    with pytest.raises(FerError, match="From here you can watch"):
        actions.delete(summary(run))
