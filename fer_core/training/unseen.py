"""Whether the runs that a training builds on have kept away from its validation and test images."""

from collections.abc import Iterator

import numpy as np

from fer_core.datasets import FaceDataset
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.runs import Run, RunStore, stored_lineage
from fer_core.training.prepare import Plan

PARTS = {"valid": "validation", "test": "test"}
UNSEEN_BY = {"valid": ("valid", "test"), "test": ("test",)}  # among which of a run's images a part must lie


def check_unseen(plan: Plan, store: RunStore) -> None:
    """Raises FerError, in one sentence, where a run that `plan` builds on may have learnt from what it is tested on.

    That is the run it starts from, its teacher, and all that these were made from. Images are the same where the
    datasets have one name, or one has all ids of the other. A source that is gone cannot be asked.
    """
    for name in (plan.spec.init_from, plan.spec.recipe.teacher):
        for run in _made_from(name, store):
            _check(run, plan, name)


def _made_from(name: str, store: RunStore) -> Iterator[Run]:
    if name:
        for summary in stored_lineage(store.get(name), store).runs:
            yield Run(summary.path)


def _check(run: Run, plan: Plan, named: str) -> None:
    if run.state != "finished":
        return
    known = _ids(run)
    if not _are_same_images(run, known, plan.dataset):
        return
    told = np.isin(np.array(EMOTIONS)[plan.dataset.labels], run.spec.emotions)  # it has not learnt from others
    for split in plan.splits:
        for part, unseen in UNSEEN_BY.items():
            rows = plan.rows(split, part)
            asked = plan.dataset.ids[rows[told[rows]]]
            count = int((~np.isin(asked, np.concatenate([known[each] for each in unseen]))).sum())
            if count:
                source = f"run {run.id}" if run.id == named else f"run {run.id}, of which {named} was made,"
                raise FerError(
                    f"{source} may have learnt from, or been chosen by, {count:,} of the {len(rows):,} {PARTS[part]} "
                    "images of this training, which so cannot be built on it; choose one of the same protocol and seed"
                )


def _ids(run: Run) -> dict[str, np.ndarray]:
    """The images that the run's network has not learnt from, (N,) str: `valid`, by which it was chosen, and `test`."""
    predictions = run.network_predictions()
    return {part: predictions[f"{part}_ids"] for part in UNSEEN_BY}


def _are_same_images(run: Run, known: dict[str, np.ndarray], dataset: FaceDataset) -> bool:
    ids = np.concatenate([known["valid"], known["test"]])
    return run.spec.dataset == dataset.name or bool(np.isin(ids, dataset.ids).all() or np.isin(dataset.ids, ids).all())
