import tarfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from fer_core.datasets import FaceDataset, ProtocolError, get_splits, load_dataset, prepare, served_protocols
from fer_core.datasets.official import FER2013_COUNTS
from fer_core.datasets.protocols import PROTOCOLS, Split
from fer_core.datasets.protocols.drawing import apportion, balanced_groups, draw
from fer_core.datasets.protocols.spi_2fold import subject
from fer_core.labels import EMOTIONS
from fer_core.registry import UnknownNameError

PARTS = ("train", "valid", "test")


def without_pixels(name, labels, ids, split):
    """A dataset of which only labels, ids and split matter."""
    labels = np.asarray(labels, np.uint8)
    return FaceDataset(name, np.zeros((len(labels), 1, 1), np.uint8), labels, np.asarray(ids), np.asarray(split), {})


@pytest.fixture(scope="module")
def fer2013_rows():
    """FER2013's 35,887 labels and official split."""
    cells = [(part, label, n) for part in PARTS for label, n in enumerate(FER2013_COUNTS[part].values())]
    labels = np.concatenate([np.full(n, label) for _, label, n in cells])
    split = np.concatenate([np.full(n, part) for part, _, n in cells])
    return without_pixels("fer2013", labels, [f"x/Training_{row:08d}" for row in range(len(labels))], split)


def films(sizes):
    """A dataset with SFEW's kind of names: `sizes` (films, 7) images of each class."""
    rows = [(film, label) for film, each in enumerate(sizes) for label, n in enumerate(each) for _ in range(n)]
    ids = [f"{EMOTIONS[label]}/Film{film}_{row:09d}_{row:08d}" for row, (film, label) in enumerate(rows)]
    return without_pixels("sfew", [label for _, label in rows], ids, [""] * len(rows))


@pytest.fixture(scope="module")
def sfew_rows():
    """20 films with 0 to 9 images of each class."""
    return films(np.random.default_rng(0).integers(0, 10, (20, 7)))


def dataset_of(protocol, fer2013_rows, sfew_rows):
    return sfew_rows if protocol == "spi_2fold" else fer2013_rows


def counts(dataset, rows):
    return np.bincount(dataset.labels[rows], minlength=7)


def assert_share_of_each_class(dataset, drawn, pool):
    """`drawn` holds as much of each class of `pool` as of all of it, within one image."""
    exact = counts(dataset, pool) * (len(drawn) / len(pool))
    assert np.abs(counts(dataset, drawn) - exact).max() < 1


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("protocol", PROTOCOLS.names())
def test_every_protocol_gives_disjoint_sorted_filled_parts_that_cover_the_dataset(
    protocol, seed, fer2013_rows, sfew_rows
):
    dataset = dataset_of(protocol, fer2013_rows, sfew_rows)
    for split in get_splits(dataset, protocol, seed):
        parts = [getattr(split, part) for part in PARTS]
        assert all(part.dtype == np.int64 and len(part) and (np.diff(part) > 0).all() for part in parts)
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(dataset)))


@pytest.mark.parametrize("protocol", PROTOCOLS.names())
def test_every_protocol_is_decided_by_its_seed(protocol, fer2013_rows, sfew_rows):
    dataset = dataset_of(protocol, fer2013_rows, sfew_rows)
    first, again, other = (get_splits(dataset, protocol, seed) for seed in (3, 3, 4))
    same = [
        np.array_equal(getattr(a, part), getattr(b, part)) for a, b in zip(first, again, strict=True) for part in PARTS
    ]
    assert all(same)
    assert np.array_equal(first[0].valid, other[0].valid) == (protocol == "official")


@pytest.mark.parametrize("protocol", PROTOCOLS.names())
def test_every_protocol_is_described_in_one_line(protocol):
    summary = (PROTOCOLS.get(protocol).__doc__ or "").splitlines()[0]
    assert len(summary) > 20
    assert summary.endswith(".")


