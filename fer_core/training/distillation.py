"""Learning from another run too: what it reads in each training image, beside the label (Hinton et al. 2015)."""

from dataclasses import replace

import numpy as np
import torch

from fer_core.config import RunSpec
from fer_core.datasets import Split
from fer_core.errors import FerError
from fer_core.evaluation.calibration import apply_temperature
from fer_core.inference import Predictor
from fer_core.runs import Run, RunStore
from fer_core.training.passes import TrainingSet
from fer_core.training.prepare import Plan


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
        raise FerError(f"run {teacher.id} has no weights here, and so cannot teach")


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


def with_teacher(train: TrainingSet, plan: Plan, split: Split, store: RunStore, device: torch.device) -> TrainingSet:
    """`train`, the training set of `split`, with what the recipe's teacher reads in its images, if there is one.

    The teacher sees the original images and their mirror images, through its own pipeline; the mean counts.
    """
    recipe = plan.spec.recipe
    if not recipe.teacher:
        return train
    reader = Predictor.from_run(store.get(recipe.teacher), device)
    faces = plan.dataset.images[plan.rows(split, "train")]
    read = (reader.predict_faces(faces) + reader.predict_faces(faces[:, :, ::-1])) / 2
    softened = apply_temperature(read, recipe.teacher_temperature).astype(np.float32)
    return replace(train, taught=torch.from_numpy(softened).to(device))
