import numpy as np

from fer_core.datasets import FaceDataset, audit, clean_mask


def dataset_of(make, rows: list[tuple[int, int, str]]) -> FaceDataset:
    """One image per (picture, label, split); equal pictures are exact copies."""
    images = np.stack([make.face(picture) if picture else np.full((48, 48), 7, np.uint8) for picture, _, _ in rows])
    labels = np.array([label for _, label, _ in rows], np.uint8)
    ids = np.array([f"row{row}" for row in range(len(rows))])
    return FaceDataset("tiny", images, labels, ids, np.array([split for *_, split in rows]), {"synthetic": False})


def test_copies_conflicts_and_leaks_are_counted(make):
    rows = [
        (1, 3, "train"),
        (1, 3, "train"),
        (1, 3, "test"),  # three copies, one of them in test
        (2, 0, "train"),
        (2, 4, "valid"),  # a copy in valid with another label
        (3, 5, "valid"),
        (3, 5, "test"),  # copies, but none in train
        (4, 6, "train"),
        (0, 1, "test"),  # a single gray level
    ]
    report = audit(dataset_of(make, rows))
    assert (report.groups, report.surplus_copies) == (3, 4)
    assert (report.conflicting_groups, report.conflicting_ids) == (1, [["row3", "row4"]])
    assert report.cross_split_groups == 3
    assert (report.valid_in_train, report.test_in_train) == (1, 1)
    assert (report.constant_images, report.constant_ids) == (1, ["row8"])
    assert report.counts["train"]["happy"] == 2


def test_a_dataset_without_copies_is_clean(make):
    report = audit(dataset_of(make, [(picture, picture % 7, "") for picture in range(1, 9)]))
    assert report.groups == report.surplus_copies == report.cross_split_groups == report.constant_images == 0


def test_the_clean_mask_looks_only_at_the_rows_trained_on(make):
    dataset = dataset_of(make, [(1, 0, ""), (2, 0, ""), (1, 0, ""), (3, 0, ""), (2, 0, "")])
    test_rows = np.array([3, 2, 4])
    assert clean_mask(dataset, np.array([0, 1]), test_rows).tolist() == [True, False, False]
    assert clean_mask(dataset, np.array([1]), test_rows).tolist() == [True, True, False]


def test_images_that_differ_in_one_pixel_are_no_copies(make):
    dataset = dataset_of(make, [(1, 0, "train"), (1, 0, "test")])
    dataset.images[1, 20, 20] ^= 1
    assert audit(dataset).surplus_copies == 0