def test_the_official_protocol_is_the_dataset_s_own_split():
    dataset = load_dataset("synthetic")
    (split,) = get_splits(dataset, "official", 0)
    assert split.fold == ""
    assert set(dataset.split[split.valid]) == {"valid"}
    assert [len(part) for part in (split.train, split.valid, split.test)] == [1400, 350, 350]


def test_random_80_20_holds_out_a_fifth_with_the_support_that_paper_1_prints(fer2013_rows):
    (split,) = get_splits(fer2013_rows, "random_80_20", 0)
    assert counts(fer2013_rows, split.test).tolist() == [991, 109, 1024, 1798, 1216, 800, 1240]
    assert (len(split.train), len(split.valid)) == (25_838, 2_871)
    assert_share_of_each_class(fer2013_rows, split.valid, np.concatenate([split.train, split.valid]))


def test_random_80_20_draws_as_many_of_each_class_as_scikit_learn(fer2013_rows):
    (split,) = get_splits(fer2013_rows, "random_80_20", 0)
    splitter = StratifiedShuffleSplit(1, test_size=0.2, random_state=0)
    ((_, theirs),) = splitter.split(fer2013_rows.labels, fer2013_rows.labels)
    assert len(theirs) == len(split.test)
    assert np.abs(counts(fer2013_rows, theirs) - counts(fer2013_rows, split.test)).max() <= 1


def test_train_vs_rest_tests_on_all_but_training_and_chooses_within_it(fer2013_rows):
    (split,) = get_splits(fer2013_rows, "train_vs_rest", 0)
    assert set(fer2013_rows.split[split.test]) == {"valid", "test"}
    assert (len(split.train), len(split.valid), len(split.test)) == (25_838, 2_871, 7_178)
    official_train = np.flatnonzero(fer2013_rows.split == "train")
    assert set(fer2013_rows.split[split.valid]) == {"train"}
    assert_share_of_each_class(fer2013_rows, split.valid, official_train)


def test_kaggle_folders_are_drawn_in_their_sizes_from_fer2013_and_the_split_says_so(fer2013_rows):
    (split,) = get_splits(fer2013_rows, "kaggle_folders_3way", 0)
    assert [len(part) for part in (split.train, split.valid, split.test)] == [28_821, 3_533, 3_533]
    assert_share_of_each_class(fer2013_rows, split.train, np.arange(len(fer2013_rows)))
    assert_share_of_each_class(fer2013_rows, split.test, np.concatenate([split.valid, split.test]))
    assert "drawn by class in the sizes of Kaggle's" in split.note


def test_kaggle_folders_keep_their_train_folder_and_halve_the_other(fer2013_rows):
    folders = replace(fer2013_rows, split=np.where(fer2013_rows.split == "test", "valid", fer2013_rows.split))
    (split,) = get_splits(folders, "kaggle_folders_3way", 0)
    assert set(folders.split[split.train]) == {"train"}
    assert len(split.train) == 28_709
    assert len(split.valid) == len(split.test) == 3_589
    assert split.note == ""


def test_kfold5_tests_on_every_image_once_with_every_class_s_share(fer2013_rows):
    splits = get_splits(fer2013_rows, "kfold5", 0)
    everything = np.arange(len(fer2013_rows))
    assert [split.fold for split in splits] == ["1", "2", "3", "4", "5"]
    assert np.array_equal(np.sort(np.concatenate([split.test for split in splits])), everything)
    for split in splits:
        assert_share_of_each_class(fer2013_rows, split.test, everything)
        assert_share_of_each_class(fer2013_rows, split.valid, np.concatenate([split.train, split.valid]))
        assert len(split.valid) == round((len(split.train) + len(split.valid)) / 10)


