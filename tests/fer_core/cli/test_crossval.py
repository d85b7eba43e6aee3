"""`crossval`: each row is named by its point of the grid."""

import json

from fer_core.cli.crossval import settings


def test_settings_of_a_grid_are_told_apart_by_every_axis_of_it():
    points = settings("two_block_cnn", ["learning_rate=0.001,0.01", "filters=2,4"])
    assert points["learning_rate=0.01, filters=2"] == {
        "architecture": {"filters": 2},
        "recipe": {"learning_rate": 0.01},
    }
    assert len(points) == 4


def test_cross_validation_names_its_rows_by_the_grid_and_one_without_a_grid_by_its_network(command, tmp_path):
    cross = ("crossval", "-a", "linear", "-d", "synthetic", "--folds", "2", "--epochs", "1", "-H", "batch_size=64")
    _, out, _ = command(*cross, "-g", "learning_rate=0.001,0.01", "--json", "--runs", tmp_path)
    assert [row["setting"] for row in json.loads(out)] == ["learning_rate=0.001", "learning_rate=0.01"]
    _, out, _ = command(*cross, "--json", "--runs", tmp_path)
    assert [row["setting"] for row in json.loads(out)] == ["linear, 1 epochs"]


def test_cross_validation_reads_hyperparameters_as_a_training_does(command, tmp_path):
    cross = ("crossval", "-a", "linear", "-d", "synthetic", "--folds", "2", "--epochs", "3", "-H", "batch_size=64")
    steps = ("-H", "schedule=steps", "-H", "milestones=1,2", "-g", "augmentation=none,flip")
    code, out, error = command(*cross, *steps, "--json", "--runs", tmp_path)
    assert code == 0, error
    assert [row["state"] for row in json.loads(out)] == ["finished"] * 2
    recipes = [json.loads(path.read_text())["recipe"] for path in tmp_path.glob("*/spec.json")]
    assert sorted(recipe["augmentation"] for recipe in recipes) == ["", "flip"]
    assert [recipe["milestones"] for recipe in recipes] == [[1, 2]] * 2
