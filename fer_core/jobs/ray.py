"""Trainings on a Ray cluster: each is a task, in a place that Ray has reserved for it.

The queue stays with the worker. Of Ray it asks for one place at a time, and whichever run is first when
the place is there takes it: so the order can be changed until then, and others may use the cluster, too.
"""

import logging
import math
import os
import platform
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.errors import FerError
from fer_core.jobs.executors import Ended
from fer_core.paths import data_dir
from fer_core.runs import Job, Run, RunStore

try:
    import ray
    from ray._private.services import canonicalize_bootstrap_address
    from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, WorkerCrashedError
    from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
except ModuleNotFoundError as error:
    raise FerError(f"Ray is not installed ({error}); `pip install -r requirements-ray.txt` brings it") from None

CONNECT_S = 5.0  # within which the head must answer; Ray itself would try for minutes
RESERVE_S = 0.5  # within which Ray reserves a place where there is one; it takes milliseconds
PATIENCE_S = 60.0  # for nodes to join a cluster that has just been started, before a run is refused for want of them


@dataclass(frozen=True)
class Needs:
    """What a run takes of one node."""

    cpus: float
    gpus: float = 0.0

    def __str__(self) -> str:
        return _plural(self.cpus, "CPU") + (f" and {_plural(self.gpus, 'GPU')}" if self.gpus else "")

    def bundle(self) -> dict[str, float]:
        """As Ray names it."""
        return {"CPU": self.cpus, **({"GPU": self.gpus} if self.gpus else {})}

    def places(self, node: "Needs") -> int:
        """How many such runs a node has room for that has so many CPUs and GPUs."""
        room = min(node.cpus / self.cpus, node.gpus / self.gpus if self.gpus else math.inf)
        return int(room + 1e-9)  # 0.3 / 0.1 is a little less than 3


@dataclass
class _Training:
    run_id: str
    node: str
    place: PlacementGroup


