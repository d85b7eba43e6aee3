import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data
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


@pytest.fixture
def portraits(make, tmp_path):
    """One picture with a face in each of two classes, and one without."""
    portrait = np.ascontiguousarray(skimage.data.astronaut()[:220, 120:340])
    files = {"happy/1.png": portrait, "sad/1.png": portrait // 2, "sad/2.png": portrait[:60, :60]}
    return str(make.folder(tmp_path / "portraits", {name: make.png(image) for name, image in files.items()}))


def test_faces_are_cropped_and_pictures_without_one_counted(portraits, data_dir):
    command = ["prepare", portraits, "--faces", "32", "--gray", "--data-dir", str(data_dir)]
    manifest = json.loads(runner.invoke(app, [*command, "--json"]).stdout)
    assert manifest["image_shape"] == [32, 32]
    result = runner.invoke(app, command)
    printed = " ".join(result.output.split())
    assert "2 of 3 pictures cropped to their largest face" in printed
    assert "1 of 3 pictures without a found face: their centre square kept" in printed


def test_each_protocol_that_a_dataset_cannot_serve_is_told_with_its_own_reason(portraits, data_dir):
    result = runner.invoke(app, ["prepare", portraits, "--size", "20", "--data-dir", str(data_dir)])
    printed = " ".join(result.output.split())
    assert "no protocol can be served:" in printed
    assert "official: it has no official train" in printed
    assert re.search(r"random_80_20: its [^:]+ spi_2fold: it needs SFEW's file names", printed), printed


def test_a_dataset_of_other_content_is_kept_unless_replacing_is_asked_for(portraits, data_dir):
    command = ["prepare", portraits, "--data-dir", str(data_dir), "--json", "--size"]
    assert runner.invoke(app, [*command, "20"]).exit_code == 0
    assert "give --name NEW to keep both, or --replace" in str(runner.invoke(app, [*command, "24"]).exception)
    manifest = json.loads(runner.invoke(app, [*command, "24", "--replace"]).stdout)
    assert manifest["image_shape"] == [24, 24, 3]


@pytest.mark.parametrize("command", [["prepare", ""], ["prepare", ".", "--data-dir", ""]])
def test_an_empty_path_is_not_the_current_folder(command):
    result = runner.invoke(app, command)
    assert result.exit_code == 2
    assert "the path is empty" in " ".join(result.stderr.replace("│", "").split())


def test_what_becomes_of_pictures_without_a_face_can_be_chosen(portraits, data_dir):
    command = ["prepare", portraits, "--data-dir", str(data_dir), "--json", "--faces", "32", "--without-face"]
    assert json.loads(runner.invoke(app, [*command, "drop"]).stdout)["images"] == 2
    assert "the first is 'sad/2'" in str(runner.invoke(app, [*command, "refuse"]).exception)


def test_a_size_can_be_chosen_without_a_search_for_faces(portraits, data_dir):
    result = runner.invoke(app, ["prepare", portraits, "--size", "20", "--json", "--data-dir", str(data_dir)])
    assert json.loads(result.stdout)["image_shape"] == [20, 20, 3]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--shown-as", "16:9"], "--shown-as belongs to --faces SIZE or --size SIZE"),
        (["--faces", "48", "--shown-as", "wide"], "expected width:height such as 16:9, got 'wide'"),
        (["--without-face", "drop"], "--without-face belongs to --faces SIZE; give both or neither"),
        (["--faces", "48", "--size", "48"], "--faces says the size already; leave out --size"),
        (["--faces", "8"], "images can be 16 to 512 pixels wide and high, not 8"),
        (["--faces", "48", "--without-face", "no"], "choose from keep, drop, refuse"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_a_sentence(portraits, data_dir, nothing_left, options, sentence):
    result = runner.invoke(app, ["prepare", portraits, "--data-dir", str(data_dir), *options])
    assert isinstance(result.exception, FerError)
    assert sentence in str(result.exception)
    assert nothing_left()


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
    result = runner.invoke(app, ["download", "fer2013", "--name", "kaggle", "--data-dir", str(data_dir), "--json"])
    assert json.loads(result.stdout)["name"] == "kaggle"


@pytest.mark.parametrize("command", [["prepare", "nowhere.zip"], ["audit", "nothing"], ["download", "nothing"]])
def test_a_user_s_error_reaches_the_main_command_as_fer_error(command, data_dir):
    result = runner.invoke(app, [*command, "--data-dir", str(data_dir)])
    assert isinstance(result.exception, FerError)
