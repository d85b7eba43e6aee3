"""Many runs against one."""

from pathlib import Path

import numpy as np
import pytest

from fer_core.evaluation import compare_predictions, holm
from fer_core.evaluation.baseline import AnswerShelf, RightAnswers, against
from fer_core.runs import IndexFile, Run, RunIndex, RunStore
from tests.dashboard.runs import make_fold_run, make_run


def predictions(seed: int, accuracy: float, n: int = 300, *, shuffle: bool = False) -> dict[str, np.ndarray]:
    """Test predictions of the same images for every seed."""
    random = np.random.default_rng(seed)
    labels = np.random.default_rng(99).integers(0, 7, n)
    called = np.where(random.random(n) < accuracy, labels, (labels + 1) % 7)
    order = random.permutation(n) if shuffle else np.arange(n)
    arrays = {
        "ids": np.array([f"image_{row}" for row in range(n)]),
        "labels": labels,
        "probabilities": np.eye(7)[called],
    }
    return {f"test_{name}": array[order] for name, array in arrays.items()}


def test_it_says_what_the_paired_comparison_of_two_runs_says() -> None:
    base, others = predictions(0, 0.5), {f"run {n}": predictions(n, 0.45 + 0.06 * n, shuffle=True) for n in range(1, 5)}
    found = against(RightAnswers.of(base), {name: RightAnswers.of(each) for name, each in others.items()})
    pairs = {name: compare_predictions(each, base) for name, each in others.items()}
    adjusted = holm([pair.p_value for pair in pairs.values()])
    for (name, pair), p in zip(pairs.items(), adjusted, strict=True):
        mark = found[name]
        assert (mark.gained, mark.lost, mark.n) == (pair.only_first, pair.only_second, pair.n)
        assert mark.difference == pytest.approx(pair.difference)
        assert (mark.p_value, mark.adjusted) == (pytest.approx(pair.p_value), pytest.approx(p))
        assert mark.is_real == (p < 0.05)
    assert found["run 4"].is_real


def test_more_runs_make_the_same_difference_less_sure() -> None:
    base, better = RightAnswers.of(predictions(0, 0.5)), RightAnswers.of(predictions(1, 0.62))
    alone = against(base, {"better": better})["better"]
    others = {f"same {n}": RightAnswers.of(predictions(n, 0.5)) for n in range(2, 30)}
    among = against(base, {"better": better, **others})["better"]
    assert alone.p_value == among.p_value
    assert among.adjusted > alone.adjusted


def test_other_images_and_other_labels_are_not_compared() -> None:
    base = predictions(0, 0.5)
    relabelled = base | {"test_labels": (base["test_labels"] + 1) % 7}
    fewer = {name: array[:-1] for name, array in base.items()}
    twice = {name: np.concatenate([array, array]) for name, array in base.items()}
    others = {"relabelled": relabelled, "fewer": fewer, "twice": twice, "same": base}
    found = against(RightAnswers.of(base), {name: RightAnswers.of(each) for name, each in others.items()})
    assert set(found) == {"same"}
    assert not found["same"].is_real
    assert against(RightAnswers.of(twice), {"twice": RightAnswers.of(twice)}) == {}


def test_answers_are_packed_into_a_bit_each_and_back() -> None:
    for answers in (RightAnswers.of(predictions(0, 0.5, 301)), RightAnswers(b"", np.zeros(0, dtype=bool))):
        again = RightAnswers.unpack(answers.pack())
        assert again.images == answers.images
        assert np.array_equal(again.right, answers.right)
    assert len(RightAnswers.of(predictions(0, 0.5, 3589)).pack()) < 500
    for damaged in (b"short", RightAnswers.of(predictions(0, 0.5)).pack()[:-1]):
        with pytest.raises(ValueError, match="no packed answers"):
            RightAnswers.unpack(damaged)


def test_predictions_are_read_once_and_again_where_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path / "runs")
    first, second = (make_run(store, preprocessing=name, n=100) for name in ("raw", "gcn"))
    make_fold_run(store, dataset="synthetic", n=100, folds=2, repetitions=2)
    index = RunIndex(store, worth_a_file=1)
    summaries = index.read()
    reads: list[str] = []
    original = Run.predictions
    monkeypatch.setattr(Run, "predictions", lambda run: reads.append(run.id) or original(run))
    answers = AnswerShelf(index.file).read(summaries)
    assert len(reads) == 3
    assert answers[first.id].images
    assert len(AnswerShelf(index.file).read(summaries)) == 3
    assert len(reads) == 3, "another process finds them in the index"
    first.save_predictions(second.predictions())
    reads.clear()
    changed = AnswerShelf(index.file).read(RunIndex(store).read())
    assert reads == [first.id]
    assert np.array_equal(changed[first.id].right, answers[second.id].right)


def test_a_run_without_predictions_is_left_out(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    run = make_run(store, n=100)
    (run.path / "predictions.npz").write_bytes(b"broken")
    assert AnswerShelf(IndexFile(tmp_path / "none")).read(RunIndex(store).read()) == {}
