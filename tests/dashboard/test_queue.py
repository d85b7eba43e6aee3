"""The Queue page, and what can be done with one run on its own page."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import actions, cache, permissions, queue_state, queue_view
from dashboard.formats import SPACE
from dashboard.permissions import Permission
from dashboard.queue_state import Queue, sorted_queue
from dashboard.summaries import RunShelf, RunSummary
from fer_core.errors import FerError
from fer_core.jobs import JobQueue, WorkerInfo, ensure_worker
from fer_core.jobs.background import sole_worker, write_worker_info
from fer_core.runs import Run, RunStore, read_job, stop_request
from tests.dashboard.runs import make_fold_run, make_run, make_spec, make_unfinished
from tests.dashboard.test_overview import assert_sound, metrics, texts

Open = Callable[..., AppTest]
REFUSED = Permission(False, reason="From here you can watch.")


@pytest.fixture(autouse=True)
def at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever drives the pages may act, unless a test takes that back."""
    here = Permission(True, who=permissions.AT_THIS_MACHINE)
    monkeypatch.setattr(permissions, "permission", lambda: here)


@pytest.fixture
def jobs(store: RunStore) -> JobQueue:
    return JobQueue(store)


@pytest.fixture
def train(jobs: JobQueue) -> Iterator[Callable[..., Run]]:
    """Queues a run and holds its lock, as its trainer would: `train("linear", epoch=4)`."""
    with ExitStack() as held:

        def begin(architecture: str = "mini_xception", *, epoch: int = 0, **changes: object) -> Run:
            run = jobs.launch(make_spec(architecture, **changes), by="ada").run  # type: ignore[arg-type]
            held.enter_context(run.lock())
            run.update_status(state="running", epoch=epoch, epochs=20, device="cpu", eta_s=90.0)
            for number in range(1, epoch + 1):
                run.append_metrics({"epoch": number, "train_loss": 1.5, "valid_loss": 1.4, "images_per_s": 820.0}
                                   | {"train_accuracy": 0.4, "valid_accuracy": 0.456})  # fmt: skip
            return run

        yield begin


@pytest.fixture
def worker(store: RunStore) -> Iterator[Callable[..., None]]:
    """Makes this process the worker: `worker(message="waits")`."""
    with ExitStack() as held:

        def begin(message: str = "") -> None:
            held.enter_context(sole_worker(store))
            facts = {"devices": ["cuda:0", "cpu"], "per_device": 2}
            started = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
            write_worker_info(store, {"pid": 1, "host": "box", "started": started, "message": message, "facts": facts})

        yield begin


def seen(store: RunStore) -> Queue:
    return sorted_queue(RunShelf().read(store), JobQueue(store).entries())


def summary(run: Run) -> RunSummary:
    return next(each for each in RunShelf().read(RunStore(run.path.parent)) if each.id == run.id)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def drawn(app: AppTest) -> list[object]:
    """Progress, and the rows of every curve."""
    charts = [chart.proto.datasets[0].data.data for chart in app.get("vega_lite_chart")]
    return [*((bar.value, bar.text) for bar in app.progress), *charts]


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


# What the folders tell


def test_runs_are_sorted_by_what_happens_to_them(store: RunStore, jobs: JobQueue, train: Callable[..., Run]) -> None:
    done = make_run(store, n=50)
    failed = make_unfinished(store, "failed", "the loss is not finite", architecture="se_resnet")
    stopped = make_unfinished(store, "cancelled", architecture="deep_cnn")
    lost = make_unfinished(store, "running", architecture="shallow_cnn")
    running = train("linear", epoch=1)
    waiting = [jobs.launch(make_spec(preprocessing="gcn", seed=seed), by="ada").run for seed in (0, 1)]
    jobs.move(waiting[1], "first")
    queue = seen(store)
    assert [item.run.id for item in queue.running] == [running.id]
    assert [item.run.id for item in queue.waiting] == [waiting[1].id, waiting[0].id]
    assert [run.id for run in queue.stopped] == [lost.id, failed.id, stopped.id], "the most urgent first"
    assert [run.id for run in queue.finished] == [done.id]
    assert queue.summary == "1 running · 2 waiting"
    assert queue.place(summary(waiting[0])) == 2
    assert queue.place(summary(running)) is None


