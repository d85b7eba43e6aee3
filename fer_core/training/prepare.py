"""From a run's spec to tensors on the device: the splits, the pipeline, the label filter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fer_core.architectures import ARCHITECTURES, DESCRIPTORS
from fer_core.augmentation import Augmentation
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, Split, clean_mask, get_splits
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.preprocessing import Pipeline
from fer_core.training.passes import TrainingSet

OF_PIXELS = ("mixup", "cutmix", "sam_radius", "closing_epochs", "patience", "teacher")  # hyperparameters


@dataclass(frozen=True)
class PreparedSplit:
    """Training set, validation and test set on the device, with ids and which images are clean."""

    train: TrainingSet
    valid: TrainingSet
    test: TrainingSet
    ids: dict[str, np.ndarray]
    clean: dict[str, np.ndarray]
    notes: dict[str, int]


@dataclass(frozen=True)
class Plan:
    """What a spec means for a dataset, checked: the folds to train, and the class of each of its labels."""

    dataset: FaceDataset
    spec: RunSpec
    splits: tuple[Split, ...]
    classes: np.ndarray  # int64 (7,): from EMOTIONS' index to the network's class, −1 where it is left out

    @classmethod
    def make(cls, dataset: FaceDataset, spec: RunSpec) -> "Plan":
        """Raises FerError, before anything is written, where `spec` cannot be trained on `dataset`."""
        Pipeline.parse(spec.preprocessing)
        Augmentation.parse(spec.recipe.augmentation)
        _check_inputs(dataset, spec)
        classes = wanted_labels(dataset, spec.emotions)
        return cls(dataset, spec, tuple(get_splits(dataset, spec.protocol, spec.seed)), classes)

    def rows(self, split: Split, part: str) -> np.ndarray:
        """The rows of a part ("train", "valid", "test") whose emotions are told apart."""
        rows: np.ndarray = getattr(split, part)
        return rows[self.classes[self.dataset.labels[rows]] >= 0]

    def one_face(self) -> Tensor:
        """A face as the network gets it, uint8 (1, C, H, W); of a table a row (1, D)."""
        return torch.from_numpy(self.dataset.faces(np.arange(1)))

    def prepare(self, split: Split, device: torch.device) -> PreparedSplit:
        """Preprocess each part of a fold once; training images alone get training-only steps."""
        rows = {part: self.rows(split, part) for part in ("train", "valid", "test")}
        notes: dict[str, int] = {}
        sets = {
            part: TrainingSet(
                faces=self._faces(index, part, notes).to(device),
                labels=torch.from_numpy(self.classes[self.dataset.labels[index]]).to(device),
                classes=len(self.spec.emotions),
            )
            for part, index in rows.items()
        }
        return PreparedSplit(
            **sets,
            ids={part: self.dataset.ids[rows[part]] for part in ("valid", "test")},
            clean={part: clean_mask(self.dataset, rows["train"], rows[part]) for part in ("valid", "test")},
            notes=notes,
        )

    def _faces(self, rows: np.ndarray, part: str, notes: dict[str, int]) -> Tensor:
        faces = torch.from_numpy(self.dataset.faces(rows))
        if self.dataset.is_table:
            return faces.float()
        pipeline = Pipeline.parse(self.spec.preprocessing)
        return pipeline.apply(faces, training=part == "train", seed=self.spec.seed, notes=notes)


def _check_inputs(dataset: FaceDataset, spec: RunSpec) -> None:
    describes = [name for name in ARCHITECTURES.names() if ARCHITECTURES.get(name).learns_from == DESCRIPTORS]
    is_describing = ARCHITECTURES.get(spec.architecture).learns_from == DESCRIPTORS
    if dataset.is_table and not is_describing:
        raise FerError(
            f"dataset {dataset.name!r} holds descriptors and no pixels, which {spec.architecture} needs; "
            f"choose the architecture {' or '.join(describes)}, or a dataset of faces"
        )
    if dataset.is_table and spec.preprocessing != "raw":
        raise FerError(f"dataset {dataset.name!r} holds no pixels for {spec.preprocessing!r}; choose raw")
    if is_describing and spec.recipe.augmentation:
        raise FerError(f"{spec.architecture} takes no augmentation: each face is described once")
    of_pixels = [name for name in OF_PIXELS if getattr(spec.recipe, name)]
    if is_describing and of_pixels:
        raise FerError(f"{spec.architecture} learns from descriptors; only pixels can have {' and '.join(of_pixels)}")
    if is_describing and spec.recipe.schedule == "plateau":
        raise FerError(f"{spec.architecture} is validated too seldom for the schedule 'plateau'; choose another one")
    if not is_describing and (spec.recipe.bdr_start or spec.recipe.column_scaling != "none"):
        raise FerError(
            f"column_scaling and bimodal removal are for networks of descriptors ({', '.join(describes)}), "
            f"not for {spec.architecture}"
        )


def wanted_labels(dataset: FaceDataset, emotions: Sequence[str]) -> np.ndarray:
    """int64 (7,): from EMOTIONS' index to the index in `emotions`, −1 where an emotion is left out."""
    table = np.full(len(EMOTIONS), -1, dtype=np.int64)
    for index, emotion in enumerate(emotions):
        table[EMOTIONS.index(emotion)] = index
    there = {EMOTIONS[label] for label in np.unique(dataset.labels)}
    missing = [emotion for emotion in emotions if emotion not in there]
    if missing:
        raise FerError(
            f"dataset {dataset.name!r} has no {', '.join(missing)}; it has {', '.join(sorted(there))}; "
            f"leave out what it lacks with --without {','.join(missing)}"
        )
    return table
