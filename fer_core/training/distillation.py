"""Learning from another run too: what it reads in each training image, beside the label (Hinton et al. 2015)."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from fer_core.config import RunSpec
from fer_core.datasets import Split
from fer_core.errors import FerError
from fer_core.evaluation.calibration import apply_temperature
from fer_core.evaluation.label_errors import label_errors
from fer_core.inference import Predictor
from fer_core.runs import Run, RunStore
from fer_core.training.passes import TrainingSet
from fer_core.training.prepare import Plan

AT_ONCE = 1024  # images that a teacher reads between two looks at whether someone wants it to stop


def check_teacher(plan: Plan, store: RunStore) -> None:
    """Raises FerError, in one sentence, unless the run that the recipe names as its teacher can teach `plan`."""
    spec = plan.spec
    if not spec.recipe.teacher:
        return
    teacher = store.get(spec.recipe.teacher)
    if teacher.id != spec.recipe.teacher:
        raise FerError(f"name the teacher by its whole name, {teacher.id}")
    if plan.dataset.is_table or len(plan.splits) > 1:
        raise FerError("a teacher can be had by networks of faces under a protocol with a single fold alone")
    _check_same_images(teacher, spec, plan, plan.splits[0])
    if not teacher.has_weights():
        raise FerError(f"run {teacher.id} has no weights here, and so cannot teach; train it again, or choose another")


def _check_same_images(teacher: Run, spec: RunSpec, plan: Plan, split: Split) -> None:
    for what in ("dataset", "emotions"):
        if getattr(teacher.spec, what) != getattr(spec, what):
            raise FerError(f"run {teacher.id} cannot teach this one: they differ in {what}")
    if teacher.state != "finished":
        raise FerError(f"run {teacher.id} is {teacher.state}; only a finished run can teach")
    arrays = teacher.predictions()
    if "test_folds" in arrays:
        raise FerError(f"run {teacher.id} has a network for each fold; only a run with a single network can teach")
    for part in ("valid", "test"):
        unseen = np.isin(plan.dataset.ids[plan.rows(split, part)], arrays[f"{part}_ids"])
        if not unseen.all():
            raise FerError(f"run {teacher.id} cannot teach this one: it may have learnt from {part} images of it")


def with_teacher(
    train: TrainingSet,
    plan: Plan,
    split: Split,
    store: RunStore,
    device: torch.device,
    on_read: Callable[[int], None] = lambda read: None,
) -> TrainingSet:
    """`train`, the training set of `split`, with what the recipe's teacher reads in its images, if there is one.

    The teacher sees the original images and their mirror images, through its own pipeline; the mean counts. As that
    may take minutes, `on_read` is told after every AT_ONCE images how many were read. Images whose label the teacher
    doubts are left out where the recipe cleans labels: it has learnt from them, and so doubts fewer than it would of
    images that it never saw.
    """
    recipe = plan.spec.recipe
    if not recipe.teacher:
        return train
    reader = Predictor.from_run(store.get(recipe.teacher), device)
    faces = plan.dataset.images[plan.rows(split, "train")]
    parts = []
    for start in range(0, len(faces), AT_ONCE):
        part = faces[start : start + AT_ONCE]
        parts.append((reader.predict_faces(part) + reader.predict_faces(part[:, :, ::-1])) / 2)
        on_read(start + len(part))
    read = np.concatenate(parts)
    softened = apply_temperature(read, recipe.teacher_temperature).astype(np.float32)
    taught = torch.from_numpy(softened).to(device)
    if recipe.label_cleaning == "none":
        return replace(train, taught=taught)
    doubted = label_errors(train.labels.cpu().numpy(), read)
    kept = torch.from_numpy(np.setdiff1d(np.arange(len(train)), doubted.rows)).to(device)
    return replace(train, faces=train.faces[kept], labels=train.labels[kept], taught=taught[kept])