def test_kfold5_has_folds_as_large_and_as_balanced_as_scikit_learn(fer2013_rows):
    ours = [counts(fer2013_rows, split.test) for split in get_splits(fer2013_rows, "kfold5", 0)]
    splitter = StratifiedKFold(5, shuffle=True, random_state=0)
    theirs = [counts(fer2013_rows, test) for _, test in splitter.split(fer2013_rows.labels, fer2013_rows.labels)]
    assert sorted(each.sum() for each in ours) == sorted(each.sum() for each in theirs)
    assert np.abs(np.sort(ours, axis=0) - np.sort(theirs, axis=0)).max() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_spi_2fold_never_shows_a_film_in_two_parts(sfew_rows, seed):
    first, second = get_splits(sfew_rows, "spi_2fold", seed)
    assert (first.fold, second.fold) == ("1", "2")
    assert np.array_equal(np.sort(np.concatenate([first.train, first.valid])), second.test)
    assert np.array_equal(np.sort(np.concatenate([second.train, second.valid])), first.test)
    for split in (first, second):
        seen = [{subject(sample) for sample in sfew_rows.ids[getattr(split, part)]} for part in PARTS]
        assert all(not a & b for a, b in ((seen[0], seen[1]), (seen[0], seen[2]), (seen[1], seen[2])))
        assert 0.08 < len(split.valid) / (len(split.train) + len(split.valid)) < 0.22


@pytest.mark.parametrize("seed", range(5))
def test_spi_2fold_s_halves_are_balanced_in_every_class(sfew_rows, seed):
    first, second = get_splits(sfew_rows, "spi_2fold", seed)
    assert np.abs(counts(sfew_rows, first.test) - counts(sfew_rows, second.test)).max() <= 8


@pytest.mark.real_data
def test_sfew_s_own_names_give_balanced_halves_without_a_common_film(shared_data):
    with tarfile.open(shared_data / "sfew.tar") as archive:
        files = [entry.name.removesuffix(".jpg") for entry in archive if entry.isfile()]
    ids = [name.removeprefix("sfew/").lower().partition("/")[0] + "/" + name.rpartition("/")[2] for name in files]
    classes = sorted({sample.partition("/")[0] for sample in ids})
    dataset = without_pixels("sfew", [classes.index(sample.partition("/")[0]) for sample in ids], ids, [""] * len(ids))
    assert len(dataset) == 675
    for seed in range(3):
        for split in get_splits(dataset, "spi_2fold", seed):
            half = counts(dataset, np.arange(len(dataset))) / 2
            assert np.abs(counts(dataset, split.test) - half).max() <= 5
            assert abs(len(split.test) - 337.5) <= 8
            assert not {*map(subject, dataset.ids[split.test])} & {*map(subject, dataset.ids[split.train])}


@pytest.mark.parametrize(
    ("sample", "film"),
    [
        ("angry/Airheads_000519240_00000005", "Airheads"),
        ("Airheads_000519240_00000005", "Airheads"),
        ("sad/50_50_000519240_00000005", "50_50"),
        ("sad/IAmSam_013827920__00000055", "IAmSam"),
        ("sad/OceansThirteen-010619400_00000087", "Oceans"),
        ("sad/OceansTwelve_010619400_00000087", "Oceans"),
        ("sad/HarryPotter_Half_Blood_Prince_010619400_00000087", "HarryPotter"),
        ("happy/Training_10118481", ""),
        ("angry/synthetic_00001", ""),
    ],
)
def test_the_subject_of_a_frame_is_its_film_or_series(sample, film):
    assert subject(sample) == film


def test_an_unknown_protocol_is_refused_with_the_choices():
    with pytest.raises(UnknownNameError, match=r"unknown protocol 'oficial' \(did you mean 'official'\?\)"):
        get_splits(load_dataset("synthetic"), "oficial", 0)


def test_a_dataset_without_official_split_says_which_protocols_it_can_serve(make, tmp_path, data_dir, monkeypatch):
    files = {f"{name}/1.png": make.png(make.face(1)) for name in ("happy", "sad")}
    dataset = prepare(make.folder(tmp_path / "own", files), None, data_dir)
    with pytest.raises(ProtocolError, match="'official' cannot serve 'own': it has no official train or valid or test"):
        get_splits(dataset, "official", 0)

    def halves(_dataset, _seed):
        return [Split("", *(np.array([row]) for row in (0, 1, 1)))]

    monkeypatch.setitem(PROTOCOLS._entries, "halves", halves)
    assert served_protocols(dataset) == ["halves"]
    with pytest.raises(ProtocolError, match="served by: halves"):
        get_splits(dataset, "official", 0)