def test_a_lost_run_that_a_worker_takes_up_again_waits_and_another_does_not(store: RunStore, jobs: JobQueue) -> None:
    run = jobs.launch(make_spec()).run
    run.update_status(state="running", epoch=3, epochs=20)
    other = make_unfinished(store, "running", architecture="linear")
    queue = seen(store)
    assert [item.run.id for item in queue.waiting] == [run.id]
    assert [each.id for each in queue.stopped] == [other.id]


def test_it_moves_only_while_something_is_trained_or_a_worker_will_begin(
    store: RunStore, jobs: JobQueue, train: Callable[..., Run]
) -> None:
    make_run(store, n=50)
    jobs.launch(make_spec(preprocessing="gcn"))
    assert not seen(store).is_moving
    assert sorted_queue(RunShelf().read(store), jobs.entries(), worker=WorkerInfo()).is_moving
    train("linear")
    assert seen(store).is_moving


def test_what_stands_around_the_cards_changes_with_states_and_not_with_epochs(
    store: RunStore, jobs: JobQueue, train: Callable[..., Run]
) -> None:
    run = train("linear", epoch=1)
    before = seen(store).around_cards
    run.update_status(epoch=2)
    assert seen(store).around_cards == before
    jobs.launch(make_spec())
    assert seen(store).around_cards != before


@pytest.mark.parametrize(
    ("epoch", "message", "share", "said"),
    [
        (0, "preparing the images", 0.0, "epoch 1 of 20 · preparing the images"),
        (4, "", 0.2, "epoch 5 of 20"),
        (4, "epoch 5: 128/256 images", 0.225, "epoch 5 of 20"),
        (20, "", 1.0, "evaluating"),
    ],
)
def test_a_training_says_how_far_it_is(store: RunStore, epoch: int, message: str, share: float, said: str) -> None:
    run = make_unfinished(store, "running", message, epoch=1)
    run.update_status(epoch=epoch, eta_s=None)
    with run.lock():
        assert queue_state.progress(summary(run)) == pytest.approx(share)
        assert queue_state.stage(summary(run)) == said


def test_its_pace_is_that_of_the_epoch_that_is_computed_or_of_the_last(store: RunStore) -> None:
    run = make_unfinished(store, "running", "epoch 4: 400/1000 images")
    run.update_status(eta_s=(600 + 16 * 1000) / 50)
    assert queue_state.images_per_s(summary(run), {"images_per_s": 820.0}) == pytest.approx(50)
    run.update_status(message="", eta_s=10.0)
    assert queue_state.images_per_s(summary(run), {"images_per_s": 820.0}) == 820
    assert queue_state.images_per_s(summary(run), {}) is None


def test_a_training_that_says_nothing_for_long_is_pointed_out(store: RunStore) -> None:
    run = make_unfinished(store, "running")
    assert queue_state.silence(summary(run)) == ""
    old = (datetime.now(UTC) - timedelta(minutes=7)).isoformat()
    run.write_json("status.json", run.read_json("status.json") | {"updated": old})
    assert queue_state.silence(summary(run)).startswith(f"It has said nothing for 7{SPACE}min")


@pytest.mark.parametrize(
    ("moment", "said"),
    [("", ""), ("yesterday", ""), ("2026-01-01T00:00:00", "")],
)
def test_a_time_that_cannot_be_read_is_not_told(moment: str, said: str) -> None:
    assert queue_state.ago(moment) == said


def test_times_are_told_in_their_largest_unit() -> None:
    now = datetime.now(UTC)
    assert queue_state.ago((now - timedelta(seconds=58)).isoformat()) == "just now", "seconds are wrong a look later"
    assert queue_state.ago((now - timedelta(minutes=3, seconds=40)).isoformat()) == "3 min ago".replace(" ", SPACE)


def test_an_address_does_not_become_a_link() -> None:
    assert "a@b.org" not in queue_state.named("a@b.org")
    assert queue_state.named("") == "somebody"


