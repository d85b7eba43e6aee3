"""A folder of runs that the dashboard shows, its queue, and its pages."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import permissions
from dashboard.permissions import Permission
from fer_core.jobs import JobQueue
from fer_core.jobs.background import sole_worker, write_worker_info
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_spec

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """An empty folder of runs, which the dashboard shows."""
    monkeypatch.setenv("FER_RUNS_DIR", str(tmp_path / "runs"))
    return RunStore(tmp_path / "runs")


@pytest.fixture
def open_page(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens a page of the dashboard by a link, e.g. `open_page("run", run="mini_xception__raw")`."""

    def opened(name: str, **link: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        if name != "overview":
            # the first run registers the pages: on an empty folder, it is quick
            monkeypatch.setenv("FER_RUNS_DIR", str(tmp_path / "empty"))
            app.run().switch_page(f"app_pages/{name}.py")
            monkeypatch.setenv("FER_RUNS_DIR", str(store.root))
        for key, value in link.items():
            app.query_params[key] = value
        return app.run()

    return opened


@pytest.fixture
def at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever drives the pages may act, unless a test takes that back."""
    here = Permission(True, who=permissions.AT_THIS_MACHINE)
    monkeypatch.setattr(permissions, "permission", lambda: here)


@pytest.fixture
def jobs(store: RunStore) -> JobQueue:
    """The queue of `store`."""
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
