"""The Network page in a real browser, on the shipped runs and the sample photo."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.harness import PATIENCE, Server, pick, wait_until_drawn

LINK = "network?run=mini_xception__raw__fer2013-official__s0__eafaf933&source=Sample+photo"


def has_text(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=False).first).to_be_visible(timeout=PATIENCE)


def test_a_click_in_the_graph_shows_that_layer_and_the_link_keeps_it(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/{LINK}")
    has_text(page, "Layer stem.0, Conv2d: 8 maps of 46×46")
    boxes = page.locator("[data-testid=stVegaLiteChart] .mark-rect.role-mark").filter(
        has=page.locator("path:nth-child(52)")
    )
    boxes.first.locator("path").nth(16).click(timeout=PATIENCE)
    has_text(page, "Layer modules_.0.add, Add: 16 maps of 22×22")
    expect(page).to_have_url(re.compile(r"layer=modules_\.0\.add"), timeout=PATIENCE)
    page.reload()
    has_text(page, "Layer modules_.0.add, Add: 16 maps of 22×22")


def test_saliency_is_drawn_for_the_sample_photo_on_a_phone(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/{LINK}&view=Saliency&sanity=true", width=420, colour_scheme="dark")
    has_text(page, "What speaks for happy")
    wait_until_drawn(page)
    expect(page.get_by_text("Rank correlation with the picture above")).to_have_count(4, timeout=PATIENCE)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, "nothing makes a phone scroll sideways"


def test_a_member_of_an_ensemble_is_chosen_with_layers_of_its_own_and_the_link_keeps_it(
    browse: Callable[..., Page], server: Server
) -> None:
    page = browse(f"{server.url}/network?run=500595ff&source=Sample+photo&view=Saliency")
    has_text(page, "Member se_resnet on raw faces")
    pick(page, page.locator(".st-key-member"), "mini_xception · raw · weight 12.8 %")
    has_text(page, "Member mini_xception on raw faces")
    for key, layer in (("layer", "stem.0"), ("cam_layer", "modules_.2.add (last with a map)")):
        expect(page.locator(f".st-key-{key} input")).to_have_value(layer, timeout=PATIENCE)
    expect(page).to_have_url(re.compile(r"member=mini_xception.+raw.+run=ensemble-weighted__"), timeout=PATIENCE)
    page.reload()
    has_text(page, "Member mini_xception on raw faces")
