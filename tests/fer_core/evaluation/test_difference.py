"""What differs between specs."""

import dataclasses

from fer_core.evaluation import asked_for, differences, flat, side_by_side
from fer_core.training import make_spec


def test_what_differs_is_found_in_depth_and_what_is_the_same_left_out():
    first, second = flat({"seed": 0, "recipe": {"epochs": 5, "l2": 0.1}}), flat({"seed": 0, "recipe": {"epochs": 9}})
    assert differences([first, second]) == {"recipe.epochs": [5, 9], "recipe.l2": [0.1, None]}
    assert side_by_side([first, second])["seed"] == [0, 0]


def test_what_an_ensemble_was_not_asked_for_is_no_difference():
    trained = [
        make_spec("linear", "raw", dataset="fer2013", protocol="official", recipe="modern", seed=seed)
        for seed in (0, 1)
    ]
    members = {"members": [{"run": "a"}]}
    ensemble = dataclasses.replace(trained[0], architecture="ensemble:weighted", architecture_arguments=members)
    found = asked_for([ensemble, *trained])
    assert found == {
        "architecture": ["ensemble:weighted", "linear", "linear"],
        "seed": [None, 0, 1],
        "architecture_arguments.members": [[{"run": "a"}], None, None],
    }
    everything = asked_for([ensemble, *trained], everything=True)
    assert everything["recipe.optimizer"] == [None, "adamw", "adamw"]
    assert everything["dataset"] == ["fer2013"] * 3
    assert asked_for([trained[0], None]) == {}
    assert asked_for([]) == {}
