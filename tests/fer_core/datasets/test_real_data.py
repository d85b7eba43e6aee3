"""The real archives; skipped where they are absent."""

import tarfile

import numpy as np
import pytest

from fer_core.datasets import audit, clean_mask, get_splits, prepare
from fer_core.datasets.official import FER2013_COUNTS

pytestmark = pytest.mark.real_data


def test_fer2013_is_whole_and_takes_its_name(fer2013):
    assert fer2013.name == "fer2013"
    assert fer2013.manifest["counts"] == FER2013_COUNTS
    assert fer2013.manifest["missing"] == []
    assert fer2013.images.shape == (35_887, 48, 48)
    (split,) = get_splits(fer2013, "official", 0)
    assert [len(part) for part in (split.train, split.valid, split.test)] == [28_709, 3_589, 3_589]


def test_fer2013_s_copies_conflicts_and_leaks_are_those_known(fer2013):
    report = audit(fer2013)
    assert (report.surplus_copies, report.conflicting_groups, report.cross_split_groups) == (1853, 57, 557)
    assert (report.test_in_train, report.valid_in_train, report.constant_images) == (288, 280, 12)
    (split,) = get_splits(fer2013, "official", 0)
    assert int((~clean_mask(fer2013, split.train, split.test)).sum()) == 288


def test_two_names_that_occur_in_two_classes_have_an_id_each(fer2013):
    names = [str(each).partition("/")[2] for each in fer2013.ids]
    assert len(set(fer2013.ids)) == len(fer2013) == len(set(names)) + 2


def test_sfew_keeps_its_size_and_colour(shared_data, tmp_path):
    files = tmp_path / "sfew.tar"
    taken = 0
    with tarfile.open(shared_data / "sfew.tar") as whole, tarfile.open(files, "w") as part:
        for entry in whole:
            if entry.isfile() and taken % 12 == 0:
                part.addfile(entry, whole.extractfile(entry))
            taken += entry.isfile()
    dataset = prepare(files, None, tmp_path / "data")
    assert taken == 675
    assert dataset.images.shape[1:] == (576, 720, 3)
    assert f"{len(dataset)} images of 720x576 kept in colour" in dataset.manifest["conversions"]
    assert len(np.unique(dataset.labels)) == 7