def test_an_end_is_told_once_and_only_of_runs_that_were_seen_live(store: RunStore) -> None:
    run, other = make_unfinished(store, "running"), make_unfinished(store, "failed", architecture="linear")
    with run.lock():
        before = queue_state.states(RunShelf().read(store))
    run.update_status(state="failed", message="the loss is not finite")
    after = RunShelf().read(store)
    (ended,) = queue_state.newly_ended(before, after)
    assert queue_state.ending(ended) == "**mini\\_xception · raw** failed. The loss is not finite."
    assert queue_state.newly_ended(queue_state.states(after), after) == []
    assert queue_state.newly_ended({}, after) == [], "a page that was opened late tells nothing"
    assert other.id in before


# The page


def test_with_nothing_to_do_it_says_so_and_leads_to_launching(open_page: Open) -> None:
    app = open_page("queue")
    assert_sound(app)
    assert "Nothing is trained, and nothing waits" in texts(app)
    assert "The next launch starts one by itself." in texts(app)
    assert "Choose what to train" in [link.label for link in app.get("page_link")]


def test_a_card_shows_a_running_training(store: RunStore, open_page: Open, train: Callable[..., Run]) -> None:
    train("linear", epoch=4)
    app = open_page("queue")
    assert_sound(app)
    (bar,) = app.progress
    assert (bar.value, bar.text.replace(SPACE, " ")) == (20, "epoch 5 of 20 · 1 min 30 s left")
    assert "**linear · raw**" in labels(app)
    for part in ("Loss **1.400**", "Accuracy **45.6", "**820** images/s · cpu · **", "MB", "Asked by ada just now"):
        assert part in texts(app)
    first, second = (chart.proto for chart in app.get("vega_lite_chart"))
    assert '"domain": [1, 20]' in first.spec, "the curve grows into the room of all epochs"
    assert first.datasets[0].name == "epochs"
    assert "accuracy" in second.spec
    assert [link.label for link in app.sidebar.get("page_link")] == ["1 running"]


def test_the_chart_stays_the_same_while_its_rows_grow(
    store: RunStore, open_page: Open, train: Callable[..., Run]
) -> None:
    run = train("linear", epoch=2)
    app = open_page("queue")
    before = app.get("vega_lite_chart")[0].proto
    spec, rows = before.spec, before.datasets[0].data.data
    run.append_metrics({"epoch": 3, "train_loss": 1.2, "valid_loss": 1.1})
    app.run()
    after = app.get("vega_lite_chart")[0].proto
    assert after.spec == spec
    assert after.datasets[0].data.data != rows


def test_a_training_before_its_first_epoch_and_one_from_a_terminal_have_cards_too(
    store: RunStore, open_page: Open, train: Callable[..., Run]
) -> None:
    train("linear")
    with make_unfinished(store, "running", architecture="se_resnet").lock():
        app = open_page("queue")
    assert_sound(app)
    assert len(app.progress) == 2
    assert "The curves begin with the end of the first epoch." in texts(app)
    assert "Started from a terminal" in texts(app)


def test_a_card_opens_its_log(store: RunStore, open_page: Open, train: Callable[..., Run]) -> None:
    run = train("linear", epoch=1)
    run.append_log("epoch 1/20: it learns")
    app = open_page("queue")
    assert not app.code
    app.session_state[f"log_{run.id}"] = True
    app.run()
    assert_sound(app)
    assert app.code[0].value.endswith("epoch 1/20: it learns")


def test_waiting_runs_stand_in_their_order_and_can_be_moved(store: RunStore, open_page: Open, jobs: JobQueue) -> None:
    runs = [jobs.launch(make_spec(seed=seed), by="ada", device="cuda").run for seed in range(3)]
    app = open_page("queue")
    assert_sound(app)
    assert metrics(app)["Waiting"] == "3"
    assert "asked by ada just now · wants cuda" in texts(app)
    assert app.button(key=f"up_{runs[0].id}").disabled
    assert app.button(key=f"last_{runs[2].id}").disabled
    press(app, f"first_{runs[2].id}")
    assert_sound(app)
    assert [entry.run.spec.seed for entry in jobs.waiting()] == [2, 0, 1]
    press(app, f"down_{runs[2].id}")
    assert [entry.run.spec.seed for entry in jobs.waiting()] == [0, 2, 1]
    assert "moved to place 2 of the queue by this machine" in runs[2].log()


def test_a_long_queue_shows_its_beginning_and_then_all(store: RunStore, open_page: Open, jobs: JobQueue) -> None:
    for seed in range(12):
        jobs.launch(make_spec(seed=seed))
    app = open_page("queue")
    assert sum(button.key.startswith("up_") for button in app.button) == 8
    app.toggle(key="all_waiting").set_value(True).run()
    assert_sound(app)
    assert sum(button.key.startswith("up_") for button in app.button) == 12


