"""Trainings in the background: a durable queue in the run folders, and the worker that takes it up."""

from fer_core.jobs.background import WorkerInfo, ensure_worker, is_worker_starting, worker_info
from fer_core.jobs.queue import Entry, JobQueue, Launch

__all__ = ["Entry", "JobQueue", "Launch", "WorkerInfo", "ensure_worker", "is_worker_starting", "worker_info"]
