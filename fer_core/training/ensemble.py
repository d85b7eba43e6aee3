"""An ensemble of finished runs as a run of its own: weighted on the validation split, then evaluated like any."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from fer_core.architectures.ensemble import NAME, RECIPE, Member, read_members
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_run
from fer_core.evaluation.calibration import SMALLEST, apply_temperature
from fer_core.preprocessing import RAW
from fer_core.runs import Run, RunStore
from fer_core.training.environment import environment, peak_memory_bytes
from fer_core.training.train import claim, recorded_end

FEWEST, MOST = 2, 64
LEAST_WEIGHT = 0.005  # a member that counts less is left out: it costs its whole network in every prediction
SAME_FACTS = ("image_size", "channels", "train_images")


def make_ensemble(runs: Sequence[Run], store: RunStore) -> Run:
    """The finished run that averages the calibrated probabilities of `runs`; the one that is there already, if so.

    The weights have the lowest log loss on the validation split; members that they leave out are not in it. The
    test split is read only then. Its weights file holds those of all members, where all of these are here.
    Raises FerError, in one sentence, for runs that cannot be averaged.
    """
    began = time.monotonic()
    predictions = check_members(runs)
    temperatures = [float(run.evaluation()["temperature"]) for run in runs]
    labels = predictions[0]["valid_labels"]
    weights = choose_weights(labels, _calibrated(predictions, temperatures, "valid_probabilities"))
    kept = [place for place, weight in enumerate(weights) if weight]
    if len(kept) < FEWEST:
        raise FerError(f"no mean with the others is better than run {runs[kept[0]].id} alone; choose other runs")
    members = [_member(runs[place], temperatures[place], float(weights[place])) for place in kept]
    spec = replace(
        runs[0].spec,
        architecture=NAME,
        preprocessing=RAW,
        recipe=RECIPE,
        seed=runs[0].spec.seed if len({run.spec.seed for run in runs}) == 1 else 0,
        architecture_arguments={"members": [member.to_json() for member in members]},
        init_from="",
    )
    run = claim(spec, store)
    with run.lock():
        if run.status.state != "finished":
            with recorded_end(run):
                _write(run, [runs[place] for place in kept], [predictions[place] for place in kept], began)
    return run


def check_members(runs: Sequence[Run]) -> list[dict[str, np.ndarray]]:
    """The predictions of each run.

    Raises FerError unless the runs predicted the same images of one protocol, from faces of the same form.
    """
    ids = [run.id for run in runs]
    if not FEWEST <= len(set(ids)) == len(ids) <= MOST:
        raise FerError(f"an ensemble has {FEWEST} to {MOST} different runs, got {', '.join(ids) or 'none'}")
    for run in runs:
        if run.spec.architecture == NAME:
            raise FerError(f"run {run.id} is an ensemble already; name its members instead")
        if run.state != "finished":
            raise FerError(f"run {run.id} is {run.state}; only finished runs can be averaged")
    predictions = [run.predictions() for run in runs]
    for run, arrays in zip(runs, predictions, strict=True):
        if "test_folds" in arrays:
            raise FerError(f"run {run.id} has a network for each fold; only runs with a single network can be averaged")
        _check_same(runs[0], run, predictions[0], arrays)
    return predictions


def can_average(runs: Sequence[Run]) -> bool:
    """Whether `check_members` takes these runs."""
    try:
        check_members(runs)
    except FerError:
        return False
    return True


def _check_same(first: Run, other: Run, ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> None:
    for what in ("dataset", "protocol", "emotions"):
        if getattr(first.spec, what) != getattr(other.spec, what):
            raise FerError(f"runs {first.id} and {other.id} differ in {what}: they cannot be averaged")
    for split in ("valid", "test"):
        if not np.array_equal(ours[f"{split}_ids"], theirs[f"{split}_ids"]):
            raise FerError(f"runs {first.id} and {other.id} predicted other {split} images: they cannot be averaged")
    facts, other_facts = first.environment(), other.environment()
    for what in ("image_size", "channels"):
        if facts.get(what) != other_facts.get(what):
            raise FerError(f"runs {first.id} and {other.id} differ in {what}: they cannot be averaged")


def choose_weights(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Weights (K,) >= 0 with sum 1 whose mean of `probabilities` (K, N, classes) has the lowest log loss.

    The problem is convex. Members below LEAST_WEIGHT get 0, and the others are chosen again; rounded to 4 digits.
    """
    from scipy.optimize import minimize

    chosen = probabilities[:, np.arange(len(labels)), labels]  # (K, N): what each member gave the true class
    count = len(chosen)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixed = np.clip(weights @ chosen, SMALLEST, None)
        return float(-np.log(mixed).mean()), -(chosen / mixed).mean(axis=1)

    def total(weights: np.ndarray) -> float:
        return float(weights.sum() - 1)

    found = minimize(
        loss,
        np.full(count, 1 / count),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": total},
        options={"ftol": 1e-10, "maxiter": 500},
    )
    if not found.success:
        raise FerError(f"no weights were found for the ensemble: {found.message}")
    kept = found.x >= LEAST_WEIGHT
    if not kept.all():
        weights = np.zeros(count)
        weights[kept] = choose_weights(labels, probabilities[kept])
        return weights
    rounded = np.round(found.x / found.x.sum(), 4)
    rounded[rounded.argmax()] += 1 - rounded.sum()
    result: np.ndarray = np.round(rounded, 4)
    return result


