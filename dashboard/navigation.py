"""Which pages there are: every file in app_pages/ that names its TITLE and GROUP is one.

A page is a script, so its constants are read from its source, without running it.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

PAGES_FOLDER = Path(__file__).parent / "app_pages"
GROUPS = ("Results", "Data", "Model", "Try", "Train")
START_URL = "overview"


@dataclass(frozen=True)
class PageInfo:
    """A page as the navigation shows it; `order` sorts the pages of one group."""

    path: Path
    title: str
    group: str
    order: int
    url: str
    help: str


class PageError(Exception):
    """A file in app_pages/ that does not say what it is."""


def find_pages(folder: Path = PAGES_FOLDER) -> list[PageInfo]:
    """Every page of `folder`, in the navigation's order; raises PageError for a file without its constants."""
    files = (path for path in folder.glob("*.py") if not path.name.startswith("_"))
    pages = [_read(path, path.stat().st_mtime_ns) for path in files]
    return sorted(pages, key=lambda page: (_rank(page.group), page.order, page.title))


def grouped(pages: Sequence[PageInfo]) -> dict[str, list[PageInfo]]:
    """Pages by group, both in the navigation's order."""
    groups: dict[str, list[PageInfo]] = {}
    for page in pages:
        groups.setdefault(page.group, []).append(page)
    return groups


def _rank(group: str) -> tuple[int, str]:
    return (GROUPS.index(group) if group in GROUPS else len(GROUPS), group)


@lru_cache(maxsize=64)
def _read(path: Path, _mtime_ns: int) -> PageInfo:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _constants(tree)
    missing = [name for name in ("TITLE", "GROUP") if not isinstance(constants.get(name), str)]
    if missing:
        raise PageError(f"{path.name} must set {' and '.join(missing)} to a string at its top")
    return PageInfo(
        path=path,
        title=constants["TITLE"],
        group=constants["GROUP"],
        order=int(constants.get("ORDER", 100)),
        url=str(constants.get("URL", path.stem)),
        help=(ast.get_docstring(tree) or "").partition("\n")[0],
    )


def _constants(tree: ast.Module) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return found
