"""From a run's spec to tensors on the device: the split, the pipeline, the label filter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, clean_mask, get_splits
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


def prepare_split(dataset: FaceDataset, spec: RunSpec, device: torch.device) -> PreparedSplit:
    """Preprocess each part of the spec's split once; training images alone get training-only steps."""
    splits = get_splits(dataset, spec.protocol, spec.seed)
    if len(splits) != 1:
        raise FerError(f"protocol {spec.protocol!r} has {len(splits)} folds; `train` takes a protocol with one")
    wanted = wanted_labels(dataset, spec.emotions)
    rows = {part: _kept(getattr(splits[0], part), dataset.labels, wanted) for part in ("train", "valid", "test")}
    pipeline, notes = Pipeline.parse(spec.preprocessing), {}
    sets = {
        part: TrainingSet(
            faces=pipeline.apply(
                as_batch(dataset.images[index]), training=part == "train", seed=spec.seed, notes=notes
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


def as_batch(images: np.ndarray) -> Tensor:
    """(N, H, W) or (N, H, W, 3) uint8 as a tensor (N, C, H, W)."""
    batch = torch.from_numpy(np.ascontiguousarray(images))
    return batch[:, None] if batch.ndim == 3 else batch.permute(0, 3, 1, 2).contiguous()


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
