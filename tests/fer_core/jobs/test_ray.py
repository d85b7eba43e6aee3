"""The queue on a real Ray cluster of two nodes on this machine, of which one is killed in mid-run."""

import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from fer_core.cli.worker import check_options, make_executor
from fer_core.errors import FerError
from fer_core.jobs import JobQueue, worker_info
from fer_core.jobs.executors import Executor
from fer_core.jobs.supervisor import Supervisor
from fer_core.runs import Job, Run, RunStore, read_job
from tests.fer_core.jobs.specs import ENDLESS, LONG, SHORT

# a second or more on one thread, with a checkpoint ten times in it
WAIT_S = 300
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
SMALL_HEAD = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "120",  # a busy machine takes long to start a node
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # other tests work beside this one, and trainings of niceness 15 would wait for them
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_health_check_period_ms": "1000",  # a node counts as dead after five looks
    "RAY_raylet_death_check_interval_milliseconds": "50",  # what a dead node trained ends at once
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Nodes `here`, which the worker is on, and `there`, with a CPU each; nothing of them is left afterwards."""
    pytest.importorskip("ray", reason="Ray is not installed; `pip install -r requirements-ray.txt` brings it")
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: sockets lie in it
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**ENVIRONMENT, "RAY_TMPDIR": str(folder)}.items():
            patched.setenv(name, value)
        from ray.cluster_utils import Cluster

        head = {**NODE, **SMALL_HEAD, "node_name": "here", "resources": {"here": 1}}
        nodes = Cluster(initialize_head=True, head_node_args=head)
        try:
            nodes.add_node(**NODE, node_name="there")
            yield nodes
        finally:
            nodes.shutdown()
            left = processes_in(folder)
            signal.signal(signal.SIGTERM, handler)  # which Ray has replaced
            shutil.rmtree(folder, ignore_errors=True)
    assert left == []


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def executor(cluster: Any, store: RunStore) -> Iterator[Executor]:
    """On the cluster, with a CPU for each run."""
    carrier = make_executor("ray", store, {"address": cluster.address})
    yield carrier
    carrier.close()


def processes_in(folder: Path) -> list[str]:
    """What still works in Ray's folder, once it has had time to end; it is killed."""
    deadline = time.monotonic() + 30
    while (left := [process for process in psutil.process_iter() if uses(process, folder)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.5)
    names = [" ".join(process.cmdline())[:200] for process in left]
    for process in left:
        process.kill()
    return names


def uses(process: psutil.Process, folder: Path) -> bool:
    try:
        files = [file.path for file in process.open_files()] + process.cmdline()
    except psutil.Error:
        return False  # it has ended, or belongs to somebody else
    return process.pid != os.getpid() and any(str(folder) in file for file in files)


def drive(supervisor: Supervisor, happened: Callable[[], object]) -> None:
    """Do a worker's work until it happened."""
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        supervisor.step()
        time.sleep(0.05)


def has_learnt(run: Run) -> bool:
    """Whether it is being trained and a first epoch is behind it."""
    return run.is_locked() and (run.path / "checkpoint.pt").exists()


def node_of(run: Run) -> str:
    """The node that it was given to last."""
    return run.log().rpartition("given to node ")[2].partition(" of the Ray cluster")[0]


def assert_same_result(run: Run, whole: Run) -> None:
    assert run.state == "finished", run.log()
    for key, array in whole.predictions().items():
        np.testing.assert_array_equal(run.predictions()[key], array)
    assert [e["train_loss"] for e in run.metrics()] == [e["train_loss"] for e in whole.metrics()]


@contextlib.contextmanager
def without_room(node: str) -> Iterator[None]:
    """Inside, somebody else uses the CPU of that node of the cluster that this process has joined."""
    from ray.util import placement_group, remove_placement_group

    place = placement_group([{"CPU": 1, node: 1}])
    assert place.wait(WAIT_S)
    yield
    remove_placement_group(place)


def test_two_runs_train_at_once_on_two_nodes_and_a_third_waits_until_they_are_cancelled(
    executor: Executor, store: RunStore
) -> None:
    queue, supervisor = JobQueue(store), Supervisor(store, executor)
    first, second, third = (queue.launch(spec).run for spec in (ENDLESS, replace(ENDLESS, seed=1), SHORT))
    drive(supervisor, lambda: has_learnt(first) and has_learnt(second))
    assert executor.held() == {first.id, second.id}
    assert third.state == "queued"
    assert {node_of(first), node_of(second)} == {"here", "there"}
    facts = executor.describe()
    assert (facts["executor"], facts["devices"]) == ("ray", ["Ray cluster of 2 nodes with 2 CPUs"])
    assert facts["per_device"] == 2
    asked = time.monotonic()
    for run in (first, second):
        queue.cancel(run, by="bob")
    drive(supervisor, lambda: (first.state, second.state) == ("cancelled", "cancelled"))
    assert time.monotonic() - asked < 10
    assert "stopped by bob after epoch" in first.status.message
    drive(supervisor, lambda: third.id in executor.held())
    queue.cancel(third, by="bob")  # while its process is being started, and before it could say that it trains
    drive(supervisor, lambda: not executor.held())
    assert (third.state, third.status.epoch) == ("cancelled", 0)
    assert "started on" not in third.log()
    assert queue.entries() == []


@pytest.mark.parametrize(
    ("device", "options", "reason"),
    [
        ("cuda", {"patience_s": 0}, "no node of the Ray cluster has 1 CPU and 1 GPU; choose from auto, cpu"),
        ("cuda", {"gpus": 0}, "the worker gives its runs no GPU"),
        ("cuda:1", {}, "which chooses the GPU itself"),
    ],
)
def test_a_run_that_no_node_can_train_fails_with_that_reason(
    cluster: Any, store: RunStore, device: str, options: dict[str, float], reason: str
) -> None:
    executor = make_executor("ray", store, {"address": cluster.address, **options})
    try:
        run = JobQueue(store).launch(SHORT, device=device).run
        Supervisor(store, executor).step()
        assert run.state == "failed"
        assert reason in run.status.message
    finally:
        executor.close()


def test_a_run_waits_for_a_node_that_may_still_join(executor: Executor, store: RunStore) -> None:
    run = JobQueue(store).launch(SHORT, device="cuda").run
    Supervisor(store, executor).step()
    assert run.state == "queued"


def test_more_cpus_than_any_node_has_are_refused_before_a_run_is_touched(cluster: Any, store: RunStore) -> None:
    with pytest.raises(FerError, match="a run takes 64 CPUs .* which no node .* 2 nodes with 2 CPUs"):
        make_executor("ray", store, {"address": cluster.address, "cpus": 64})


def test_a_node_without_the_project_or_the_runs_says_so(
    executor: Executor, store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = RunStore(tmp_path / "elsewhere").create(replace(SHORT, seed=1))
    assert executor.start(elsewhere, Job(1), [])
    (tmp_path / "only_here.py").write_text("def train(*arguments): return ''")
    monkeypatch.syspath_prepend(tmp_path)
    name = "only_here"  # which the nodes do not have
    monkeypatch.setattr("fer_core.jobs.ray._train", importlib.import_module(name).train)
    run = store.create(SHORT)
    assert executor.start(run, Job(2), [])
    reasons: list[str] = []
    while len(reasons) < 2:
        reasons += [ended.reason for ended in executor.poll()]
        time.sleep(0.05)
    assert any("does not see" in reason and "under the same path" in reason for reason in reasons)
    assert any(reason.endswith("ModuleNotFoundError: No module named 'only_here'") for reason in reasons)


def test_what_a_killed_worker_trained_is_lost_and_the_next_one_finishes_it(
    cluster: Any, store: RunStore, uninterrupted: Run
) -> None:
    run = JobQueue(store).launch(LONG, by="ada").run
    killed = start_worker(store, cluster)
    wait_until(lambda: has_learnt(run), killed, store)
    killed.kill()
    killed.wait()
    wait_until(lambda: not run.is_locked())
    assert run.state == "lost"
    following = start_worker(store, cluster)
    wait_until(lambda: run.state == "finished", following, store)
    assert_same_result(run, uninterrupted)
    assert "taken up again after epoch" in run.log()
    assert "resumed on cpu" in run.log()
    wait_until(lambda: read_job(run) is None)
    following.terminate()
    assert following.wait(WAIT_S) == 0
    assert worker_info(store) is None


def start_worker(store: RunStore, cluster: Any) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "fer_core", "worker", "--runs", str(store.root)]
    with output_of(store).open("ab") as output:
        return subprocess.Popen(
            [*command, "--executor", "ray", "--address", cluster.address], stdout=output, stderr=subprocess.STDOUT
        )


def output_of(store: RunStore) -> Path:
    return store.root.parent / "worker.out"


def wait_until(
    happened: Callable[[], object], worker: "subprocess.Popen[bytes] | None" = None, store: RunStore | None = None
) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        assert worker is None or store is None or worker.poll() is None, output_of(store).read_text()
        time.sleep(0.02)


def test_a_run_whose_node_was_killed_is_resumed_on_another_and_reaches_the_same_result(
    cluster: Any, executor: Executor, store: RunStore, uninterrupted: Run
) -> None:
    run = JobQueue(store).launch(LONG, by="ada").run
    supervisor = Supervisor(store, executor)
    with without_room("here"):
        drive(supervisor, lambda: has_learnt(run))
        (there,) = cluster.worker_nodes
        cluster.remove_node(there, allow_graceful=False)
        drive(supervisor, lambda: not executor.held())
        wait_until(lambda: not run.is_locked())
        assert run.state == "lost"
    drive(supervisor, lambda: run.state == "finished")
    log = run.log()
    assert "given to node there" in log
    assert "the node that trained it was lost (there)" in log
    assert "taken up again after epoch" in log
    assert "given to node here" in log
    assert "resumed on cpu" in log
    assert_same_result(run, uninterrupted)


def test_two_runs_share_a_gpu_of_which_each_takes_a_half(cluster: Any, store: RunStore) -> None:
    # Ray believes in this GPU: what it reserves of it is what counts here, and nothing is trained
    node = cluster.add_node(**NODE, num_gpus=1, node_name="with a GPU")
    executor = make_executor("ray", store, {"address": cluster.address, "cpus": 0.5, "gpus": 0.5})
    try:
        runs = [store.create(replace(SHORT, seed=seed)) for seed in range(3)]
        assert executor.start(runs[0], Job(1, device="cuda"), [])
        assert executor.start(runs[1], Job(2, device="auto"), [])
        assert not executor.start(runs[2], Job(3, device="cuda"), [])
        assert "given to node with a GPU of the Ray cluster, with 0.5 CPUs and 0.5 GPUs" in runs[1].log()
        assert executor.describe()["per_device"] == 2
    finally:
        executor.close()
        cluster.remove_node(node)


def test_a_cluster_that_is_not_there_is_said_at_once(store: RunStore) -> None:
    pytest.importorskip("ray", reason="Ray is not installed; `pip install -r requirements-ray.txt` brings it")
    began = time.monotonic()
    with pytest.raises(FerError, match="cannot be joined: .*Connection refused"):
        make_executor("ray", store, {"address": "127.0.0.1:1"})
    for address in ("local", "ray://127.0.0.1:10001", "nonsense"):
        with pytest.raises(FerError, match="no Ray cluster is found .* HOST:PORT of its head"):
            make_executor("ray", store, {"address": address})
    assert time.monotonic() - began < 10


def test_without_ray_it_is_said_how_to_install_it(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "fer_core.jobs.ray", raising=False)
    with pytest.raises(FerError, match="Ray is not installed .* `pip install -r requirements-ray.txt`"):
        make_executor("ray", store, {})


def test_an_unknown_executor_and_an_option_of_another_one_are_refused() -> None:
    with pytest.raises(FerError, match="unknown executor 'slurm'; choose from local, ray"):
        check_options("slurm", {})
    with pytest.raises(FerError, match="--per-device is an option of --executor local, not of ray"):
        check_options("ray", {"per_device": 2, "threads": 1})
    with pytest.raises(FerError, match="--gpus is an option of --executor ray, not of local"):
        check_options("local", {"gpus": 0.5})
