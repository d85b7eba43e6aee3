"""The Leaderboard page in a real browser, on the shipped results."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from fer_core.runs import RunStore
from tests.browser.harness import PATIENCE, PROJECT_ROOT, Server, wait_until_drawn

BASELINE = "c3858bdf"


def test_a_link_shows_the_same_ranking_a_search_becomes_part_of_it_and_a_cell_opens_its_run(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/leaderboard?baseline={BASELINE}&map=Macro-F1&effort=Training+time")
    expect(page.get_by_text(re.compile(r"really better than the baseline")).first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(re.compile(r"^Macro-F1: ensemble:weighted leads")).first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(re.compile(r"against training time")).first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("textbox", name="Search").fill("xception gcn")
    expect(page).to_have_url(re.compile(r"q=xception"), timeout=PATIENCE)
    wait_until_drawn(page)
    expect(page.get_by_text(re.compile("Holm's correction over 2 runs")).first).to_be_visible(timeout=PATIENCE)
    run = RunStore(PROJECT_ROOT / "runs").get("mini_xception__gcn__fer2013-official")
    shown = f"{100 * run.evaluation()['splits']['test']['macro_f1']:.1f}"
    page.get_by_test_id("stVegaLiteChart").first.get_by_text(shown).first.click(timeout=PATIENCE)
    expect(page).to_have_url(re.compile(r"/run\?run=mini_xception__gcn__"), timeout=PATIENCE)


def test_on_a_phone_the_table_scrolls_and_the_page_does_not(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/leaderboard", width=420, colour_scheme="dark")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
