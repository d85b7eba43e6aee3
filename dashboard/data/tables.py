"""What a dataset holds, as data frames and sentences; no Streamlit here."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from dashboard.formats import NONE, SPACE, count, percent, plural
from fer_core.labels import EMOTIONS

SPLITS = {"train": "Training", "valid": "Validation", "test": "Test", "": "No split"}
BRIGHTNESS_ENDS, CONTRAST_ENDS = (0.0, 255.0), (0.0, 127.5)  # the largest deviation: half black, half white
BINS = 51  # of five grey levels each for brightness
USUAL = 0.1  # of the images: a size that fewer have is not worth naming
BALANCED = 1.05  # the imbalance below which emotions are called equally frequent

Counts = Mapping[str, Mapping[str, int]]


def totals(counts: Counts, split: str | None = None) -> dict[str, int]:
    """Images of each emotion that there is, in one split or in all."""
    chosen = [each for name, each in counts.items() if split in (None, name)]
    found = {emotion: sum(each.get(emotion, 0) for each in chosen) for emotion in EMOTIONS}
    return {emotion: number for emotion, number in found.items() if number}


def class_table(counts: Counts) -> pd.DataFrame:
    """One row for each emotion: images in each split and in all, and its share of all in percent."""
    there = totals(counts)
    whole = sum(there.values())
    rows = [
        {
            "emotion": emotion,
            **({SPLITS[split]: each.get(emotion, 0) for split, each in counts.items()} if len(counts) > 1 else {}),
            "Images": number,
            "Share (%)": 100 * number / whole,
            **(
                {f"{SPLITS[name]} (%)": _share(each, emotion) for name, each in counts.items()}
                if len(counts) > 1
                else {}
            ),
        }
        for emotion, number in there.items()
    ]
    return pd.DataFrame(rows)


def _share(counts: Mapping[str, int], emotion: str) -> float:
    return 100 * counts.get(emotion, 0) / max(1, sum(counts.values()))


def class_bars(counts: Counts) -> pd.DataFrame:
    """One row for each emotion and split: `images`, its share of the split, and both of all splits as `text`."""
    there = totals(counts)
    whole = sum(there.values())
    rows = [
        {
            "emotion": emotion,
            "split": SPLITS[split],
            "order": place,
            "images": each.get(emotion, 0),
            "share": percent(each.get(emotion, 0) / max(1, sum(each.values()))),
            "total": number,
            "text": f"{count(number)}{SPACE}· {percent(number / whole)}",
        }
        for emotion, number in there.items()
        for place, (split, each) in enumerate(counts.items())
    ]
    return pd.DataFrame(rows)


def imbalance(counts: Mapping[str, int]) -> float:
    """How many times as many images the most frequent emotion has as the rarest; 1 is balanced."""
    return max(counts.values()) / min(counts.values())


def balance_sentence(counts: Mapping[str, int]) -> str:
    """What the numbers of images say of the balance."""
    most, least = max(counts, key=lambda each: counts[each]), min(counts, key=lambda each: counts[each])
    whole = sum(counts.values())
    if imbalance(counts) < BALANCED:
        return f"All {len(counts)} emotions are about equally frequent"
    shares = percent(counts[most] / whole), percent(counts[least] / whole)
    return f"{most.capitalize()} is the most frequent ({shares[0]}) and {least} the rarest ({shares[1]})"


def size_text(shape: Sequence[int], is_table: bool) -> str:
    """`48 × 48 gray`, `160 × 160 colour`, or `10 descriptors`."""
    if is_table:
        return plural(shape[0], "descriptor")
    return f"{shape[1]}{SPACE}×{SPACE}{shape[0]}{SPACE}{'colour' if len(shape) == 3 else 'gray'}"


def histogram(values: np.ndarray, ends: tuple[float, float]) -> pd.DataFrame:
    """How many of the values lie in each of `BINS` equal parts: `start`, `end`, `images`, and their `share`."""
    numbers, edges = np.histogram(values, bins=BINS, range=ends)
    table = pd.DataFrame({"start": edges[:-1], "end": edges[1:], "images": numbers})
    return table.assign(share=table["images"] / max(1, len(values)))


def side_bins(sizes: Sequence[tuple[int, int, int]]) -> pd.DataFrame:
    """`histogram` of the shorter sides of pictures of `sizes` (width, height, images), with their `mean`."""
    sides = np.repeat([min(width, height) for width, height, _ in sizes], [number for *_, number in sizes])
    low, high = float(sides.min()), float(sides.max())
    room = max(1.0, 0.02 * (high - low))  # one size alone has a width, too
    return histogram(sides, (low - room, high + room)).assign(mean=float(sides.mean()))


def size_table(sizes: Sequence[tuple[int, int, int]]) -> pd.DataFrame:
    """One row for each size of the originals, the most frequent first, with its share in percent."""
    table = pd.DataFrame(sizes, columns=["width", "height", "images"])
    return table.assign(share=100 * table["images"] / table["images"].sum())


def size_finding(sizes: Sequence[tuple[int, int, int]], shape: Sequence[int]) -> str:
    """How much the sizes of the originals differ, and how many had to be enlarged to `shape` (H, W, …)."""
    whole = sum(number for *_, number in sizes)
    small = sum(number for width, height, number in sizes if width < shape[1] or height < shape[0])
    enlarged = f"; {percent(small / whole)} are smaller than they are prepared" if small else ""
    width, height, most = max(sizes, key=lambda each: each[2])
    sides = [min(width, height) for width, height, _ in sizes]
    usual = (
        f"{percent(most / whole)} are {width}{SPACE}×{SPACE}{height}"
        if most >= USUAL * whole
        else f"their shorter sides are of {count(min(sides))} to {count(max(sides))} pixels"
    )
    return f"The originals have {count(len(sizes))} sizes: {usual}{enlarged}"


def level_table(labels: np.ndarray, brightness: np.ndarray, contrast: np.ndarray) -> pd.DataFrame:
    """Mean and standard deviation of brightness and contrast of the images of each emotion, then of all."""
    there = [emotion for emotion in EMOTIONS if np.any(labels == emotion)]
    masks = {**{emotion: labels == emotion for emotion in there}, "all": np.ones(len(labels), bool)}
    return pd.DataFrame(
        {
            "emotion": name,
            "images": int(mask.sum()),
            "brightness": float(brightness[mask].mean()),
            "brightness_spread": float(brightness[mask].std()),
            "contrast": float(contrast[mask].mean()),
            "contrast_spread": float(contrast[mask].std()),
        }
        for name, mask in masks.items()
    )


def members(labels: Sequence[str], splits: Sequence[str]) -> list[str]:
    """A group of equal images in lines: `**angry** training × 2`."""
    found = Counter(zip(labels, splits, strict=True))
    places = {split: f" {SPLITS[split].lower()}" if split else "" for _, split in found}
    return [f"**{label}**{places[split]}{f' × {n}' if n > 1 else ''}" for (label, split), n in found.items()]


def group_table(groups: Sequence[np.ndarray], labelled: pd.DataFrame) -> pd.DataFrame:
    """One row for each image of each group, which are numbered from 1."""
    if not len(groups):
        return pd.DataFrame(columns=["group", "id", "label", "split"])
    numbers = np.repeat(np.arange(1, len(groups) + 1), [len(rows) for rows in groups])
    found = labelled.iloc[np.concatenate(groups)].reset_index()
    return found.assign(group=numbers)[["group", "id", "label", "split"]]


def doubt_table(
    ids: np.ndarray,
    labels: np.ndarray,
    suggested: np.ndarray,
    probabilities: np.ndarray,
    runs: np.ndarray,
    emotions: Sequence[str],
) -> pd.DataFrame:
    """One row for each doubted image: label, suggestion, the percentages of both and how many runs predicted it."""
    rows = np.arange(len(ids))
    names = np.asarray(emotions)
    return pd.DataFrame(
        {
            "id": ids,
            "label": names[labels],
            "suggested": names[suggested],
            "of label (%)": 100 * probabilities[rows, labels],
            "of suggested (%)": 100 * probabilities[rows, suggested],
            "margin": probabilities[rows, labels] - probabilities[rows, suggested],
            "runs": runs,
        }
    )


def doubt_cells(labels: np.ndarray, suggested: np.ndarray, seen: np.ndarray, emotions: Sequence[str]) -> pd.DataFrame:
    """For each pair of a `label` and a `suggested` emotion how many images, and their share of those `seen`."""
    classes = len(emotions)
    matrix = np.bincount(labels * classes + suggested, minlength=classes**2).reshape(classes, classes)
    whole = np.maximum(np.bincount(seen, minlength=classes), 1)
    rows = [
        (emotions[one], emotions[other], int(matrix[one, other]), matrix[one, other] / whole[one])
        for one in range(classes)
        for other in range(classes)
    ]
    cells = pd.DataFrame(rows, columns=["label", "suggested", "images", "share"])
    same = cells["label"] == cells["suggested"]
    texts = [NONE if is_same else count(number) for is_same, number in zip(same, cells["images"], strict=True)]
    return cells.assign(text=texts, exact=[percent(share) for share in cells["share"]])
