import errno
import json
import shutil

import pytest

from fer_core.cli.app import main
from fer_core.cli.output import duration
from fer_core.runs import RunStore
from fer_core.training import TrainingDiverged

LINEAR = ("-a", "linear", "-d", "synthetic", "--epochs", "2")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A runs folder with one short training on drawn faces, made through the command line."""
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["fer_core", "train", *LINEAR, "--runs", str(root)])
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code
    return root


def test_a_trained_run_is_listed_with_its_accuracy(command, trained):
    status, out, _ = command("runs", "list", "--json", "--runs", trained)
    (row,) = json.loads(out)
    assert status == 0
    assert row["state"] == "finished"
    assert 0 < row["test_accuracy"] < 1
    assert row["test_interval"][0] < row["test_accuracy"] < row["test_interval"][1]


def test_show_gives_everything_as_json(command, trained):
    _, out, _ = command("runs", "show", "linear", "--json", "--runs", trained)
    shown = json.loads(out)
    assert shown["spec"]["architecture"] == "linear"
    assert shown["environment"]["trainable_parameters"] == 16_135


def test_show_prints_the_figures_for_a_person(command, trained):
    _, out, _ = command("runs", "show", "linear", "--runs", trained)
    assert "accuracy" in out
    assert "best epoch" in out


def test_evaluate_recomputes_the_same_figures(command, trained):
    before = (RunStore(trained).list()[0].path / "evaluation.json").read_text()
    status, out, _ = command("evaluate", "linear", "--json", "--runs", trained)
    assert status == 0
    assert json.loads(out) == json.loads(before)


@pytest.mark.parametrize("device", ["bogus", "", "cuda:99"])
def test_a_device_that_is_not_here_is_refused_though_nothing_is_left_to_train(command, trained, device):
    status, _, error = command("train", *LINEAR, "--device", device, "--runs", trained)
    assert status == 2
    assert f"device {device!r}" in error


@pytest.mark.parametrize(
    "words",
    [("runs", "list"), ("runs", "trash"), ("queue", "list"), ("resume", "x"), ("evaluate", "x"), ("export", "x")],
)
def test_a_folder_of_runs_that_is_not_there_or_is_a_file_is_refused(command, tmp_path, words):
    (tmp_path / "file").write_text("no folder")
    status, _, error = command(*words, "--runs", tmp_path / "file")
    assert (status, "is no folder; name a folder of runs" in error) == (2, True)
    status, _, error = command(*words, "--runs", tmp_path / "missing")
    assert (status, "there is no folder" in error) == (2, True)
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("folder", ["file", "file/below"])
@pytest.mark.parametrize("words", [("train", *LINEAR), ("crossval", *LINEAR), ("worker",)])
def test_new_runs_are_refused_where_their_folder_cannot_be_made(command, tmp_path, words, folder):
    (tmp_path / "file").write_text("no folder")
    status, _, error = command(*words, "--runs", tmp_path / folder)
    assert (status, "is no folder; name a folder" in error) == (2, True)


def test_the_default_folder_of_runs_may_be_absent(command, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUNS_DIR", str(tmp_path / "missing"))
    assert command("runs", "list")[:2] == (0, command("runs", "list", "--runs", tmp_path)[1])


def test_training_the_same_again_is_done_at_once(command, trained):
    status, out, _ = command("train", *LINEAR, "--runs", trained)
    assert status == 0
    assert "test accuracy" in out
    assert "drawn faces" in out


def test_a_grid_trains_what_is_missing_and_keeps_what_is_finished(command, trained):
    log_before = RunStore(trained).get("linear__raw").log()
    status, out, _ = command(
        "grid",
        "--architectures",
        "linear",
        "--preprocessing",
        "raw,median",
        "-d",
        "synthetic",
        "--epochs",
        "2",
        "--runs",
        trained,
    )
    assert status == 0
    assert {run.spec.preprocessing for run in RunStore(trained).list()} == {"raw", "median"}
    assert RunStore(trained).get("linear__raw").log() == log_before
    assert "finished" in out


def test_a_grid_is_told_as_json_alone_trained_or_queued(command, trained, tmp_path):
    pairs = ("grid", "--architectures", "linear", "--preprocessing", "raw", "-d", "synthetic", "--epochs", "2")
    status, out, _ = command(*pairs, "--json", "--runs", trained)
    (row,) = json.loads(out)
    assert (status, row["state"], row["id"]) == (0, "finished", RunStore(trained).get("linear__raw").id)
    assert 0 < row["test_accuracy"] < 1
    _, out, _ = command(*pairs, "--queue", "--json", "--runs", tmp_path)
    assert [(row["state"], row["test_accuracy"]) for row in json.loads(out)] == [("queued", None)]


def test_a_start_and_a_teacher_are_named_by_their_hash_alone(command, trained, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    known = RunStore(tmp_path).get("linear__raw")
    named = known.id[-8:]
    command("train", *LINEAR, "--init-from", named, "-H", f"teacher={named}", "--queue", "--runs", tmp_path)
    (queued,) = (run for run in RunStore(tmp_path).list() if run.state == "queued")
    assert (queued.spec.init_from, queued.spec.recipe.teacher) == (known.id, known.id)
    grid = ("--architectures", "linear", "--preprocessing", "raw", "-d", "synthetic", "--epochs", "2", "--queue")
    _, out, _ = command("grid", *grid, "--init-from", named, "-H", f"teacher={named}", "--runs", tmp_path)
    assert queued.id in " ".join(out.split())


def test_square_brackets_in_tags_notes_and_folders_are_printed_as_they_are(command, trained, tmp_path):
    root = tmp_path / "[/x]"
    shutil.copytree(trained, root)
    for tags in (("[/x]", "[bold]"), ("good",)):
        status, out, _ = command("runs", "tag", "linear__raw", *tags, "--runs", root)
        assert status == 0
        assert "[/x], [bold]" in out
    status, out, _ = command("runs", "card", "linear__raw", "--out", root / "card.md", "--runs", root)
    assert status == 0
    assert "[/x]" in out


@pytest.mark.parametrize("what", ["architectures", "preprocessing", "recipes", "datasets", "protocols"])
def test_everything_that_can_be_chosen_can_be_listed(command, what):
    status, out, _ = command("list", what, "--json")
    assert status == 0
    assert all(row["name"] for row in json.loads(out))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list", "colours"], "choose from architectures"),
        (["train", "-a", "minixception", "-d", "synthetic"], "did you mean 'mini_xception'?"),
        (["train", "-p", "hist_q", "-d", "synthetic"], "hist_eq"),
        (["train", "-d", "synthetic", "--device", "tpu"], "choose from auto"),
        (["train", "-d", "synthetic", "--recipe", "secret"], "choose from modern, paper"),
        (["train", "-d", "synthetic", "--protocol", "secret"], "official"),
        (["train", "-d", "synthetic", "--epochs", "0"], "epochs must be between 1"),
        (["grid", "--seeds", "a,b", "-d", "synthetic"], "whole numbers"),
        (["ensemble", "--best", "-1"], "than or equal to 0"),
        (["runs", "show", "nothing"], "there is no folder"),
    ],
)
def test_a_mistake_gets_one_sentence_with_the_choices_and_status_two(command, tmp_path, arguments, sentence):
    if arguments[0] in ("train", "grid", "runs"):
        arguments = [*arguments, "--runs", tmp_path / "runs"]
    status, _, err = command(*arguments)
    assert status == 2
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err
    assert not (tmp_path / "runs").exists() or RunStore(tmp_path / "runs").list() == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            TrainingDiverged("the loss is not finite in epoch 1; a lower learning rate may help"),
            "a lower learning rate",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "a disk is full; make room, and give the same command again",
        ),
    ],
)
def test_a_training_that_fails_tells_why_in_one_sentence(command, tmp_path, monkeypatch, error, sentence):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr("fer_core.cli.train.train_run", fail)
    status, _, err = command("train", *LINEAR, "--runs", tmp_path)
    assert status == 2
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err


def test_without_a_dataset_train_says_how_to_get_one(command, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_DATA_DIR", str(tmp_path / "empty"))
    status, _, err = command("train", "--runs", tmp_path / "runs")
    assert status == 2
    assert "data download fer2013" in err
    assert "synthetic" in err


def test_a_damaged_run_is_listed_with_its_reason(command, tmp_path):
    (tmp_path / "broken").mkdir()
    _, out, _ = command("runs", "list", "--json", "--runs", tmp_path)
    assert json.loads(out)[0]["problem"] == "run broken has no spec.json"


def test_a_deleted_run_can_be_found_in_the_trash(command, tmp_path):
    (tmp_path / "broken").mkdir()
    status, _, _ = command("runs", "delete", "broken", "--runs", tmp_path)
    assert status == 0
    assert RunStore(tmp_path).list() == []
    assert len(list((tmp_path / ".trash").iterdir())) == 1


@pytest.mark.parametrize(("seconds", "text"), [(None, "–"), (42, "42 s"), (200, "3 min"), (4800, "1 h 20 min")])
def test_durations_read_as_a_person_says_them(seconds, text):
    assert duration(seconds) == text


def test_cross_validation_prints_mean_and_deviation_of_every_setting_and_trains_none_twice(command, tmp_path):
    grid = ("-g", "filters=2,4", "--folds", "2", "--epochs", "1", "-H", "batch_size=64")
    cross = ("crossval", "-a", "two_block_cnn", "-d", "synthetic", *grid, "--json", "--runs", tmp_path)
    status, out, _ = command(*cross)
    rows = json.loads(out)
    assert status == 0
    assert [row["setting"] for row in rows] == ["filters=2", "filters=4"]
    assert all(row["folds"] == 2 and 0 < row["mean"] < 1 and row["deviation"] >= 0 for row in rows)
    stamps = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*/weights.safetensors"))]
    command(*cross)
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*/weights.safetensors"))] == stamps


def test_show_prints_a_run_of_several_folds_on_descriptors(command, tmp_path):
    describe = ("-a", "lpq_phog_mlp", "-d", "synthetic", "--protocol", "random_2fold", "-r", "normalised_bdr")
    assert command("train", *describe, "--epochs", "20", "--runs", tmp_path)[0] == 0
    status, out, _ = command("runs", "show", "lpq", "--runs", tmp_path)
    assert status == 0
    assert "40 epochs over 2 folds" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("train", "-d", "synthetic", "--without", "bored"), "unknown emotion 'bored'; choose from angry"),
        (
            ("train", "-d", "synthetic", "--without", "angry,disgust,fear,sad,surprise,neutral"),
            "at least two different",
        ),
        (("train", "-d", "synthetic", "-H", "l2"), "expected name=value, got 'l2'"),
        (("train", "-d", "synthetic", "-H", "lr=1"), "unknown hyperparameter 'lr'; choose from"),
        (("train", "-d", "synthetic", "-H", "name=foo"), "a recipe's name cannot be replaced"),
        (("train", "-d", "synthetic", "-H", "architecture=x"), "unknown hyperparameter 'architecture'"),
        (("train", "-d", "synthetic", "-H", "widht=1"), "unknown hyperparameter 'widht'; choose from augmentation"),
        (("train", "-d", "synthetic", "--epochs", "1", "-H", "epochs=3"), "as --epochs 1 and as -H epochs=3"),
        (("grid", "-d", "synthetic", "--epochs", "1", "-H", "epochs=3"), "as --epochs 1 and as -H epochs=3"),
        (("grid", "-d", "synthetic", "--device", "bogus"), "unknown device 'bogus'"),
        (("train", "-d", "synthetic", "--queue", "--device", "bogus"), "unknown device 'bogus'"),
        (("train", "-d", "synthetic", "--batch-size", "x"), "'x' is not a whole number"),
        (("train", "-d", "synthetic", "--learning-rate", "x"), "'x' is not a number"),
        (
            ("train", "-a", "resnet18", "--weights", "none", "-A", "weights=imagenet"),
            "as --weights none and as -A weights=imagenet",
        ),
        (("train", "-d", "synthetic", "--init-from", ""), "'' names no run"),
        (("grid", "-d", "synthetic", "--init-from", " "), "' ' names no run"),
        (("crossval", "-d", "synthetic", "--epochs", "1", "-g", "epochs=1,2"), "--epochs 1 and as -g epochs=1,2"),
        (("crossval", "-d", "synthetic", "-H", "l2=0", "-g", "l2=0,1"), "-H l2=0 and as -g l2=0,1"),
        (("crossval", "-d", "synthetic", "-g", "name=a,b"), "or hyperparameter 'name'"),
        (
            ("crossval", "-a", "se_resnet", "-d", "synthetic", "-g", "widht=1,2"),
            "'widht' (did you mean 'width'?); choose from width, dropout, stochastic_depth, augmentation",
        ),
        (("train", "-d", "synthetic", "-A", "depth=3"), "no argument 'depth'; it takes none"),
        (("train", "-d", "synthetic", "-a", "resnet18", "--weights", "nofile.pth"), "no file of weights 'nofile.pth'"),
        (("train", "-d", "synthetic", "--init-from", "nothing"), "no run 'nothing'"),
        (("train", "-d", "synthetic", "-H", "teacher=nothing"), "no run 'nothing'"),
        (("train", "-d", "synthetic", "--protocol", "spi_2fold"), "it can be served by: kaggle_folders_3way"),
        (("train", "-d", "synthetic", "-r", "frozen"), "unknown recipe 'frozen' of mini_xception; choose from modern"),
        (("crossval", "-d", "synthetic", "-g", "filters"), "expected name=value,value"),
        (("crossval", "-d", "synthetic", "-g", "filters=8,8"), "must differ"),
        (("crossval", "-d", "synthetic", "-g", "filters=8", "-g", "filters=4"), "filters stands twice in --grid"),
        (("crossval", "-d", "synthetic", "--folds", "400"), "images that 400 folds need"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(command, tmp_path, arguments, reason):
    status, _, error = command(*arguments, "--runs", tmp_path)
    assert status == 2
    assert reason in " ".join(error.split())
    assert not list(tmp_path.iterdir())


def test_what_a_grid_is_told_twice_is_trained_and_listed_once(command, tmp_path):
    twice = ("--architectures", "linear", "--preprocessing", "raw,gcn,raw", "--seeds", "0,0")
    status, out, _ = command("grid", *twice, "-d", "synthetic", "--epochs", "1", "--runs", tmp_path)
    assert status == 0
    assert len(RunStore(tmp_path).list()) == 2
    assert out.count("finished") == 2


def test_a_recipe_is_typed_as_the_launch_page_takes_it(command, tmp_path):
    typed = ("-H", "augmentation=none", "-H", "schedule=steps", "-H", "milestones=1,2", "--epochs", "1")
    assert command("train", *LINEAR, *typed, "--runs", tmp_path)[0] == 0
    recipe = RunStore(tmp_path).list()[0].spec.recipe
    assert (recipe.augmentation, recipe.milestones) == ("", (1, 2))