def test_a_dataset_without_validation_images_cannot_serve_the_official_protocol():
    dataset = load_dataset("synthetic")
    without = replace(dataset, split=np.where(dataset.split == "valid", "", dataset.split))
    with pytest.raises(ProtocolError, match="no official valid images"):
        get_splits(without, "official", 0)


def test_train_vs_rest_needs_an_official_split(sfew_rows):
    with pytest.raises(ProtocolError, match="no official split into training and other images; it can be served by: k"):
        get_splits(sfew_rows, "train_vs_rest", 0)


def test_a_class_with_fewer_images_than_folds_is_named():
    labels = [0] * 50 + [1] * 4
    dataset = without_pixels("own", labels, [str(row) for row in range(54)], [""] * 54)
    with pytest.raises(
        ProtocolError, match=r"'own': its class disgust has 4 of the 5 images that 5 folds need; it can"
    ):
        get_splits(dataset, "kfold5", 0)


@pytest.mark.parametrize("protocol", ["random_80_20", "kaggle_folders_3way", "kfold5"])
def test_a_class_too_small_for_every_part_is_named(protocol):
    labels = [0] * 500 + [3] * 5
    dataset = without_pixels("own", labels, [str(row) for row in range(505)], [""] * 505)
    with pytest.raises(ProtocolError, match=r"its 5 images of happy leave none for valid"):
        get_splits(dataset, protocol, 0)


def test_spi_2fold_names_an_image_that_is_no_film_s(fer2013_rows):
    with pytest.raises(ProtocolError, match="needs SFEW's file names .*, and 'x/Training_00000000' is none"):
        get_splits(fer2013_rows, "spi_2fold", 0)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [([[9] * 7], "leave none for"), ([[9] * 7, [9] * 7], "leave none for train|too few to hold out")],
)
def test_spi_2fold_needs_films_enough_for_halves_and_validation(sizes, reason):
    with pytest.raises(ProtocolError, match=reason):
        get_splits(films(sizes), "spi_2fold", 0)


@settings(deadline=None)
@given(arrays(np.int64, st.integers(1, 9), elements=st.integers(1, 5000)), st.floats(0, 1))
def test_apportioning_gives_every_place_and_each_class_its_share_within_one(class_counts, share):
    total = int(share * class_counts.sum())
    places = apportion(class_counts, total)
    assert places.sum() == total
    assert np.abs(places - class_counts * (total / class_counts.sum())).max() < 1
    assert ((places >= 0) & (places <= class_counts)).all()


def test_drawn_and_others_are_the_rows_and_touch_no_other():
    labels = np.repeat(np.arange(3), 100)
    rows = np.arange(0, 300, 2)
    drawn, others = draw(rows, labels, 31, np.random.default_rng(0))
    assert len(drawn) == 31
    assert np.array_equal(np.union1d(drawn, others), rows)
    assert not np.intersect1d(drawn, others).size


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int64, st.tuples(st.integers(2, 15), st.just(7)), elements=st.integers(0, 12)), st.integers(0, 2**31 - 1)
)
def test_no_group_or_pair_that_changes_side_would_balance_the_halves_better(sizes, seed):
    chosen = balanced_groups(sizes, 0.5, np.random.default_rng(seed))

    def imbalance(mask):
        return ((mask @ sizes - sizes.sum(axis=0) / 2) ** 2).sum()

    for one in range(len(sizes)):
        for other in range(len(sizes)):
            changed = chosen.copy()
            changed[[one, other]] ^= True
            assert imbalance(changed) >= imbalance(chosen) - 1e-6
