"""Take pictures of every page of the dashboard, wide and narrow, light and dark.

`python -m tests.browser.screenshots --out DIR [--pages overview,run,photos] [--runs DIR | --url URL]`
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.harness import (
    PROJECT_ROOT,
    ColourScheme,
    Watch,
    open_browser,
    open_page,
    run_server,
    wait_until_drawn,
)

WIDTHS = (1440, 420)
SMALLEST_HEIGHT, LARGEST_HEIGHT = 900, 8000
# charts animate for a moment after Streamlit calls itself done
SETTLE_MILLISECONDS = 800


def take_all(context: BrowserContext, url: str, names: list[str], out: Path) -> list[str]:
    """Save `<page>-<width>-<scheme>.png` for the named pages (all if none is named); return what went wrong."""
    watch = Watch()
    pages = choose(find_pages(context, url), names)
    for name, address in pages.items():
        for width in WIDTHS:
            for scheme in get_args(ColourScheme):
                with open_page(context, address, watch, width=width, colour_scheme=scheme) as page:
                    path = out / f"{name}-{width}-{scheme}.png"
                    take_whole(page, width, path)
                    print(path)
    return watch.problems()


def find_pages(context: BrowserContext, url: str) -> dict[str, str]:
    """Name and address of every page that the navigation links to."""
    with open_page(context, url, Watch(), width=WIDTHS[0], colour_scheme="light") as page:
        links = page.get_by_test_id("stSidebarNavLink").all()
        found = {link.inner_text().strip(): str(link.evaluate("link => link.href")) for link in links}
    return {text.lower().replace(" ", "-"): address for text, address in found.items()} or {"page": url}


def choose(pages: dict[str, str], names: list[str]) -> dict[str, str]:
    """The named pages, or all; an unknown name ends the program with the choices."""
    for name in names:
        if name not in pages:
            raise SystemExit(f"error: unknown page {name!r}; choose from {', '.join(pages)}")
    return {name: pages[name] for name in names or pages}


def take_whole(page: Page, width: int, path: Path) -> None:
    """Save the page in its full height: Streamlit scrolls inside the window, so the window grows."""
    content = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
    height = min(max(int(content), SMALLEST_HEIGHT), LARGEST_HEIGHT)
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    wait_until_drawn(page)
    page.screenshot(path=path)


@contextmanager
def dashboard(arguments: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Address of the dashboard: the given one, or that of a server of our own."""
    if arguments.url:
        yield arguments.url
        return
    with run_server(folder, environment={"FER_RUNS_DIR": str(arguments.runs.resolve())}) as server:
        yield server.url


def main() -> None:
    """Take the pictures; ends with 1 where a page complained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--pages", default="", help="names, separated by commas; all if left out")
    parser.add_argument("--runs", type=Path, default=PROJECT_ROOT / "runs", help="folder of runs to show")
    parser.add_argument("--url", default="", help="a dashboard that runs already")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = [name for name in arguments.pages.split(",") if name]
    with (
        tempfile.TemporaryDirectory() as folder,
        dashboard(arguments, Path(folder)) as url,
        sync_playwright() as playwright,
        open_browser(playwright, Path(folder) / "profile") as context,
    ):
        problems = take_all(context, url, names, arguments.out)
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
