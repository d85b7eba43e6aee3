"""FER2013's published counts, to say what a copy lacks."""

from collections.abc import Mapping

from fer_core.labels import EMOTIONS

# Goodfellow et al., "Challenges in representation learning" (2013): Training, PublicTest, PrivateTest.
FER2013_COUNTS: dict[str, dict[str, int]] = {
    "train": dict(zip(EMOTIONS, (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True)),
    "valid": dict(zip(EMOTIONS, (467, 56, 496, 895, 653, 415, 607), strict=True)),
    "test": dict(zip(EMOTIONS, (491, 55, 528, 879, 594, 416, 626), strict=True)),
}
USAGE_OF_SPLIT = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}


def missing_from_fer2013(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """One sentence per official part whose counts differ from FER2013's; empty when it is complete."""
    return [sentence for split, official in FER2013_COUNTS.items() for sentence in _difference(split, counts, official)]


def _difference(split: str, counts: Mapping[str, Mapping[str, int]], official: Mapping[str, int]) -> list[str]:
    have = counts.get(split, {})
    usage = USAGE_OF_SPLIT[split]
    if not any(have.values()):
        return [f"{split} ({usage}) is missing: none of its {sum(official.values()):,} images"]
    differing = [
        f"{emotion} {have.get(emotion, 0):,} of {count:,}"
        for emotion, count in official.items()
        if have.get(emotion, 0) != count
    ]
    if not differing:
        return []
    total = f"{sum(have.values()):,} of {sum(official.values()):,} images"
    return [f"{split} ({usage}) has {total}: {', '.join(differing)}"]
