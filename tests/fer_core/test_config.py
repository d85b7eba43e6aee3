import dataclasses
import re

import pytest

from fer_core.config import ConfigError, Recipe, RunSpec, from_json, spec_hash, to_json

RECIPE = Recipe(name="paper", epochs=3, batch_size=32, optimizer="adam", learning_rate=1e-3)
SPEC = RunSpec("linear", "gcn(lam=5)+hist_eq", "fer2013", "official", RECIPE, seed=4)


def test_a_spec_survives_json():
    assert from_json(RunSpec, to_json(SPEC)) == SPEC


def test_an_unknown_key_is_an_error_that_lists_the_keys():
    with pytest.raises(ConfigError, match=r"unknown Recipe key 'lr'; choose from .*learning_rate"):
        from_json(Recipe, to_json(RECIPE) | {"lr": 1.0})


def test_a_missing_key_is_named():
    data = to_json(RECIPE)
    del data["epochs"]
    with pytest.raises(ConfigError, match="Recipe lacks epochs"):
        from_json(Recipe, data)


@pytest.mark.parametrize(("key", "value"), [("epochs", "3"), ("epochs", 2.5), ("epochs", True), ("name", 3)])
def test_a_wrong_type_is_an_error(key, value):
    with pytest.raises(ConfigError, match=key):
        from_json(Recipe, to_json(RECIPE) | {key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0),
        ("batch_size", 1),
        ("learning_rate", float("nan")),
        ("label_smoothing", 1.5),
        ("optimizer", "lion"),
        ("schedule", "cyclic"),
        ("column_scaling", "unit"),
        ("bdr_alpha", 2.0),
        ("precision", "int4"),
        ("class_weights", "some"),
    ],
)
def test_an_impossible_hyperparameter_says_what_is_possible(key, value):
    with pytest.raises(ConfigError, match=r"choose from|must be between"):
        dataclasses.replace(RECIPE, **{key: value})


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("learning_rate", 1000.0, "learning_rate must be between 0.000000001 and 100, got 1,000"),
        ("label_smoothing", 0.9999999, "label_smoothing must be between 0 and 0.99, got 0.9999999"),
        ("epochs", -1, "epochs must be between 1 and 100,000, got -1"),
        ("mixup", float("nan"), "mixup must be between 0 and 100, got nan"),
        ("l2", 1e300, "l2 must be between 0 and 1,000,000, got 1e+300"),
    ],
)
def test_a_number_out_of_range_is_told_in_full(key, value, told):
    with pytest.raises(ConfigError, match=f"^{re.escape(told)}$"):
        dataclasses.replace(RECIPE, **{key: value})


def test_steps_need_rising_milestones():
    with pytest.raises(ConfigError, match="'steps' needs milestones"):
        dataclasses.replace(RECIPE, schedule="steps")
    with pytest.raises(ConfigError, match="milestones must be rising epochs"):
        dataclasses.replace(RECIPE, schedule="steps", milestones=(120, 100))


def test_a_field_that_joined_later_leaves_the_names_of_earlier_runs_alone():
    assert "milestones" not in to_json(SPEC)["recipe"]
    stepped = dataclasses.replace(SPEC, recipe=dataclasses.replace(RECIPE, milestones=(2,)))
    assert to_json(stepped)["recipe"]["milestones"] == [2]
    assert spec_hash(stepped) != spec_hash(SPEC) == "5811fca9"
    assert from_json(RunSpec, to_json(stepped)) == stepped


def test_emotions_must_be_known_and_at_least_two():
    with pytest.raises(ConfigError, match="choose from angry"):
        dataclasses.replace(SPEC, emotions=("angry", "bored"))
    with pytest.raises(ConfigError, match="at least two different"):
        dataclasses.replace(SPEC, emotions=("angry", "angry"))


def test_every_hyperparameter_changes_the_hash():
    other = dataclasses.replace(SPEC, recipe=dataclasses.replace(RECIPE, l2=0.01))
    assert spec_hash(other) != spec_hash(SPEC)


def test_the_run_id_names_what_was_run_and_is_safe_as_a_folder():
    assert SPEC.run_id.startswith("linear__gcn-lam=5-+hist_eq__fer2013-official__s4__")
    assert SPEC.run_id.endswith(spec_hash(SPEC))
    assert "/" not in SPEC.run_id
