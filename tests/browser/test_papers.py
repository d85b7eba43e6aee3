"""The Papers page, on the shipped results."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from fer_core.papers import published
from tests.browser.harness import PATIENCE, Server


def test_every_published_figure_has_its_row_and_a_link_opens_a_run(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/papers")
    table = page.get_by_test_id("stTable")
    assert table.locator("tbody tr").count() >= len(published())
    with page.context.expect_page() as opened:
        table.get_by_role("link").first.click(timeout=PATIENCE)
    run = opened.value
    expect(run).to_have_url(re.compile(r"/run\?run="), timeout=PATIENCE)
    expect(run.get_by_test_id("stMetricValue").first).to_be_visible(timeout=PATIENCE)
    run.close()


def test_on_a_phone_the_table_scrolls_and_the_page_does_not(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/papers", width=420, colour_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    inner = page.get_by_test_id("stTable").evaluate("table => [table.scrollWidth, table.clientWidth]")
    assert inner[1] <= 420


def test_numbers_stand_at_the_right(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/papers")
    cell = page.get_by_test_id("stTable").locator("tbody tr").first.locator("td").nth(2)
    assert re.fullmatch(r"\d+\.\d", cell.inner_text().strip())
    assert cell.evaluate("cell => getComputedStyle(cell).textAlign") == "right"
