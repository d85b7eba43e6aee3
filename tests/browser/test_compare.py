"""The Compare page and the clickable confusion matrix in a real browser, on the shipped runs."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fer_core.report import comparison_report
from fer_core.runs import RunStore
from tests.browser.harness import PATIENCE, PROJECT_ROOT, ColourScheme, Server, wait_until_drawn

RUNS = "runs=eafaf933,07bf177a"  # mini_xception and se_resnet on raw faces of FER2013
GROUNDS: dict[ColourScheme, str] = {"light": "#ffffff", "dark": "#101114"}
FEAR_AS_SAD = 2 * 7 + 4  # the cell's place among the tiles


def has_text(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=False).first).to_be_visible(timeout=PATIENCE)


def click_cell(page: Page, chart: int, cell: int) -> None:
    tiles = page.get_by_test_id("stVegaLiteChart").nth(chart).locator(".mark-rect.role-mark").first
    tiles.locator("path").nth(cell).click(timeout=PATIENCE, force=True)  # its text lies over the tile


def test_a_click_on_a_runs_matrix_shows_that_cells_images_and_a_reload_keeps_them(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/run?run=07bf177a")
    has_text(page, "choose its emotions here")
    click_cell(page, 3, FEAR_AS_SAD)
    has_text(page, "110 fear faces that it reads as sad")
    expect(page).to_have_url(re.compile(r"true=fear.*predicted=sad"), timeout=PATIENCE)
    page.reload()
    has_text(page, "110 fear faces that it reads as sad")


def test_a_click_on_one_of_several_matrices_chooses_the_run_too(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/compare?{RUNS}&view=Confusion")
    has_text(page, "What each run takes for what")
    wait_until_drawn(page)
    click_cell(page, 1, FEAR_AS_SAD)
    has_text(page, "110 fear faces that B · se_resnet reads as sad")
    expect(page).to_have_url(re.compile(r"of=B"), timeout=PATIENCE)


def test_a_run_that_is_added_gets_the_next_letter_and_a_phone_does_not_scroll_sideways(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/compare?{RUNS}", width=420, colour_scheme="dark")
    has_text(page, "B · se_resnet recognises most")
    page.get_by_test_id("stMultiSelect").locator("input").first.fill("conv_relu_ann")
    page.get_by_role("option").first.click(timeout=PATIENCE)
    has_text(page, "C · conv_relu_ann")
    expect(page).to_have_url(re.compile(r"runs=eafaf933(,|%2C)07bf177a(,|%2C)215c8c09"), timeout=PATIENCE)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide


def look(svg: str) -> set[str]:
    """Every colour and size of letters in a chart."""
    return {each.lower() for each in re.findall(r'(?:(?:fill|stroke|stop-color)="#\w+|font-size="[\d.]+px)', svg)}


def saved(page: Page, label: str, folder: Path) -> str:
    """What the first button called `label` saves."""
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button", name=label).first.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_saved_chart_looks_as_on_the_page_and_the_report_is_the_command_line_s(
    browse: Callable[..., Page], server: Server, tmp_path: Path, scheme: ColourScheme
) -> None:
    page = browse(f"{server.url}/compare?{RUNS}&view=Accuracy", colour_scheme=scheme)
    has_text(page, "Test accuracy against A")
    wait_until_drawn(page)
    chart = page.get_by_test_id("stVegaLiteChart").first.locator("svg.marks")
    expect(chart).to_be_visible(timeout=PATIENCE)
    shown = look(str(chart.evaluate("svg => svg.outerHTML")))
    assert len(shown) > 4
    ground = f'fill="{GROUNDS[scheme]}'  # of the page itself, which a picture takes with it
    assert look(saved(page, "SVG", tmp_path)) == {*shown, ground}
    if scheme == "light":
        runs = [RunStore(PROJECT_ROOT / "runs").get(name) for name in ("eafaf933", "07bf177a")]
        assert saved(page, "HTML report", tmp_path) == comparison_report(runs)