class RayExecutor:
    """A task of Ray for each training, in a process of its own that trains itself: both die with their node.

    A run takes `cpus` of a node, and `gpus` of one (a fraction: so many share it) where it is to use a GPU.
    What a node had that has left, or was lost, is waited for. Closing it, as its own death, ends the
    trainings; they are lost then, and the next worker takes them up from their checkpoints.
    """

    def __init__(
        self,
        store: RunStore,
        address: str = "auto",
        cpus: float = 1.0,
        gpus: float = 1.0,
        threads: int | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        if cpus <= 0 or not 0 <= gpus <= 1:
            raise FerError(f"a run takes more than 0 CPUs and from 0 to 1 GPU, not {cpus:g} and {gpus:g}")
        self.root = store.root.resolve()
        self.threads = threads or max(1, int(cpus))
        self.patience_s = patience_s
        self._on_cpu, self._on_gpu = Needs(cpus), Needs(cpus, gpus)
        self._trainings: dict[Any, _Training] = {}  # by the reference to the task's result
        self._places: dict[Needs, PlacementGroup] = {}  # asked for, and taken by no run yet
        self._wanted: set[Needs] = set()  # since the last look
        self._full: set[Needs] = set()
        self._nodes: dict[str, tuple[str, Needs]] = {}  # of now: by id, name and what they have
        self._seen: set[Needs] = set()  # what nodes have or had
        self.address = connect(address)
        self._began = time.monotonic()
        self._look()
        if not any(self._on_cpu.places(node) for node in self._seen):
            self.close()
            raise FerError(
                f"a run takes {self._on_cpu} (--cpus), which no node of the Ray cluster has: it is {self._size()}"
            )

    def start(self, run: Run, job: Job, live: Sequence[Run]) -> bool:
        """Submit the run as a task where Ray has a place for it now."""
        needs = self._needs(job.device)
        if needs is None:
            return False
        node = self._reserved(needs)
        if node is None:
            return False
        name = self._nodes.get(node, (node[:8], needs))[0]
        run.append_log(f"given to node {name} of the Ray cluster, with {needs}")
        place = self._places.pop(needs)
        task = ray.remote(max_calls=1, max_retries=0)(_train).options(  # max_calls: a new process for each
            num_cpus=needs.cpus,
            num_gpus=needs.gpus,
            name=run.id,
            scheduling_strategy=PlacementGroupSchedulingStrategy(place, 0),
        )
        device = "cuda" if needs.gpus else "cpu"
        reference = task.remote(str(self.root / run.id), str(data_dir().resolve()), device, self.threads)
        self._trainings[reference] = _Training(run.id, name, place)
        return True

    def poll(self) -> list[Ended]:
        """The tasks that ended, and why where their process could not say."""
        self._look()
        for needs in [needs for needs in self._places if needs not in self._wanted]:
            remove_placement_group(self._places.pop(needs))
        self._wanted.clear()
        self._full.clear()
        if not self._trainings:
            return []
        ended, _ = ray.wait(list(self._trainings), num_returns=len(self._trainings), timeout=0)
        return [self._farewell(reference) for reference in ended]

    def held(self) -> frozenset[str]:
        return frozenset(training.run_id for training in self._trainings.values())

    def describe(self) -> dict[str, Any]:
        """`devices` names the cluster as one device, `per_device` how many runs fit into it."""
        usual = self._on_gpu if self._has_gpus() else self._on_cpu
        return {
            "executor": "ray",
            "devices": [f"Ray cluster of {self._size()}"],
            "per_device": sum(usual.places(node) for _, node in self._nodes.values()),
            "threads": self.threads,
            "address": self.address,
            "run": usual.bundle(),
            "nodes": [{"name": name, "cpus": has.cpus, "gpus": has.gpus} for name, has in self._nodes.values()],
        }

    def close(self) -> None:
        """Leave the cluster: Ray ends the tasks and gives back what was reserved for them."""
        ray.shutdown()

    def _needs(self, device: str) -> Needs | None:
        """What a job for `device` takes; None while a node that has it may still join."""
        choices = ["auto", *(["cuda"] if self._has_gpus() else []), "cpu"]
        if device == "cpu" or (device == "auto" and not self._has_gpus()):
            return self._on_cpu
        if device in ("auto", "cuda") and self._has_gpus():
            return self._on_gpu
        if device == "cuda" and self._on_gpu.gpus and time.monotonic() - self._began < self.patience_s:
            return None
        if device != "cuda":
            why = "cannot be asked of a Ray cluster, which chooses the GPU itself"
        elif not self._on_gpu.gpus:
            why = "is not there: the worker gives its runs no GPU (--gpus 0)"
        else:
            why = f"is not there: no node of the Ray cluster has {self._on_gpu}"
        raise FerError(f"device {device!r} {why}; choose from {', '.join(choices)}")

    def _has_gpus(self) -> bool:
        return bool(self._on_gpu.gpus) and any(self._on_gpu.places(node) for node in self._seen)

    def _reserved(self, needs: Needs) -> str | None:
        """The id of the node that has a place, or None; then the place stays asked for while runs want it."""
        self._wanted.add(needs)
        if needs in self._full:
            return None
        deadline = time.monotonic()
        if needs not in self._places:
            self._places[needs] = placement_group([needs.bundle()])
            deadline += RESERVE_S
        while (node := _node_of(self._places[needs])) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if node is None:
            self._full.add(needs)
        return node

    def _look(self) -> None:
        """Which nodes are there now."""
        alive = [node for node in ray.nodes() if node["Alive"]]
        self._nodes = {node["NodeID"]: (_name(node), _has(node["Resources"])) for node in alive}
        self._seen.update(node for _, node in self._nodes.values())

    def _size(self) -> str:
        nodes = [has for _, has in self._nodes.values()]
        whole = Needs(sum(has.cpus for has in nodes), sum(has.gpus for has in nodes))
        return f"{_plural(len(nodes), 'node')} with {whole}"

    def _farewell(self, reference: Any) -> Ended:
        training = self._trainings.pop(reference)
        remove_placement_group(training.place)
        try:
            return Ended(training.run_id, ray.get(reference))
        except OutOfMemoryError:
            reason = f"Ray killed its process for want of memory on node {training.node}"
        except NodeDiedError:
            reason = f"the node that trained it was lost ({training.node})"
        except WorkerCrashedError:
            reason = f"its process on node {training.node} was killed, perhaps for want of memory"
        except RayError as error:
            reason = f"Ray could not train it on node {training.node}: {_lines(error)[-1]}"
        return Ended(training.run_id, reason)


def connect(address: str) -> str:
    """Make this process a driver of the Ray cluster at `address`, `auto` or HOST:PORT; returns HOST:PORT.

    Raises FerError where there is none.
    """
    try:
        found = None if "://" in address else canonicalize_bootstrap_address(address)
    except (OSError, ValueError):
        found = None
    if found is None:
        raise FerError(
            f"no Ray cluster is found at {address!r}; give auto on a machine that `ray start` has made "
            "one of its nodes, or HOST:PORT of its head"
        )
    host, _, port = found.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
        ray.init(found, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        reason = f"the Ray cluster at {found} cannot be joined: {_lines(error)[0]}"
        if isinstance(error, ConnectionError):
            reason += "; where it asks for a token, set RAY_AUTH_MODE=token"
        raise FerError(reason) from None
    return str(found)


def _train(path: str, data: str, device: str, threads: int) -> str:
    """Train a queued run in this process of Ray's; why it failed, or nothing.

    Signals stay Ray's: by SIGTERM it ends the process when the worker goes or the node is stopped. Nobody
    asked the run to stop then, so that it is lost, and taken up again, instead of cancelled.
    """
    run = Run(Path(path))
    if not (run.path / "spec.json").is_file():
        return f"{platform.node()} does not see {path}: every node must see the runs' folder under the same path"
    os.environ["FER_DATA_DIR"] = data
    import torch

    from fer_core.jobs.trainer import train_queued

    torch.set_num_threads(threads)
    try:
        train_queued(run, device)
    except Exception as error:
        return str(error) or type(error).__name__
    return ""


def _node_of(place: PlacementGroup) -> str | None:
    """The id of the node on which a place is reserved, or None where Ray still waits for one."""
    known = placement_group_table(place)
    return str(known["bundles_to_node_id"][0]) if known.get("state") == "CREATED" else None


def _has(resources: Mapping[str, float]) -> Needs:
    return Needs(resources.get("CPU", 0.0), resources.get("GPU", 0.0))


def _name(node: Mapping[str, Any]) -> str:
    """What a node was named, else its machine."""
    given, address = str(node["NodeName"]), str(node["NodeManagerAddress"])
    return given if given != address else str(node["NodeManagerHostname"])


def _plural(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def _lines(error: BaseException) -> list[str]:
    """What an error says, at least one line."""
    return [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
