"""Seconds until Overview and Leaderboard are painted in Chromium over many runs, beside the same pages over ten.

    python -m benchmarks.paint_speed [--runs 10 1000 10000] [--stores FOLDER] [--rounds 5]

Until the frame that has the page's title, chart and table in it, at 1440 × 900. `cold`: from the browser's first
request to a server that has just answered, and that finds the index of its runs; `reload`: again, the median;
`click`: from a click on the page's name, on the Launch page, the median. What ten runs take is Streamlit's own start,
the browser's reading of it, and this machine's mood. The stores are those of store_speed, made where they are absent.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from benchmarks.make_store import fill
from fer_core.runs import RunIndex, RunStore
from tests.browser.harness import open_browser, run_server, wait_until_drawn

PAGES = ("overview", "leaderboard")
WIDTH, HEIGHT = 1440, 900
PATIENCE = 120_000  # milliseconds
ELSEWHERE = "Launch"  # a page without a chart of all runs
PAINTED = """title => {
  const app = document.querySelector("[data-testid=stApp]")
  const busy = document.querySelectorAll("[data-testid=stSkeleton], [data-testid=stSpinner]").length
  const chart = document.querySelector("[data-testid=stVegaLiteChart] svg")
  const table = document.querySelector("[data-testid=stDataFrame] canvas")
  const titled = [...document.querySelectorAll("h1")].some(each => each.innerText.trim() === title)
  return app?.dataset.testScriptState === "notRunning" && !busy && titled && chart && table ? performance.now() : 0
}"""


CLICK = """title => {
  const name = each => each.innerText.trim() === title
  const start = performance.now()
  ;[...document.querySelectorAll("[data-testid=stSidebarNavLink]")].find(name).click()
  return start
}"""


def painted(page: Page, title: str) -> float:
    """Seconds from the document's start to the frame that shows the page's title, chart and table."""
    found = page.wait_for_function(PAINTED, arg=title, timeout=PATIENCE, polling="raf")
    return float(found.json_value()) / 1000


def clicked(page: Page, title: str) -> float:
    """Seconds from a click on the page's name to the same."""
    page.evaluate(CLICK, ELSEWHERE)
    page.get_by_role("heading", name=ELSEWHERE, exact=True).wait_for()
    wait_until_drawn(page)
    start = page.evaluate(CLICK, title) / 1000
    return painted(page, title) - start


def open_often(context: BrowserContext, url: str, title: str, rounds: int) -> tuple[float, float, float]:
    """(first, median of `rounds` reloads, median of as many clicks) in seconds."""
    page = context.new_page()
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto(url, wait_until="commit")
    first, again = painted(page, title), []
    for _ in range(rounds):
        page.reload(wait_until="commit")
        again.append(painted(page, title))
    clicks = [clicked(page, title) for _ in range(rounds)]
    page.close()
    return first, statistics.median(again), statistics.median(clicks)


def measure(name: str, root: Path, rounds: int) -> tuple[float, float, float]:
    """(cold, reload, click) of a page over the runs of `root`, from a server and a browser of their own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_server(Path(folder) / "server", environment={"FER_RUNS_DIR": str(root)}) as server,
        sync_playwright() as playwright,
        open_browser(playwright, Path(folder) / "profile") as context,
    ):
        return open_often(context, f"{server.url}/{'' if name == 'overview' else name}", name.capitalize(), rounds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 1000, 10_000])
    parser.add_argument("--stores", type=Path, default=Path(tempfile.gettempdir()) / "fer_stores")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print("| runs | page | cold | reload | click |\n|---:|---|---:|---:|---:|")
    for count in arguments.runs:
        root = arguments.stores / str(count)
        if not root.exists():
            fill(root, count)
        RunIndex(RunStore(root)).read()
        for page in PAGES:
            times = " | ".join(f"{seconds:.2f} s" for seconds in measure(page, root, arguments.rounds))
            print(f"| {count:,} | {page.capitalize()} | {times} |", flush=True)


if __name__ == "__main__":
    main()
