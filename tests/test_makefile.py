"""The Makefile makes an environment once, tells what it lacks, and removes only what it made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {"setup", "dashboard", "test", "check", "train", "clean", "help"}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

# Stands for Python: notes each pip command, and makes an environment that holds a copy of itself.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
  *-m\\ venv*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
  *-m\\ pip*) echo "$*" >> pip.log; test ! -e pip-fails ;;
  --version) echo Python 3.12.0 ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the Makefile reads, and a Python of no weight."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a fresh shell, even where the tests themselves run under make."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def pip_commands(project: Path) -> list[str]:
    log = project / "pip.log"
    return log.read_text().splitlines() if log.exists() else []


def test_help_is_what_make_alone_shows_and_names_every_target() -> None:
    shown = make(ROOT)
    assert {line.split()[1] for line in shown.stdout.splitlines()} == TARGETS


def test_the_second_setup_installs_nothing(project: Path) -> None:
    assert make(project, "setup", "PYTHON=./python").returncode == 0
    first = pip_commands(project)
    assert len(first) == 2
    assert make(project, "setup", "PYTHON=./python").returncode == 0
    assert pip_commands(project) == first


def test_changed_requirements_are_installed(project: Path) -> None:
    make(project, "setup", "PYTHON=./python")
    before = len(pip_commands(project))
    later = (project / ".venv" / ".ready-for-testing").stat().st_mtime + 10
    os.utime(project / "requirements-dev.txt", (later, later))
    make(project, "setup", "PYTHON=./python")
    (command,) = pip_commands(project)[before:]
    assert command.endswith("-r requirements-dev.txt")


def test_a_failed_installation_is_tried_again(project: Path) -> None:
    (project / "pip-fails").touch()
    assert make(project, "setup", "PYTHON=./python").returncode != 0
    assert list((project / ".venv").glob(".ready*")) == []
    (project / "pip-fails").unlink()
    assert make(project, "setup", "PYTHON=./python").returncode == 0
    assert len(pip_commands(project)) == 3


def test_torch_and_torchvision_come_from_the_place_that_was_named(project: Path) -> None:
    make(project, "setup", "PYTHON=./python", "TORCH_INDEX=some-index")
    first = pip_commands(project)[0]
    assert "--index-url some-index" in first
    assert first.endswith("torch torchvision")


def test_without_a_suitable_python_it_says_so_and_makes_nothing(project: Path) -> None:
    result = make(project, "setup", "PYTHON=/bin/false")
    assert result.returncode != 0
    sentence = result.stderr.splitlines()[0]
    assert sentence.startswith("No Python 3.11, 3.12 or 3.13")
    assert "/bin/false" in sentence
    assert not (project / ".venv").exists()


def test_clean_keeps_runs_and_data(project: Path) -> None:
    for name in ("runs/a", ".data/fer2013", ".venv/bin", "fer_core/__pycache__", "dashboard", "tests", ".ruff_cache"):
        (project / name).mkdir(parents=True)
    assert make(project, "clean").returncode == 0
    assert (project / "runs" / "a").is_dir()
    assert (project / ".data" / "fer2013").is_dir()
    for name in (".venv", "fer_core/__pycache__", ".ruff_cache"):
        assert not (project / name).exists()


def test_the_checks_before_a_change_is_taken_are_check_and_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make check test" in script.read_text()
