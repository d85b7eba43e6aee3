"""The real archives; skipped where they are absent."""

import numpy as np
import pytest

from fer_core.datasets import Wanted, audit, clean_mask, get_splits, prepare
from fer_core.datasets.official import FER2013_COUNTS
from fer_core.datasets.protocols.spi_2fold import subject

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


def test_sfew_keeps_its_size_and_colour(sfew_stills, tmp_path):
    dataset = prepare(sfew_stills(12), None, tmp_path / "data")
    assert dataset.images.shape == (57, 576, 720, 3)
    assert "57 images of 720x576 kept in colour" in dataset.manifest["conversions"]
    assert len(np.unique(dataset.labels)) == 7


def test_most_of_sfew_s_faces_are_found_and_keep_their_films_names(sfew_stills, tmp_path):
    dataset = prepare(sfew_stills(96), None, tmp_path / "data", wanted=Wanted(64, without_face="keep"))
    assert dataset.images.shape == (8, 64, 64, 3)
    assert dataset.ids[0] == "angry/Airheads_000519240_00000005"
    assert all(subject(sample) for sample in dataset.ids)
    found, kept = dataset.manifest["conversions"]
    assert int(found.split()[0]) >= 6
    assert int(found.split()[0]) + int(kept.split()[0]) == 8