def _member(run: Run, temperature: float, weight: float) -> Member:
    spec = run.spec
    return Member(run.id, spec.architecture, spec.preprocessing, temperature, weight, spec.architecture_arguments)


def _calibrated(predictions: Sequence[dict[str, np.ndarray]], temperatures: Sequence[float], key: str) -> np.ndarray:
    return np.stack([apply_temperature(each[key], t) for each, t in zip(predictions, temperatures, strict=True)])


def _write(run: Run, members: Sequence[Run], predictions: Sequence[dict[str, np.ndarray]], began: float) -> None:
    """Everything that a finished run has, but epochs."""
    read = read_members(run.spec.architecture_arguments)
    temperatures, weights = [each.temperature for each in read], [each.weight for each in read]
    arrays = {key: value for key, value in predictions[0].items() if not key.endswith("_probabilities")}
    for key in (key for key in predictions[0] if key.endswith("_probabilities")):
        if all(key in each for each in predictions):
            arrays[key] = np.tensordot(weights, _calibrated(predictions, temperatures, key), axes=1)
    run.save_predictions(arrays)
    absent = [member.id for member in members if not member.has_weights()]
    if not absent:
        run.save_weights(run.weights())  # its own copy, so that it outlives its members
    facts = [member.environment() for member in members]
    test = evaluate_run(run)["splits"]["test"]
    run.write_json(
        "environment.json",
        {
            **environment(torch.device("cpu")),
            **{what: facts[0][what] for what in SAME_FACTS if what in facts[0]},
            "parameters": sum(each["parameters"] for each in facts),
            "trainable_parameters": sum(each["trainable_parameters"] for each in facts),
            "wall_s": time.monotonic() - began,
            "members_wall_s": sum(each.get("wall_s", 0.0) for each in facts),
            "peak_memory_bytes": peak_memory_bytes(torch.device("cpu")),
            "epochs_run": 0,
        },
    )
    for each in read:
        run.append_log(f"weight {each.weight:.4f} of {each.run}")
    if absent:
        run.append_log(f"no weights: those of {', '.join(absent)} are not here")
    run.append_log(f"finished; test accuracy {test['accuracy']:.4f} (n = {test['n']})")
    run.update_status(state="finished", epochs=0, eta_s=None, device="cpu", message="")
