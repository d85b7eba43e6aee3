"""Imports point one way: a module imports only what stands before it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Each group may import the groups before it. The parts of one group do not import each other,
# except in the first one, where all may use the errors.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "fer_core.errors",
        "fer_core.chain",
        "fer_core.devices",
        "fer_core.heap",
        "fer_core.labels",
        "fer_core.locks",
        "fer_core.paths",
        "fer_core.palette",
        "fer_core.registry",
    ),
    ("fer_core.config", "fer_core.haar"),
    (
        "fer_core.datasets",
        "fer_core.preprocessing",
        "fer_core.augmentation",
        "fer_core.features",
        "fer_core.papers",
    ),
    ("fer_core.architectures",),
    ("fer_core.predictions",),
    ("fer_core.runs",),
    ("fer_core.evaluation",),
    ("fer_core.inference",),
    ("fer_core.training",),
    (
        "fer_core.interpretation",
        "fer_core.export",
        "fer_core.jobs",
        "fer_core.latency",
        "fer_core.report",
        "fer_core.robustness",
    ),
    ("fer_core.cli",),
    ("fer_core.__main__",),
    (
        "dashboard.columns",
        "dashboard.compare.columns",
        "dashboard.formats",
        "dashboard.navigation",
        "dashboard.theme",
        "dashboard.pictures",
        "dashboard.preprocess.chain",
    ),
    ("dashboard.fitted_text", "dashboard.load", "dashboard.permissions", "dashboard.summaries"),
    (
        "dashboard.network.columns",
        "dashboard.network.images",
        "dashboard.network.subject",
        "dashboard.photos.faces",
        "dashboard.preprocess.drawing",
        "dashboard.preprocess.frames",
    ),
    ("dashboard.labels", "dashboard.leaderboard.metrics", "dashboard.actions", "dashboard.photos.tables"),
    ("dashboard.advice", "dashboard.compare.selection", "dashboard.queue_state"),
    (
        "dashboard.accuracy_map",
        "dashboard.tables",
        "dashboard.leaderboard.columns",
        "dashboard.leaderboard.export",
        "dashboard.papers.comparisons",
        "dashboard.network.tables",
        "dashboard.photos.record",
        "dashboard.photos.tracks",
        "dashboard.preprocess.tables",
        "dashboard.papers.removal",
        "dashboard.robustness.tables",
    ),
    (
        "dashboard.compare.curves",
        "dashboard.compare.settings",
        "dashboard.compare.tables",
        "dashboard.data.tables",
        "dashboard.launch.selection",
        "dashboard.leaderboard.query",
        "dashboard.leaderboard.rows",
        "dashboard.origins",
    ),
    (
        "dashboard.compare.calibration",
        "dashboard.launch.fields",
        "dashboard.launch.plan",
        "dashboard.robustness.compared_tables",
    ),
    ("dashboard.charts", "dashboard.cache", "dashboard.papers.tables"),
    (
        "dashboard.compare.matrices",
        "dashboard.data.charts",
        "dashboard.leaderboard.charts",
        "dashboard.network.charts",
        "dashboard.papers.charts",
        "dashboard.photos.charts",
        "dashboard.photos.film",
        "dashboard.preprocess.charts",
        "dashboard.papers.removal_charts",
        "dashboard.robustness.charts",
    ),
    (
        "dashboard.compare.charts",
        "dashboard.components",
        "dashboard.linked",
        "dashboard.live",
        "dashboard.photos.editor",
    ),
    (
        "dashboard.compare.link",
        "dashboard.robustness.compared_charts",
        "dashboard.face_source",
        "dashboard.leaderboard.form",
        "dashboard.network.members",
        "dashboard.paging",
        "dashboard.picker",
        "dashboard.run_buttons",
    ),
    (
        "dashboard.compare.form",
        "dashboard.data.figures",
        "dashboard.data.form",
        "dashboard.launch.form",
        "dashboard.leaderboard.chosen",
        "dashboard.network.form",
        "dashboard.photos.form",
        "dashboard.photos.reading",
        "dashboard.preprocess.form",
        "dashboard.queue_view",
        "dashboard.robustness.view",
        "dashboard.views",
    ),
    (
        "dashboard.compare.gallery",
        "dashboard.leaderboard.view",
        "dashboard.network.sheet",
        "dashboard.robustness.compared",
    ),
    (
        "dashboard.compare.confusion",
        "dashboard.compare.explorer",
        "dashboard.compare.views",
        "dashboard.data.audit",
        "dashboard.data.averages",
        "dashboard.data.doubts",
        "dashboard.data.overview",
        "dashboard.network.descriptors",
        "dashboard.network.many",
        "dashboard.network.saliency",
        "dashboard.network.view",
        "dashboard.photos.video",
        "dashboard.photos.view",
    ),
    ("dashboard.papers.details", "dashboard.preprocess.prediction", "dashboard.preprocess.view"),
    ("dashboard.app_pages",),
    ("dashboard.opening", "dashboard.shell"),
    ("dashboard.app",),
)
LEVEL = {part: level for level, layer in enumerate(LAYERS) for part in layer}
PACKAGES = ("fer_core", "dashboard")

# What a part must not import at all, and why.
FORBIDDEN = {
    "fer_core": {"streamlit": "the library runs without a dashboard"},
    "dashboard.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.compare.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.compare.matrices": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.data.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.leaderboard.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.network.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.papers.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.photos.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.preprocess.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.papers.removal_charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.robustness.charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.robustness.compared_charts": {"streamlit": "charts turn data into charts; pages draw them"},
    "dashboard.app_pages": {
        "torch": "pages draw; the library computes",
        "torchvision": "pages draw; the library computes",
    },
}


def violations(root: Path) -> list[str]:
    """Every import below `root` that points the wrong way, one sentence each."""
    modules = {module_name(root, path): path for package in PACKAGES for path in (root / package).rglob("*.py")}
    found = []
    for module, path in sorted(modules.items()):
        for target in sorted(set(imported_modules(path, module, set(modules)))):
            reason = objection(module, target)
            if reason:
                found.append(f"{module} imports {target}: {reason}")
    return found


def module_name(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(path: Path, module: str, known: set[str]) -> Iterator[str]:
    """Full names of what a file imports, wherever in the file; `from a import b` is a.b where that is a module."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                is_module = submodule in known or any(name.startswith(f"{submodule}.") for name in known)
                yield submodule if is_module else base


