"""What the folders of runs tell the Queue page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dashboard import queue_state
from dashboard.formats import SPACE
from dashboard.queue_state import sorted_queue
from dashboard.summaries import RunShelf
from fer_core.jobs import JobQueue, WorkerInfo
from fer_core.runs import Run, RunStore
from tests.dashboard.driving import seen, summary
from tests.dashboard.runs import make_run, make_spec, make_unfinished


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
