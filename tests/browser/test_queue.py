"""The Queue page while a real worker trains on drawn faces."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fer_core.jobs import JobQueue, worker_info
from fer_core.runs import Run, RunStore
from fer_core.training import make_spec
from tests.browser.harness import PATIENCE, Server


@pytest.fixture
def runs_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of runs of its own; what was started on it is ended with the test."""
    yield tmp_path / "runs"
    store = RunStore(tmp_path / "runs")
    worker = worker_info(store)
    holders = [run.holder() for run in store.list() if run.is_locked()]
    for pid in [*([worker.pid] if worker else []), *(holder[0] for holder in holders if holder)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def run(runs_folder: Path) -> Run:
    """A run that waits, and trains for longer than the test takes."""
    spec = make_spec(
        "linear", "raw", dataset="synthetic", protocol="official", recipe="modern", hyperparameters={"epochs": 900}
    )
    return JobQueue(RunStore(runs_folder)).launch(spec, by="ada").run


def epochs_in(page: Page) -> int:
    text = page.get_by_test_id("stProgress").inner_text()
    found = re.search(r"epoch (\d+) of 900", text)
    return int(found[1]) if found else 0


def line_of(page: Page) -> str:
    """The path of the first curve's line."""
    chart = page.get_by_test_id("stVegaLiteChart").first
    return str(chart.locator("svg .mark-line path").first.get_attribute("d", timeout=PATIENCE))


def test_a_training_is_started_watched_and_stopped(run: Run, browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/queue")
    expect(page.get_by_text("1 run will wait until one is started.")).to_be_visible()
    page.get_by_role("button", name="Start a worker").click()
    expect(page.get_by_text("A worker is at work").first).to_be_visible(timeout=PATIENCE)

    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2, timeout=PATIENCE)
    epoch, line = epochs_in(page), line_of(page)
    expect(page.get_by_test_id("stProgress")).not_to_contain_text(f"epoch {epoch} of", timeout=PATIENCE)
    page.wait_for_function(
        "old => document.querySelector('[data-testid=stVegaLiteChart] svg .mark-line path')?.getAttribute('d') !== old",
        arg=line,
        timeout=PATIENCE,
    )
    assert epochs_in(page) > epoch, "card and curve have grown while the page was open"

    late = browse(f"{server.url}/queue", width=420, colour_scheme="dark")
    expect(late.get_by_test_id("stVegaLiteChart")).to_have_count(2, timeout=PATIENCE)
    assert epochs_in(late) > epoch, "a second browser sees the same"
    assert late.evaluate("document.documentElement.scrollWidth") <= 420

    page.bring_to_front()
    page.get_by_role("button", name="Cancel").click(timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE / 1000
    while run.state != "cancelled":
        assert time.monotonic() < deadline, f"still {run.state} long after it was cancelled"
        time.sleep(0.1)
    expect(page.get_by_test_id("stToast")).to_contain_text("linear · raw was cancelled", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=PATIENCE)
    assert run.checkpoint() is not None
    assert run.log().count("asked to stop") == 1
