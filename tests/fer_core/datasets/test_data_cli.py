import json
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from fer_core.cli.data import app
from fer_core.errors import FerError

runner = CliRunner()


def test_prepare_prints_counts_conversions_and_what_is_missing(make, kaggle_files, tmp_path, data_dir):
    source = make.zip(tmp_path / "archive.zip", kaggle_files)
    result = runner.invoke(app, ["prepare", str(source), "--name", "faces", "--data-dir", str(data_dir)])
    assert result.exit_code == 0, result.output
    assert "faces: 42 images" in result.output
    assert "42 images of 48x48 kept in gray" in result.output
    assert "missing: train (Training) has 14 of 28,709 images" in " ".join(result.output.split())
    assert (data_dir / "faces" / "images.npy").is_file()


def test_prepare_json_is_the_manifest_and_nothing_else_on_stdout(make, kaggle_files, tmp_path, data_dir):
    source = make.zip(tmp_path / "archive.zip", kaggle_files)
    result = runner.invoke(app, ["prepare", str(source), "--json"], env={"FER_DATA_DIR": str(data_dir)})
    manifest = json.loads(result.stdout)
    assert manifest["images"] == 42
    assert manifest["protocols"] == ["official"]
    assert manifest["name"] == "archive"


def test_audit_prints_tables_and_json(data_dir):
    table = runner.invoke(app, ["audit", "synthetic"])
    assert "surplus copies" in table.output
    assert "1,400" in table.output
    report = json.loads(runner.invoke(app, ["audit", "synthetic", "--json"]).stdout)
    assert report["surplus_copies"] == 0
    assert report["counts"]["test"]["sad"] == 50


def test_download_prepares_what_kagglehub_brought(make, kaggle_files, tmp_path, data_dir, monkeypatch):
    folder = make.folder(tmp_path / "versions" / "1", kaggle_files)
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=lambda _handle: str(folder)))
    result = runner.invoke(app, ["download", "fer2013", "--data-dir", str(data_dir), "--json"])
    assert json.loads(result.stdout)["name"] == "fer2013"
    assert (data_dir / "fer2013" / "manifest.json").is_file()


@pytest.mark.parametrize("command", [["prepare", "nowhere.zip"], ["audit", "nothing"], ["download", "nothing"]])
def test_a_user_s_error_reaches_the_main_command_as_fer_error(command, data_dir):
    result = runner.invoke(app, [*command, "--data-dir", str(data_dir)])
    assert isinstance(result.exception, FerError)
