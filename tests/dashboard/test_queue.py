"""The Queue page."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import actions, cache, permissions, queue_view
from dashboard.formats import SPACE
from dashboard.permissions import Permission
from dashboard.queue_state import Queue
from fer_core.errors import FerError
from fer_core.jobs import JobQueue, WorkerInfo, ensure_worker
from fer_core.runs import Run, RunStore, read_job, stop_request
from tests.dashboard.driving import REFUSED, labels, press, summary
from tests.dashboard.runs import make_fold_run, make_run, make_spec, make_unfinished
from tests.dashboard.test_overview import assert_sound, metrics, texts

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("at_this_machine")


def drawn(app: AppTest) -> list[object]:
    """Progress, and the rows of every curve."""
    charts = [chart.proto.datasets[0].data.data for chart in app.get("vega_lite_chart")]
    return [*((bar.value, bar.text) for bar in app.progress), *charts]


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
