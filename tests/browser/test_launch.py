"""From a selection to trainings, as a visitor at this machine does it."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from fer_core.jobs import worker_info
from fer_core.runs import RunStore
from tests.browser.harness import PATIENCE, Server

SECONDS = 180


@pytest.fixture
def runs_folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder of runs; what a launch has started there is ended with the test."""
    folder = tmp_path / "runs"
    folder.mkdir()
    yield folder
    end_trainings(folder)


def end_trainings(folder: Path) -> None:
    """End the worker of a folder of runs and the trainings that it has started, which would outlive it."""
    for kind in ("fer_core worker", "fer_core.jobs.trainer"):
        started = [
            each for each in psutil.process_iter() if kind in (command := command_of(each)) and str(folder) in command
        ]
        for process in started:
            process.kill()
        psutil.wait_procs(started, timeout=10)


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""  # it has ended meanwhile


def until(happens: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not happens():
        assert time.monotonic() < deadline, f"within {SECONDS} s {what} did not happen"
        time.sleep(0.2)


def add(page: Page, label: str, name: str) -> None:
    """Choose one more option of a multiselect, by typing it."""
    field = page.get_by_role("combobox", name=re.compile(label))
    field.click()
    field.fill(name)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stMultiSelect").filter(has_text=label)).to_contain_text(name, timeout=PATIENCE)


def test_two_networks_and_two_pipelines_become_four_runs_that_a_worker_trains(
    browse: Callable[..., Page], server: Server, runs_folder: Path
) -> None:
    store = RunStore(runs_folder)
    page = browse(f"{server.url}/launch?dataset=synthetic")
    expect(page.get_by_role("button", name="Launch 1 run")).to_be_enabled(timeout=PATIENCE)
    add(page, "Architectures", "linear")
    add(page, "Preprocessing", "gcn(lam=5)")
    page.get_by_text("Hyperparameters", exact=True).click()
    epochs = page.get_by_role("spinbutton", name="Epochs", exact=True)
    epochs.fill("1")
    epochs.press("Enter")
    expect(page.get_by_text("Other than the recipe: epochs 1")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stMetric").filter(has_text="Runs")).to_contain_text("4", timeout=PATIENCE)
    command = "--architectures mini_xception,linear --preprocessing 'raw,gcn(lam=5)' --dataset synthetic -H epochs=1"
    expect(page.get_by_test_id("stCode")).to_contain_text(command)
    expect(page).to_have_url(re.compile(r"architectures=linear.*epochs=1"))
    assert store.list() == []
    page.get_by_role("button", name="Launch 4 runs").click()
    expect(page).to_have_url(re.compile(r"/queue$"), timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Queue")).to_be_visible(timeout=PATIENCE)
    assert {(run.spec.architecture, run.spec.preprocessing) for run in store.list()} == {
        (architecture, pipeline) for architecture in ("mini_xception", "linear") for pipeline in ("raw", "gcn(lam=5)")
    }
    assert {run.spec.recipe.epochs for run in store.list()} == {1}
    until(lambda: bool((info := worker_info(store)) and info.pid), "the worker's start")
    until(lambda: any(run.state in ("running", "finished") for run in store.list()), "the first training's start")
    assert any(run.state == "queued" for run in store.list()), "the others wait"