def test_cancelling_asks_a_trainer_to_stop_once_and_takes_a_waiting_run_out(
    store: RunStore, open_page: Open, jobs: JobQueue, train: Callable[..., Run]
) -> None:
    running, waiting = train("linear", epoch=1), jobs.launch(make_spec()).run
    app = open_page("queue")
    press(app, f"cancel_{running.id}")
    assert stop_request(running) is not None
    assert app.button(key=f"cancel_{running.id}").label == "Stopping …"
    assert app.button(key=f"cancel_{running.id}").disabled
    assert "this machine asked it to stop" in texts(app)
    assert running.log().count("asked to stop") == 1
    press(app, f"cancel_{waiting.id}")
    assert_sound(app)
    assert waiting.state == "cancelled"
    assert [toast.value for toast in app.toast] == ["**mini\\_xception · raw** was cancelled; it can be resumed."]


def test_a_press_is_not_lost_where_the_queue_changes_with_it(
    store: RunStore, open_page: Open, train: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = train("linear", epoch=1)
    app = open_page("queue")
    look, looks = cache.queue, Counter[str]()

    def changing() -> Queue:
        looks[sys._getframe(1).f_code.co_name] += 1
        return replace(look(), worker=WorkerInfo()) if looks["live"] else look()

    monkeypatch.setattr(cache, "queue", changing)
    press(app, f"cancel_{running.id}")
    assert_sound(app)
    assert looks["live"] == 2, "the page was drawn anew"
    assert stop_request(running) is not None


def test_stopped_runs_say_why_and_are_queued_again(
    store: RunStore, open_page: Open, jobs: JobQueue, worker: Callable[..., None]
) -> None:
    worker()
    failed = make_unfinished(store, "failed", "the loss is not finite", architecture="se_resnet")
    stopped = make_unfinished(store, "cancelled", "cancelled by ada after epoch 3", architecture="linear")
    app = open_page("queue")
    assert_sound(app)
    assert metrics(app)["Failed or lost"] == "1"
    assert "The loss is not finite." in texts(app)
    assert app.button(key=f"again_{failed.id}").label == "Retry"
    assert app.button(key=f"again_{stopped.id}").label == "Resume"
    press(app, f"again_{failed.id}")
    assert_sound(app)
    assert failed.state == "queued"
    assert read_job(failed) is not None
    assert [toast.value for toast in app.toast] == ["**se\\_resnet · raw** is in the queue."]
    assert [button.key for button in app.button if button.key.startswith("again_")] == [f"again_{stopped.id}"]


def test_a_lost_run_says_that_a_worker_takes_it_up(store: RunStore, open_page: Open, jobs: JobQueue) -> None:
    run = jobs.launch(make_spec(), by="ada").run
    run.update_status(state="running", epoch=3, epochs=20)
    app = open_page("queue")
    assert_sound(app)
    assert "its process ended without a word, a worker takes it up again" in texts(app)


def test_finished_runs_are_shown_with_their_accuracy(store: RunStore, open_page: Open) -> None:
    run = make_run(store, n=50)
    make_fold_run(store, dataset="synthetic")
    app = open_page("queue")
    assert_sound(app)
    assert metrics(app)["Finished in 24 h"] == "2"
    assert [metric.delta for metric in app.metric if metric.label == "Finished in 24 h"] == ["latest just now"]
    share = run.evaluation()["splits"]["test"]["accuracy"]
    assert f"**{100 * share:.1f}{SPACE}%**" in texts(app)


def test_the_worker_says_where_it_is_and_that_the_disk_is_full(
    store: RunStore, open_page: Open, worker: Callable[..., None]
) -> None:
    worker("waits: the disk of the runs has 12 MB left, and a training needs 200 MB")
    app = open_page("queue")
    assert_sound(app)
    assert "on box · started 2 h ago · cuda:0, cpu, 2 runs at once each" in texts(app).replace(SPACE, " ")
    assert app.warning[0].value.startswith("The worker waits: the disk of the runs has 12 MB left")
    assert "start_worker" not in [button.key for button in app.button]


def test_without_a_worker_one_can_be_started(
    store: RunStore, open_page: Open, jobs: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.launch(make_spec())
    asked: list[RunStore] = []
    monkeypatch.setattr(actions, "ensure_worker", lambda store, **_: asked.append(store) or True)
    app = open_page("queue")
    assert "1 run will wait until one is started." in texts(app)
    press(app, "start_worker")
    assert_sound(app)
    assert [each.root for each in asked] == [store.root]
    assert [toast.value for toast in app.toast] == ["A worker is at work."]


def test_a_worker_that_is_starting_is_waited_for(
    store: RunStore, open_page: Open, jobs: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = jobs.launch(make_spec()).run
    begin = [sys.executable, "-c", "import time; time.sleep(60)"]
    with monkeypatch.context() as patched, subprocess.Popen(begin) as process:
        patched.setattr(subprocess, "Popen", lambda *_, **__: process)
        ensure_worker(store)
        app = open_page("queue")
        beside = open_page("run", run=run.id)
        process.kill()
    assert_sound(app)
    assert "A worker is starting" in texts(app)
    assert "start_worker" not in [button.key for button in app.button]
    assert "A worker is starting." in beside.info[0].value
    assert "No worker is at work" in texts(app.run()), "it ended"


def test_times_are_told_anew_twice_a_minute_though_nothing_changes(
    store: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(store, n=50)
    clock, told, later = time.time, [], []
    monkeypatch.setattr(time, "time", lambda: clock() + 31 * len(later))
    monkeypatch.setattr(queue_view, "totals", told.append)
    monkeypatch.setattr(queue_view, "cards", lambda *_: later or later.append("half a minute"))
    assert_sound(open_page("queue"))
    assert len(told) == 2


def test_what_cannot_be_done_is_said_in_one_sentence(
    store: RunStore, open_page: Open, jobs: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise FerError("the worker did not begin: no space left on device")

    monkeypatch.setattr(actions, "ensure_worker", refuse)
    app = press(open_page("queue"), "start_worker")
    assert_sound(app)
    assert [toast.value for toast in app.toast] == ["The worker did not begin: no space left on device."]


def test_who_may_only_watch_reads_why_once_and_no_button_acts(
    store: RunStore, open_page: Open, jobs: JobQueue, train: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    train("linear", epoch=1)
    jobs.launch(make_spec())
    make_unfinished(store, "failed", architecture="se_resnet")
    monkeypatch.setattr(permissions, "permission", lambda: REFUSED)
    app = open_page("queue")
    assert_sound(app)
    assert texts(app).count("From here you can watch.") == 1
    acting = [button for button in app.button if button.key.split("_")[0] in ("cancel", "again", "up", "start")]
    assert len(acting) == 5
    assert all(button.disabled for button in acting)


def test_whoever_loses_the_permission_between_look_and_press_changes_nothing(
    store: RunStore, open_page: Open, jobs: JobQueue, train: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, waiting = train("linear", epoch=1), jobs.launch(make_spec()).run
    app = open_page("queue")
    monkeypatch.setattr(permissions, "permission", lambda: REFUSED)
    press(app, f"cancel_{running.id}")
    assert stop_request(running) is None
    assert waiting.state == "queued"
    for action in (actions.cancel, actions.resume):
        with pytest.raises(FerError, match="From here you can watch"):
            action(summary(waiting))


def test_who_may_log_in_finds_the_way(store: RunStore, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "permission", lambda: Permission(False, reason="Log in.", can_log_in=True))
    app = open_page("queue")
    assert_sound(app)
    assert "Log in" in labels(app)


def test_a_second_viewer_who_comes_late_sees_the_same(
    store: RunStore, open_page: Open, jobs: JobQueue, train: Callable[..., Run]
) -> None:
    train("linear", epoch=5)
    jobs.launch(make_spec())
    first = open_page("queue")
    first.run()
    second = open_page("queue")
    for shown in (labels, metrics, drawn):
        assert shown(first) == shown(second)


def test_reading_the_queue_leaves_runs_that_did_not_change_alone(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(store, n=50)
    cache.queue()
    monkeypatch.setattr(Run, "read_json", lambda run, name: pytest.fail(f"{name} is read again"))
    assert len(cache.queue().finished) == 1


# One run on its own page


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
