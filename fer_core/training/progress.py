"""Who watches a training: the run's own files, and a progress bar."""

import time
from typing import Any

import torch
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fer_core.runs import Run
from fer_core.training.loop import Observer

STATUS_EVERY_S = 2.0


class RunObserver:
    """Writes each epoch into the run: checkpoint first, so that a kill never loses a counted epoch."""

    def __init__(
        self, run: Run, epochs: int, device: torch.device, began: float, watcher: Observer | None = None
    ) -> None:
        self.run, self.epochs, self.device, self.began, self.watcher = run, epochs, device, began, watcher
        self._status_written = 0.0

    def batch_done(self, epoch: int, done: int, total: int, images_per_s: float) -> None:
        """Refresh status.json every few seconds."""
        now = time.monotonic()
        if now - self._status_written >= STATUS_EVERY_S:
            left = total - done + (self.epochs - epoch) * total
            self.run.update_status(message=f"epoch {epoch}: {done}/{total} images", eta_s=left / images_per_s)
            self._status_written = now
        if self.watcher is not None:
            self.watcher.batch_done(epoch, done, total, images_per_s)

    def epoch_done(self, record: dict[str, Any], checkpoint: dict[str, Any]) -> None:
        """Checkpoint, metrics, status and log of one epoch."""
        self.run.save_checkpoint({**checkpoint, "wall_s": time.monotonic() - self.began})
        self.run.append_metrics(record)
        left = (self.epochs - record["epoch"]) * record["seconds"]
        self.run.update_status(epoch=record["epoch"], eta_s=left, message="")
        self.run.append_log(
            f"epoch {record['epoch']}/{self.epochs}: train loss {record['train_loss']:.4f}, "
            f"valid loss {record['valid_loss']:.4f}, valid accuracy {record['valid_accuracy']:.4f}, "
            f"{record['images_per_s']:.0f} images/s"
        )
        if self.watcher is not None:
            self.watcher.epoch_done(record, checkpoint)


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

    def epoch_done(self, record: dict[str, Any], checkpoint: dict[str, Any]) -> None:
        """Show the epoch's validation; where there is no terminal, print a line."""
        last = f"valid {record['valid_accuracy']:.1%}"
        self.bar.update(self.task, last=last)
        if not self.bar.console.is_terminal:
            self.bar.console.print(
                f"epoch {record['epoch']}/{self.epochs}  train loss {record['train_loss']:.3f}  "
                f"valid loss {record['valid_loss']:.3f}  {last}  {record['images_per_s']:.0f} images/s"
            )