def part_of(module: str) -> str:
    """The part of the product that a module belongs to: the longest beginning of its name that stands in a layer."""
    names = module.split(".")
    beginnings = [".".join(names[:length]) for length in range(len(names), 1, -1)]
    return next((each for each in beginnings if each in LEVEL), ".".join(names[:2]))


def objection(module: str, target: str) -> str | None:
    """Why `module` may not import `target`, or None."""
    for owner, banned in FORBIDDEN.items():
        top = target.split(".")[0]
        if top in banned and (module == owner or module.startswith(f"{owner}.")):
            return banned[top]
    if target.split(".")[0] not in PACKAGES:
        return None
    return direction(module, target)


def direction(module: str, target: str) -> str | None:
    """Why an import within the product points the wrong way, or None."""
    importer, imported = part_of(module), part_of(target)
    if imported in PACKAGES:
        return None  # the package's own names, such as its version
    if importer in PACKAGES:
        return "a package imports none of its parts, or every import of a part would load them all"
    for part in (importer, imported):
        if part not in LEVEL:
            return f"{part} stands in no layer; add it to LAYERS in tests/test_imports.py"
    if importer == imported == "dashboard.app_pages" and module != target:
        return "a page imports no other page; what two pages share is a component"
    if importer == imported or LEVEL[imported] < LEVEL[importer]:
        return None
    if LEVEL[imported] == LEVEL[importer] == 0:
        return None
    return f"{imported} does not stand before {importer}"


def test_imports_point_one_way() -> None:
    assert violations(ROOT) == []


def test_every_python_file_is_looked_at() -> None:
    modules = {module_name(ROOT, path) for path in (ROOT / "fer_core").rglob("*.py")}
    assert {"fer_core", "fer_core.registry", "fer_core.architectures.linear"} <= modules


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("fer_core/datasets/csv.py", "import fer_core.training", "does not stand before fer_core.datasets"),
        ("fer_core/datasets/csv.py", "from fer_core import training", "does not stand before fer_core.datasets"),
        ("fer_core/datasets/csv.py", "from ..training import fit", "does not stand before fer_core.datasets"),
        ("fer_core/datasets/csv.py", "def f():\n    from fer_core.runs import Run", "does not stand before"),
        ("fer_core/datasets/csv.py", "from fer_core.preprocessing import Pipeline", "does not stand before"),
        ("fer_core/config.py", "from dashboard import charts", "does not stand before fer_core.config"),
        ("fer_core/cli/train.py", "import streamlit as st", "runs without a dashboard"),
        ("fer_core/__init__.py", "from fer_core import training", "imports none of its parts"),
        ("fer_core/misc.py", "from fer_core import errors", "fer_core.misc stands in no layer"),
        ("dashboard/charts.py", "from streamlit import altair_chart", "pages draw them"),
        (
            "dashboard/cache/results.py",
            "from dashboard import components",
            "does not stand before dashboard.cache",
        ),
        ("dashboard/app_pages/run.py", "import torch.nn as nn", "the library computes"),
        ("dashboard/app_pages/run.py", "from dashboard.app_pages import overview", "imports no other page"),
        ("dashboard/app_pages/run.py", "from .overview import table", "imports no other page"),
    ],
)
def test_an_import_in_the_wrong_direction_is_reported(tmp_path: Path, module: str, source: str, reason: str) -> None:
    make_tree(tmp_path, {module: source})
    (found,) = violations(tmp_path)
    assert found.startswith(module_name(tmp_path, tmp_path / module))
    assert reason in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("fer_core/training/fit.py", "from fer_core.datasets import csv\nfrom ..runs import Run\nimport torch"),
        ("fer_core/training/fit.py", "from fer_core.training.recipes import RECIPES\nfrom . import recipes"),
        ("fer_core/cli/train.py", "from fer_core import __version__, training"),
        ("fer_core/registry.py", "from fer_core.errors import FerError"),
        ("dashboard/cache/results.py", "import streamlit as st\nfrom fer_core.inference import Predictor"),
        ("dashboard/app_pages/run.py", "import streamlit as st\nfrom dashboard import charts, components"),
    ],
)
def test_an_import_in_the_right_direction_is_not_reported(tmp_path: Path, module: str, source: str) -> None:
    make_tree(tmp_path, {module: source})
    assert violations(tmp_path) == []


def make_tree(root: Path, files: dict[str, str]) -> None:
    """A small product with every part and two pages; `files` replace or add some."""
    pages = ("dashboard/app_pages/overview.py", "dashboard/app_pages/run.py")
    given = {*pages, "fer_core/__init__.py", "fer_core/datasets/csv.py", "fer_core/training/recipes.py", *files}
    for part in LEVEL:
        folder = part.replace(".", "/")
        is_package = any(name.startswith(f"{folder}/") for name in given)
        given.add(f"{folder}/__init__.py" if is_package else f"{folder}.py")
    for name in given:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files.get(name, ""))
