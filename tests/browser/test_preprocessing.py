"""The Preprocessing page: a pipeline is built, its link shows the same picture, and its pictures are saved."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.harness import PATIENCE, Server, pick, wait_until_drawn

LINK = "preprocessing?source=Sample+photo&pipelines=gcn&pipelines=hist_eq"


def picture(page: Page, alt: str) -> str:
    """The pixels of the picture that is described so, as a data URL."""
    return str(page.get_by_role("img", name=alt, exact=True).first.get_attribute("src", timeout=PATIENCE))


def linked(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query)["pipelines"]


def test_a_pipeline_is_built_and_its_link_shows_the_same_picture(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/{LINK}&build=gcn")
    before = picture(page, "The face after gcn")
    page.locator(".st-key-gcn_0_s").get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"pipelines=gcn%28s%3D2%29"), timeout=PATIENCE)
    changed = picture(page, "The face after gcn(s=2)")
    assert changed != before

    pick(page, page.locator(".st-key-add_step"), "median")
    expect(page.get_by_text("2 · median", exact=True)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Earlier").nth(1).click()
    expect(page.get_by_text("1 · median", exact=True)).to_be_visible(timeout=PATIENCE)
    wait_until_drawn(page)
    assert linked(page) == ["median+gcn(s=2)", "hist_eq"]
    result = picture(page, "The face after median+gcn(s=2)")

    again = browse(page.url)
    assert linked(again) == ["median+gcn(s=2)", "hist_eq"]
    expect(again.get_by_text("1 · median", exact=True)).to_be_visible(timeout=PATIENCE)
    assert picture(again, "The face after median+gcn(s=2)") == result
    expect(again.get_by_test_id("stAlert")).to_have_count(0)


def test_a_link_that_is_written_by_hand_joins_steps_and_leaves_out_what_is_no_pipeline(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/preprocessing?source=Sample+photo&pipelines=gcn+hist_eq&pipelines=hist_q")
    expect(page.get_by_text("2 · hist_eq", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stAlert")).to_contain_text("Left out: Unknown step 'hist_q'")
    expect(page.get_by_test_id("stMultiSelect")).not_to_contain_text("hist_q")


def test_pictures_and_numbers_are_saved(browse: Callable[..., Page], server: Server, tmp_path: Path) -> None:
    page = browse(f"{server.url}/{LINK}")
    saved = {}
    for label in ("Download PNG", "Download NPZ", "Download CSV"):
        with page.expect_download(timeout=PATIENCE) as download:
            page.get_by_role("button", name=label).first.click()
        download.value.save_as(tmp_path / label)
        saved[label] = (tmp_path / label).read_bytes()
    assert Image.open(io.BytesIO(saved["Download PNG"])).format == "PNG"
    numbers = np.load(io.BytesIO(saved["Download NPZ"]))
    assert numbers["pipelines"].tolist() == ["raw", "gcn", "hist_eq"]
    assert numbers["pictures_1"].shape == (2, 48, 48)
    assert saved["Download CSV"].startswith(b"pipeline,position,step,milliseconds,mean")


def test_on_a_phone_nothing_is_wider_than_the_page(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/{LINK}", width=420, colour_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    face = page.get_by_role("img", name="The face after raw", exact=True).first
    box = face.bounding_box()
    assert box is not None
    assert 100 <= box["width"] <= 420
