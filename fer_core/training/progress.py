"""Who watches a training: the run's own files, and a progress bar."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fer_core.runs import Run, stop_request
from fer_core.training.folds import FoldResult, named
from fer_core.training.loop import Observer, TrainingStopped
from fer_core.training.prepare import Plan

STATUS_EVERY_S = 2.0
LOOK_EVERY_S = 0.5  # for a request to stop
LOG_LINES, FOLD_LINES = 150, 10  # of a run, and of each of its folds at least: a log is read, all is in the metrics


class RunObserver:
    """Writes each epoch of a fold into the run: checkpoint first, so that a kill never loses a counted epoch.

    Epochs count over all folds in the status, and within the fold in metrics and log. Where the run is asked
    to stop, or `asked_to_stop` names who wants it, the training ends with its next batch.
    """

    def __init__(
        self,
        run: Run,
        plan: Plan,
        done: Sequence[FoldResult],
        began: float,
        watcher: Observer | None = None,
        asked_to_stop: Callable[[], str] = str,
    ) -> None:
        self.run, self.began, self.watcher, self.done = run, began, watcher, list(done)
        self.asked_to_stop = asked_to_stop
        self.epochs = plan.spec.recipe.epochs
        self.total = self.epochs * len(plan.splits)
        self.fold = plan.splits[len(done)].fold
        self.before = self.epochs * len(done)
        self.lines = max(FOLD_LINES, LOG_LINES // len(plan.splits))
        self._lines_due = -1  # the first is always due
        self._status_written = self._looked = 0.0

    def preparing(self, message: str) -> None:
        """Say in status.json what precedes the first batch; raises TrainingStopped where someone wants it."""
        now = time.monotonic()
        if now - self._status_written >= STATUS_EVERY_S:
            self.run.update_status(message=message)
            self._status_written = now
        self._stop_if_asked()

    def batch_done(self, epoch: int, done: int, total: int, images_per_s: float) -> None:
        """Refresh status.json every few seconds; raises TrainingStopped where someone wants it."""
        now = time.monotonic()
        epoch += self.before
        if now - self._status_written >= STATUS_EVERY_S:
            left = total - done + (self.total - epoch) * total
            self.run.update_status(message=f"epoch {epoch}: {done}/{total} images", eta_s=left / images_per_s)
            self._status_written = now
        if self.watcher is not None:
            self.watcher.batch_done(epoch, done, total, images_per_s)
        if now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        request = stop_request(self.run)
        by = self.asked_to_stop() or (request.by or "somebody" if request else "")
        if by:
            raise TrainingStopped(by)

    def interrupted(self, checkpoint: dict[str, Any]) -> None:
        """Keep what an epoch has done so far."""
        self._save({**checkpoint, "position": len(self.done)})
        if self.watcher is not None:
            self.watcher.interrupted(checkpoint)

    def epoch_done(self, record: dict[str, Any], checkpoint: dict[str, Any]) -> None:
        """Checkpoint (where there is one), metrics, status and log of one epoch."""
        if checkpoint:
            self._save({**checkpoint, "position": len(self.done)})
        self.run.append_metrics({**named(self.fold), **record})
        epoch = self.before + record["epoch"]
        left = (self.total - epoch) * record["seconds"] if "seconds" in record else None
        self.run.update_status(epoch=epoch, eta_s=left, message="")
        self._log(record)
        if self.watcher is not None:
            self.watcher.epoch_done({**record, "epoch": epoch}, checkpoint)

    def _log(self, record: dict[str, Any]) -> None:
        due = record["epoch"] * self.lines // self.epochs
        if due == self._lines_due:
            return
        self._lines_due = due
        fold = f"fold {self.fold}, " if self.fold else ""
        self.run.append_log(
            f"{fold}epoch {record['epoch']}/{self.epochs}: train loss {record['train_loss']:.4f}, "
            f"valid loss {record['valid_loss']:.4f}, valid accuracy {record['valid_accuracy']:.4f}"
            + (f", {record['images_per_s']:.0f} images/s" if "images_per_s" in record else "")
        )

    def fold_done(self, result: FoldResult) -> None:
        """Keep a finished fold, so that it is never trained again."""
        self.done.append(result)
        self._save({})

    def _save(self, checkpoint: dict[str, Any]) -> None:
        folds = [fold.to_checkpoint() for fold in self.done]
        self.run.save_checkpoint({**checkpoint, "folds": folds, "wall_s": time.monotonic() - self.began})


class ProgressBar:
    """A line on the terminal: epoch, images/s, time left, and the last validation accuracy."""

    def __init__(self, epochs: int, title: str) -> None:
        self.epochs = epochs
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("epoch {task.fields[epoch]}  {task.fields[rate]:.0f} images/s  {task.fields[last]}"),
            TimeRemainingColumn(),
        )
        self.task: TaskID = self.bar.add_task(title, total=None, epoch=f"0/{epochs}", rate=0.0, last="")

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()

    def batch_done(self, epoch: int, done: int, total: int, images_per_s: float) -> None:
        """Move the bar; it appears with the first batch, so that a refused training shows its reason alone."""
        self.bar.start()
        self.bar.update(
            self.task,
            total=self.epochs * total,
            completed=(epoch - 1) * total + done,
            epoch=f"{epoch}/{self.epochs}",
            rate=images_per_s,
        )

    def interrupted(self, checkpoint: dict[str, Any]) -> None:
        """Nothing to show: who asked for the stop is told."""

    def epoch_done(self, record: dict[str, Any], checkpoint: dict[str, Any]) -> None:
        """Show the epoch's validation; where there is no terminal, print a line."""
        last = f"valid {record['valid_accuracy']:.1%}"
        self.bar.update(self.task, last=last)
        if not self.bar.console.is_terminal:
            self.bar.console.print(
                f"epoch {record['epoch']}/{self.epochs}  train loss {record['train_loss']:.3f}  "
                f"valid loss {record['valid_loss']:.3f}  {last}"
                + (f"  {record['images_per_s']:.0f} images/s" if "images_per_s" in record else "")
            )
