"""The queue, the machine that works on it, and what can be launched."""

import os
import platform
import sys
from pathlib import Path

import streamlit as st

from dashboard.cache.results import runs
from dashboard.formats import plural
from dashboard.launch.selection import Catalogue, read_catalogue
from dashboard.load import Load, LoadMeter
from dashboard.queue_state import Queue, sorted_queue
from dashboard.summaries import RunSummary
from fer_core.jobs import JobQueue, is_worker_starting, worker_info
from fer_core.jobs.estimate import Machine
from fer_core.jobs.local import find_devices, threads_of_each
from fer_core.jobs.queue import IN_QUEUE
from fer_core.paths import runs_dir
from fer_core.runs import Run, RunStore, stop_request


def queue() -> Queue:
    """What is trained, waits, stopped and ended, as the folders tell it now: the same for every viewer."""
    store, found = RunStore(runs_dir()), runs()
    stops = {run.id: request for run in found if run.state == "running" and (request := stop_request(Run(run.path)))}
    may_wait = [Run(run.path) for run in found if run.state in IN_QUEUE]
    entries, is_starting = JobQueue(store).entries(may_wait), is_worker_starting(store)
    return sorted_queue(found, entries, stops, worker_info(store), is_starting=is_starting)


def load(run: RunSummary) -> Load | None:
    """What the trainer of a run takes of its machine; None where nobody says that they train it."""
    holder = Run(run.path).holder()
    return _meter().read(*holder, device=run.status.device) if holder else None


@st.cache_resource(max_entries=1, show_spinner=False)
def _meter() -> LoadMeter:
    return LoadMeter()


@st.cache_data(max_entries=1, show_spinner=False)
def catalogue() -> Catalogue:
    """The networks, recipes and steps that there are."""
    return read_catalogue()


def machines() -> dict[str, Machine]:
    """The devices that a worker of this machine trains on, accelerators first."""
    worker, devices = worker_info(RunStore(runs_dir())), _devices()
    threads = worker.facts.get("threads") if worker else None
    return {
        name: Machine("cpu", model, threads or threads_of_each(list(devices)))
        if name == "cpu"
        else Machine(name.partition(":")[0], model)
        for name, model in devices.items()
    }


@st.cache_data(max_entries=1, show_spinner=False)
def _devices() -> dict[str, str]:
    """Name and model of each device; the model is "" where it is not known."""
    from fer_core.training.environment import processor_name

    models = {"cpu": processor_name(), "mps": "Apple GPU (MPS)"}
    models |= {f"cuda:{index}": model for index, model in enumerate(_gpu_models())}
    return {name: models.get(name, "") for name in find_devices()}


@st.cache_data(max_entries=1, show_spinner=False)
def device_name() -> str:
    """The accelerator of this machine, else its number of processors; found without importing torch."""
    for model in _gpu_models():
        return model
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "Apple GPU"
    return f"CPU, {plural(os.cpu_count() or 1, 'core')}"


def _gpu_models() -> list[str]:
    """What NVIDIA's driver calls its devices, in the order of the bus."""
    facts = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = (line for each in facts for line in each.read_text().splitlines())
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
