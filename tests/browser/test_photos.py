"""The Photos page in a real browser: boxes are drawn and corrected, pictures saved, and a video is read."""

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.harness import PATIENCE, Server, wait_until_drawn

RUN = "run=mini_xception__raw__fer2013-official__s0__eafaf933"
SAMPLE = f"photos?photos_from=Sample+photo&{RUN}"
READ = re.compile(r"^\d+ (angry|disgust|fear|happy|sad|surprise|neutral)\?? \d+\s%$")


def saved(page: Page, button: str) -> bytes:
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_bytes()


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press at one place of the photo, given as shares of its sides, and release at another."""
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=5)
    page.mouse.up()


def expect_read(page: Page, count: int) -> Locator:
    """Return when the photo has so many boxes, each named by what a network reads in it."""
    plates = page.locator(".box .plate")
    expect(plates).to_have_text([READ] * count, timeout=PATIENCE)
    return plates


def rows(page: Page) -> list[dict[str, str]]:
    wait_until_drawn(page)
    return list(csv.DictReader(io.StringIO(saved(page, "Download CSV").decode())))


def rows_once(page: Page, is_so: Callable[[list[dict[str, str]]], bool]) -> list[dict[str, str]]:
    """The rows as soon as they are as they should be."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not is_so(read := rows(page)):
        assert time.monotonic() < deadline, read
        page.wait_for_timeout(250)
    return read


def test_boxes_are_drawn_moved_and_removed_and_the_pictures_are_saved(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/{SAMPLE}")
    expect_read(page, 1)
    drag(page, (0.1, 0.6), (0.4, 0.8))
    expect(page.locator(".box")).to_have_count(1)  # nothing is drawn before it is asked for

    page.get_by_role("button", name="Correct boxes").click()
    expect(page.locator(".hint")).to_be_visible()
    expect(page.locator(".square-hint")).to_be_hidden()  # no box is chosen, and no square drawn
    drag(page, (0.1, 0.6), (0.4, 0.8))
    expect(page.locator(".square-hint")).to_be_visible()
    expect_read(page, 2)
    found, drawn = rows(page)
    assert (found["box"], drawn["box"]) == ("drawn", "drawn")
    assert abs(float(drawn["x"]) - 51) <= 3
    assert abs(float(drawn["width"]) - 154) <= 5

    drag(page, (0.25, 0.7), (0.35, 0.7))  # what is pressed inside a box moves it
    moved = rows_once(page, lambda read: read[1]["x"] != drawn["x"])[1]
    assert abs(float(moved["x"]) - float(drawn["x"]) - 51) <= 3
    assert (moved["y"], moved["width"]) == (drawn["y"], drawn["width"])
    page.get_by_role("button", name=re.compile("^Box 2:")).press("Shift+ArrowDown")
    higher = rows_once(page, lambda read: read[1]["height"] != moved["height"])[1]
    assert float(higher["height"]) > float(moved["height"])
    picture = Image.open(io.BytesIO(saved(page, "Download picture")))
    assert (picture.format, picture.size) == ("JPEG", (512, 512))

    page.get_by_role("button", name=re.compile("^Box 2:")).press("Delete")
    expect_read(page, 1)
    page.get_by_role("button", name="As found").click()
    expect(page.get_by_role("button", name="As found")).to_be_disabled(timeout=PATIENCE)
    assert [row["box"] for row in rows(page)] == ["found"]


def test_on_a_phone_a_box_is_drawn_and_nothing_is_wider_than_the_page(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/{SAMPLE}", width=420, colour_scheme="dark")
    expect_read(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    page.get_by_role("button", name="Correct boxes").click()
    page.get_by_role("button", name="Add box").click()
    expect_read(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_a_video_is_read_to_its_end_by_two_runs_and_saved(browse: Callable[..., Page], server: Server) -> None:
    link = f"view=Video&video_from=Sample+video&every=Every+5th+frame&{RUN}&beside=mini_xception__gcn__fer2013-official"
    page = browse(f"{server.url}/photos?{link}")
    page.get_by_role("button", name="Read the video").click()
    expect(page.get_by_role("button", name="Download video")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("1 face in 10 frames · runs agree on")).to_be_visible()
    assert saved(page, "Download video").startswith(b"\x1a\x45\xdf\xa3")
    read = list(csv.DictReader(io.StringIO(saved(page, "Download CSV").decode())))
    assert {int(row["frame"]) % 5 for row in read} == {0}
    assert [row["run"].split("__")[1] for row in read] == ["raw", "gcn"] * (len(read) // 2)
    expect(page.locator("video")).to_be_visible()
    # the first chart holds the colours' names as well: its lines must be as high as the other's
    charts = page.locator("[data-testid=stVegaLiteChart]")
    expect(charts).to_have_count(2)
    axes = charts.get_by_label("Y-axis titled 'probability'", exact=False)
    expect(axes).to_have_count(2)
    heights = [box["height"] for each in axes.all() if (box := each.bounding_box())]
    assert abs(heights[0] - heights[1]) <= 12
