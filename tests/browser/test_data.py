"""The Dataset page in a real browser, on the drawn faces."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.harness import PATIENCE, Server, click_to, wait_until_drawn


def test_a_turned_page_stands_in_the_link_and_another_split_begins_at_the_first(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/data?dataset=synthetic")
    third = page.get_by_test_id("stPagination").get_by_role("button", name="Page 3", exact=True)
    click_to(page, third, re.compile("samples_page=3"))
    expect(page.get_by_text("21 to 30 of 300")).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.get_by_text("21 to 30 of 300")).to_be_visible(timeout=PATIENCE)
    click_to(page, page.get_by_role("radio", name="Test", exact=True), re.compile("samples_split=Test"))
    expect(page.get_by_text("1 to 10 of 50")).to_be_visible(timeout=PATIENCE)


def test_on_a_phone_no_view_is_wider_than_the_screen(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/data?dataset=synthetic", width=420, colour_scheme="dark")
    for view in ("Overview", "Averages", "Audit", "Label errors"):
        page.get_by_role("tab", name=view, exact=True).click(timeout=PATIENCE)
        wait_until_drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
