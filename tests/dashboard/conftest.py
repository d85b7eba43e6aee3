"""A folder of runs that the dashboard shows, and its pages."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.runs import RunStore

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
