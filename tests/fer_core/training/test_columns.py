"""Networks of descriptors: fitted on training faces alone, trained with and without bimodal removal."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_core.architectures import build
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, load_dataset
from fer_core.errors import FerError
from fer_core.inference import Predictor
from fer_core.runs import RunError, RunStore
from fer_core.training import TrainingSet, get_recipe, make_spec, train_run
from fer_core.training.columns import as_columns, fit_columns

CPU = torch.device("cpu")
RECIPE = get_recipe("normalised", "lpq_phog_mlp", epochs=80)


@pytest.fixture(scope="module")
def edges():
    """60 faces of 48×48 whose class is the direction of their stripes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 3
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    waves = torch.stack([rows, columns, rows + columns]).float().mul(0.8).sin().mul(60).add(120)
    noise = torch.randint(0, 40, (60, 1, 48, 48), generator=generator)
    return TrainingSet((waves[labels][:, None] + noise).to(torch.uint8), labels, 3)


def fitted(data, recorder, recipe):
    torch.manual_seed(0)
    model = build("lpq_phog_mlp", classes=data.classes)
    (columns,) = as_columns(model, recipe, data)
    result, history = fit_columns(model, columns, columns, recipe, seed=0, device=CPU, observer=recorder)
    return model, columns, result, history


def test_it_learns_the_direction_of_stripes_from_descriptors(edges, recorder):
    _, _, result, history = fitted(edges, recorder(), RECIPE)
    assert result.progress.best_accuracy > 0.9
    assert len(history.distributions) == 40
    assert history.rounds == []


def test_faces_and_their_columns_give_the_same_logits(edges, recorder):
    model, columns, _, _ = fitted(edges, recorder(), RECIPE)
    faces = edges.faces[:5].float() / 127.5 - 1
    torch.testing.assert_close(model(faces), model(columns.faces[:5]), rtol=1e-3, atol=1e-3)


def test_standardised_columns_have_mean_0_and_deviation_1_over_the_training_faces(edges):
    model = build("lpq_phog_mlp", classes=3)
    (columns,) = as_columns(model, RECIPE, edges)
    scaled = (columns.faces - model.column_mean) / model.column_deviation
    torch.testing.assert_close(scaled.mean(0), torch.zeros(10), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, correction=0), torch.ones(10), atol=1e-3, rtol=0)


def test_colour_faces_are_described_as_their_gray_ones(edges):
    gray, colour = build("lpq_phog_mlp", channels=1), build("lpq_phog_mlp", channels=3)
    for one, other in zip(gray.describe(edges.faces), colour.describe(edges.faces.expand(-1, 3, -1, -1)), strict=True):
        np.testing.assert_allclose(one, other, atol=0.02)


def test_removal_shrinks_the_training_set_and_ends_the_training_when_errors_agree(edges, recorder):
    labels = edges.labels.clone()
    labels[:6] = (labels[:6] + 1) % 3  # what no network can learn
    recipe = dataclasses.replace(RECIPE, epochs=400, bdr_start=60, bdr_every=20)
    _, _, result, history = fitted(TrainingSet(edges.faces, labels, 3), recorder(), recipe)
    assert history.rounds[0].remaining < 60
    assert [each.remaining for each in history.rounds] == sorted((r.remaining for r in history.rounds), reverse=True)
    assert history.stopped_at == result.epochs_run < 400
    assert history.rounds[-1].variance < recipe.bdr_stop_variance


def table(rows=420):
    """A table of ten columns whose first tells the class."""
    random = np.random.default_rng(0)
    labels = (np.arange(rows) % 7).astype(np.uint8)
    columns = random.normal(size=(rows, 10))
    columns[:, 0] += 3 * labels
    ids = np.array([f"happy/Film{row % 12}_{row:09d}_{row:08d}" for row in range(rows)])
    return FaceDataset("table", columns, labels, ids, np.full(rows, ""), {"synthetic": True})


def test_a_table_is_halved_ten_times_and_keeps_its_removal_for_the_charts(tmp_path):
    recipe = dataclasses.replace(RECIPE, bdr_start=20, bdr_every=20)
    spec = RunSpec("lpq_phog_mlp", "raw", "table", "random_2fold", recipe)
    run = train_run(spec, RunStore(tmp_path), device="cpu", dataset=table())
    test = run.evaluation()["splits"]["test"]
    assert (test["n"], test["images"]) == (4200, 420)
    assert test["accuracy"] > 0.3
    assert len(run.evaluation()["folds"]) == 20
    logged = re.findall(r"fold 1\.1, epoch (\d+)/80", (run.path / "log.txt").read_text())
    reported = [line["epoch"] for line in run.metrics() if line["fold"] == "1.1"]
    assert 5 <= len(logged) <= 11 < len(reported)  # a tenth each, of what the metrics hold
    assert int(logged[0]) == reported[0]
    kept = run.removal_history()["folds"]
    assert [fold["fold"] for fold in kept] == ["1.1", "1.2"]
    assert kept[0]["rounds"][0]["before"]["samples"] == len(table()) / 2 * 0.9
    with pytest.raises(RunError, match="descriptors"):
        Predictor.from_run(run)


def test_on_pixels_the_predictor_gives_what_training_predicted(tmp_path):
    drawn = load_dataset("synthetic")
    rows = np.concatenate([np.flatnonzero(drawn.split == part)[:100] for part in ("train", "valid", "test")])
    few = FaceDataset(
        "synthetic", drawn.images[rows], drawn.labels[rows], drawn.ids[rows], drawn.split[rows], drawn.manifest
    )
    spec = make_spec("lpq_phog_mlp", "raw", dataset="synthetic", protocol="official", recipe="modern",
                     hyperparameters={"epochs": 20})  # fmt: skip
    run = train_run(spec, RunStore(tmp_path), device="cpu", dataset=few)
    predicted = Predictor.from_run(run).predict_faces(few.images[200:])
    np.testing.assert_array_equal(predicted.argmax(1), run.predictions()["test_probabilities"].argmax(1))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"architecture": "linear"},
            "holds descriptors and no pixels, which linear needs; choose the architecture lpq",
        ),
        ({"preprocessing": "hist_eq"}, "holds no pixels for 'hist_eq'; choose raw"),
        ({"recipe": dataclasses.replace(RECIPE, augmentation="flip")}, "takes no augmentation"),
        ({"recipe": dataclasses.replace(RECIPE, mixup=0.2, closing_epochs=1)}, "only pixels can have mixup"),
        ({"recipe": dataclasses.replace(RECIPE, patience=3, teacher="x")}, "only pixels can have patience and teacher"),
        ({"recipe": dataclasses.replace(RECIPE, schedule="plateau")}, "too seldom for the schedule 'plateau'"),
    ],
)
def test_what_a_table_cannot_serve_is_refused_in_a_sentence(changes, reason, tmp_path: Path):
    spec = dataclasses.replace(RunSpec("lpq_phog_mlp", "raw", "table", "kfold2", RECIPE), **changes)
    with pytest.raises(FerError, match=reason):
        train_run(spec, RunStore(tmp_path), device="cpu", dataset=table())
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_pixels_refuses_bimodal_removal(tmp_path):
    recipe = get_recipe("modern", "linear", bdr_start=5)
    with pytest.raises(FerError, match=r"for networks of descriptors \(lpq_phog_mlp\), not for linear"):
        train_run(RunSpec("linear", "raw", "synthetic", "official", recipe), RunStore(tmp_path), device="cpu")
