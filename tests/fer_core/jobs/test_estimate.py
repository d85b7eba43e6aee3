"""The estimated time of a training."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from fer_core.config import Recipe, RunSpec
from fer_core.jobs.estimate import OTHER_MODEL, Machine, PastRun, Workload, estimate, obstacle

RECIPE = Recipe(name="modern", epochs=30, batch_size=64, optimizer="adamw", learning_rate=2e-3)
SPEC = RunSpec("mini_xception", "raw", "fer2013", "official", RECIPE)
FER2013 = Workload(images=(28_709,), size=48, channels=1)
CPU = Machine("cpu", "Some Processor", threads=2)


def past(spec: RunSpec = SPEC, **facts: Any) -> PastRun:
    """A run of ten epochs at 300 images a second, with 100 s for all else."""
    seconds = 28_709 * 10 / 300 + 100
    environment = {"device": "cpu", "device_name": "Some Processor", "threads": 2, "image_size": 48, "channels": 1}
    environment |= {"images_per_s": 300.0, "train_images": 28_709, "epochs_run": 10, "wall_s": seconds}
    return PastRun(spec, environment | facts)


def seconds_of(*runs: PastRun, spec: RunSpec = SPEC, workload: Workload = FER2013, machine: Machine = CPU) -> float:
    found = estimate(spec, workload, machine, runs)
    assert found is not None
    return found.seconds


def test_the_time_grows_with_epochs_and_images_and_counts_all_that_is_not_training() -> None:
    assert seconds_of(past()) == pytest.approx(3 * (28_709 * 10 / 300 + 100))
    shorter = replace(SPEC, recipe=replace(RECIPE, epochs=10))
    assert seconds_of(past(), spec=shorter) == pytest.approx(28_709 * 10 / 300 + 100)
    half = replace(FER2013, images=(14_354,))
    assert seconds_of(past(), workload=half) == pytest.approx(seconds_of(past()) / 2, rel=1e-3)


def test_each_fold_is_trained() -> None:
    folds = replace(FER2013, images=(100, 101, 99))
    assert seconds_of(past(), workload=folds) == pytest.approx(
        3 * seconds_of(past(), workload=replace(FER2013, images=(100,)))
    )


def test_a_past_run_of_several_folds_counts_the_epochs_of_all() -> None:
    once, folds = past(wall_s=1_000.0), past(epochs_run=50, folds=5, wall_s=5_000.0)
    assert seconds_of(folds) == pytest.approx(seconds_of(once))


def test_the_median_of_several_runs_counts_so_that_one_slow_run_changes_little() -> None:
    exact = {name: past(images_per_s=rate, wall_s=28_709 * 10 / rate) for name, rate in (("a", 300.0), ("b", 310.0))}
    slow = past(images_per_s=3.0, wall_s=28_709 * 10 / 3.0)
    assert seconds_of(exact["a"], exact["b"], slow) == pytest.approx(28_709 * 30 / 300)


def test_where_no_speed_is_known_the_wall_time_tells() -> None:
    """Networks of descriptors measure no images a second."""
    assert seconds_of(past(images_per_s=None, wall_s=60.0)) == pytest.approx(180.0)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (past(replace(SPEC, architecture="linear")), "no past run of it"),
        (past(replace(SPEC, architecture_arguments={"frozen": "backbone"})), "past runs have other arguments"),
        (past(device="cuda:0", device_name="Some GPU"), "past runs had other devices"),
        (past(image_size=160), "past runs had other image sizes"),
        (past(channels=3), "past runs had other image sizes"),
        (past(wall_s=None), "past runs tell no times"),
        (past(train_images=0), "past runs tell no times"),
        (past(epochs_run="ten"), "past runs tell no times"),
    ],
)
def test_a_run_of_another_network_device_or_image_tells_nothing(other: PastRun, why: str) -> None:
    assert estimate(SPEC, FER2013, CPU, [other]) is None
    assert obstacle(SPEC, FER2013, CPU, [other]) == why
    assert obstacle(SPEC, FER2013, CPU, [other, past()]) == ""
    assert seconds_of(other, past()) == pytest.approx(seconds_of(past()))


def test_another_model_of_the_same_kind_of_device_tells_where_no_equal_one_does_and_is_said_to_be_other() -> None:
    slow = past(device_name="Another Processor", images_per_s=150.0, wall_s=2_000.0)
    assert seconds_of(slow, past()) == pytest.approx(seconds_of(past()))
    alone = estimate(SPEC, FER2013, CPU, [slow])
    assert alone is not None
    assert (alone.runs, alone.differences) == (1, (OTHER_MODEL,))


def test_without_past_runs_nothing_is_invented() -> None:
    assert estimate(SPEC, FER2013, CPU, []) is None


def test_a_device_is_of_one_kind_whatever_its_number() -> None:
    gpu = past(device="cuda:1", device_name="Some GPU", threads=16)
    assert estimate(SPEC, FER2013, Machine("cuda", "Some GPU"), [gpu]) is not None
    assert estimate(SPEC, FER2013, Machine("cuda"), [gpu]) is not None, "an unknown name is no other name"
    assert estimate(SPEC, FER2013, Machine("mps"), [gpu]) is None


def test_runs_with_as_many_threads_are_preferred_and_others_are_said_to_be_others() -> None:
    one = past(threads=1, images_per_s=150.0, wall_s=2_000.0)
    both = estimate(SPEC, FER2013, CPU, [one, past()])
    assert both is not None
    assert (both.runs, both.differences) == (1, ())
    assert both.seconds == pytest.approx(seconds_of(past()))
    alone = estimate(SPEC, FER2013, CPU, [one])
    assert alone is not None
    assert (alone.runs, alone.differences) == (1, ("other thread count",))


def test_runs_with_the_same_teacher_or_without_one_are_preferred() -> None:
    taught = replace(SPEC, recipe=replace(RECIPE, teacher="some-run"))
    slow = past(taught, images_per_s=150.0, wall_s=2_000.0)
    for spec, run in ((SPEC, past()), (taught, slow)):
        found = estimate(spec, FER2013, CPU, [slow, past()])
        assert found is not None
        assert (found.runs, found.differences) == (1, ())
        assert found.seconds == pytest.approx(seconds_of(run, spec=run.spec))
    other = estimate(taught, FER2013, CPU, [past()])
    assert other is not None
    assert other.differences == ("other teacher",)


def test_a_sharpness_aware_update_takes_the_time_of_two() -> None:
    sharp = replace(SPEC, recipe=replace(RECIPE, sam_radius=0.05))
    training, all_else = 28_709 * 30 / 300, 3 * 100
    assert seconds_of(past(), spec=sharp) == pytest.approx(2 * training + all_else)
    slow = past(sharp, images_per_s=150.0, wall_s=28_709 * 10 / 150 + 100)
    assert seconds_of(slow) == pytest.approx(training + all_else)


def test_it_needs_no_torch() -> None:
    code = "import fer_core.jobs.estimate, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
