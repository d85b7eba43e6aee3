"""Find a Chromium for the tests, and install one where there is none.

`python -m tests.browser.find_browser` prints the path. It takes, in this order: $CHROMIUM, one that the system
has, Playwright's own, and, for root on Debian, the system's package.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_PATHS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
INSTALL_SECONDS = 600


class NoBrowserError(RuntimeError):
    """No Chromium is here; the message is one sentence with what to do."""


def find_browser() -> Path:
    """Path of a Chromium that starts; raises NoBrowserError where there is none."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        path = shutil.which(chosen)
        if path is None or not starts(Path(path)):
            raise NoBrowserError(f"CHROMIUM={chosen} does not start; unset it, or set it to a Chromium's path")
        return Path(path)
    found = next((path for path in candidates() if starts(path)), None)
    if found:
        return found
    raise NoBrowserError("no Chromium was found; run `make browser`, or set CHROMIUM to the path of one")


def candidates() -> Iterator[Path]:
    """Where a Chromium may lie, the quickest to ask first."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            yield Path(path)
    yield from (Path(path) for path in MAC_PATHS)
    yield playwright_path()


def playwright_path() -> Path:
    """Where Playwright's own Chromium lies once it is installed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def starts(path: Path) -> bool:
    """Whether `path` runs: a stub of the package manager, or a browser without its libraries, does not."""
    if not path.is_file():
        return False
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install_browser() -> Path:
    """Install a Chromium in the first way that works; raises NoBrowserError where none does."""
    ways: list[Callable[[], list[list[str]]]] = [download, libraries, debian_package]
    for commands in ways:
        if all(succeeds(command) for command in commands()):
            found = next((path for path in candidates() if starts(path)), None)
            if found:
                return found
    raise NoBrowserError(
        "no Chromium was found and none could be installed; install Chromium or Google Chrome, "
        "or set CHROMIUM to the path of one"
    )


def download() -> list[list[str]]:
    """Playwright's own Chromium, in its usual cache."""
    return [[sys.executable, "-m", "playwright", "install", "chromium"]]


def libraries() -> list[list[str]]:
    """The system's libraries, where Playwright's Chromium came but does not start."""
    wanted = is_root_on_debian() and playwright_path().is_file()
    return [[sys.executable, "-m", "playwright", "install-deps", "chromium"]] if wanted else []


def debian_package() -> list[list[str]]:
    """Debian's own Chromium."""
    return [["apt-get", "update"], ["apt-get", "install", "--yes", "chromium"]] if is_root_on_debian() else []


def is_root_on_debian() -> bool:
    """Whether apt-get may be used."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def succeeds(command: list[str]) -> bool:
    """Run `command` without asking anything; its output goes to standard error."""
    print("+", *command, file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, timeout=INSTALL_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return False
    return result.returncode == 0


def main() -> None:
    """Print the path of a Chromium, installing one where there is none."""
    try:
        try:
            path = find_browser()
        except NoBrowserError:
            if os.environ.get("CHROMIUM"):
                raise
            path = install_browser()
    except NoBrowserError as error:
        raise SystemExit(f"error: {error}") from None
    print(f"Browser for the tests: {path}")


if __name__ == "__main__":
    main()
