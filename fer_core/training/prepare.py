"""From a run's spec to tensors on the device: the split, the pipeline, the label filter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fer_core.architectures import build
from fer_core.augmentation import Augmentation
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, Split, clean_mask, get_splits
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.preprocessing import Pipeline
from fer_core.training.loop import TrainingSet


@dataclass(frozen=True)
class PreparedSplit:
    """Training set, validation and test set on the device, with ids and which images are clean."""

    train: TrainingSet
    valid: TrainingSet
    test: TrainingSet
    ids: dict[str, np.ndarray]
    clean: dict[str, np.ndarray]
    notes: dict[str, int]


def validate_spec(dataset: FaceDataset, spec: RunSpec) -> None:
    """Raise FerError, before anything is written, if `spec` cannot be trained on `dataset`."""
    Pipeline.parse(spec.preprocessing)
    Augmentation.parse(spec.recipe.augmentation)
    single_split(dataset, spec)
    wanted_labels(dataset, spec.emotions)
    build_model(spec, torch.from_numpy(dataset.faces(np.arange(1))))


def build_model(spec: RunSpec, faces: Tensor) -> nn.Module:
    """The spec's architecture, freshly initialised for faces like these (N, C, H, W)."""
    return build(
        spec.architecture,
        channels=faces.shape[1],
        size=faces.shape[-1],
        classes=len(spec.emotions),
        **spec.architecture_arguments,
    )


def single_split(dataset: FaceDataset, spec: RunSpec) -> Split:
    """The one split of the spec's protocol; raises FerError for a protocol with several folds."""
    splits = get_splits(dataset, spec.protocol, spec.seed)
    if len(splits) != 1:
        raise FerError(f"protocol {spec.protocol!r} has {len(splits)} folds; `train` takes a protocol with one")
    return splits[0]


def prepare_split(dataset: FaceDataset, spec: RunSpec, device: torch.device) -> PreparedSplit:
    """Preprocess each part of the spec's split once; training images alone get training-only steps."""
    split = single_split(dataset, spec)
    wanted = wanted_labels(dataset, spec.emotions)
    rows = {part: _kept(getattr(split, part), dataset.labels, wanted) for part in ("train", "valid", "test")}
    pipeline = Pipeline.parse(spec.preprocessing)
    notes: dict[str, int] = {}
    sets = {
        part: TrainingSet(
            faces=pipeline.apply(
                torch.from_numpy(dataset.faces(index)), training=part == "train", seed=spec.seed, notes=notes
            ).to(device),
            labels=torch.from_numpy(wanted[dataset.labels[index]]).to(device),
            classes=len(spec.emotions),
        )
        for part, index in rows.items()
    }
    return PreparedSplit(
        **sets,
        ids={part: dataset.ids[rows[part]] for part in ("valid", "test")},
        clean={part: clean_mask(dataset, rows["train"], rows[part]) for part in ("valid", "test")},
        notes=notes,
    )


def wanted_labels(dataset: FaceDataset, emotions: Sequence[str]) -> np.ndarray:
    """int64 (7,): from EMOTIONS' index to the index in `emotions`, −1 where an emotion is left out."""
    table = np.full(len(EMOTIONS), -1, dtype=np.int64)
    for index, emotion in enumerate(emotions):
        table[EMOTIONS.index(emotion)] = index
    there = {EMOTIONS[label] for label in np.unique(dataset.labels)}
    missing = [emotion for emotion in emotions if emotion not in there]
    if missing:
        raise FerError(f"dataset {dataset.name!r} has no {', '.join(missing)}; it has {', '.join(sorted(there))}")
    return table


def _kept(rows: np.ndarray, labels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return rows[wanted[labels[rows]] >= 0]
