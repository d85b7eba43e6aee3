"""What a visitor of a fresh clone does first, on the shipped results."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from fer_core.runs import Run, RunStore
from tests.browser.harness import PATIENCE, PROJECT_ROOT, Server, click_to


@pytest.fixture(scope="module")
def best() -> Run:
    """The shipped run on real faces that tests best."""
    shipped = [run for run in RunStore(PROJECT_ROOT / "runs").list() if run.state == "finished"]
    real = [run for run in shipped if run.spec.dataset == "fer2013" and run.spec.protocol == "official"]
    return max(real, key=lambda run: run.evaluation()["splits"]["test"]["accuracy"])


def has_text(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=False).first).to_be_visible(timeout=PATIENCE)


def test_the_first_page_shows_the_best_shipped_result(page: Page, best: Run) -> None:
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    shown = page.locator("[data-testid=stMetricValue]").first
    expect(shown).to_have_text(re.compile(f"{100 * best.evaluation()['splits']['test']['accuracy']:.1f}"))


def test_a_click_on_a_cell_opens_that_run_and_a_reload_keeps_it(page: Page, best: Run) -> None:
    accuracy = f"{100 * best.evaluation()['splits']['test']['accuracy']:.1f}"
    cell = page.locator("[data-testid=stVegaLiteChart]").first.get_by_text(accuracy).first
    cell.click(timeout=PATIENCE)
    expect(page).to_have_url(re.compile(r"/run\?"), timeout=PATIENCE)
    has_text(page, f"{best.spec.architecture} on ")
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(re.compile(accuracy), timeout=PATIENCE)
    page.reload()
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(re.compile(accuracy), timeout=PATIENCE)
    has_text(page, "Every emotion in numbers")


def test_the_sample_photo_has_one_smiling_face(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/photos")
    click_to(page, page.get_by_role("radio", name="Sample photo"), re.compile("photos_from=Sample"))
    has_text(page, "1 · happy")
    has_text(page, "1 photo · 1 face")


def test_an_uploaded_photo_is_read(browse: Callable[..., Page], server: Server, sample_photo: bytes) -> None:
    page = browse(f"{server.url}/photos", width=420, colour_scheme="dark")
    upload = {"name": "astronaut.png", "mimeType": "image/png", "buffer": sample_photo}
    page.locator("input[type=file]").set_input_files(files=[upload])
    has_text(page, "1 · happy")


def test_a_text_file_called_jpg_gets_one_sentence(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/photos")
    page.locator("input[type=file]").set_input_files(
        files=[{"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"these are words"}]
    )
    has_text(page, "is not a picture")


@pytest.fixture(scope="module")
def sample_photo() -> bytes:
    """A smiling astronaut (NASA, public domain) as PNG."""
    import cv2
    from skimage.data import astronaut

    return bytes(cv2.imencode(".png", cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))[1])
