"""Reading the table of SFEW's LPQ and PHOG components."""

import csv
from pathlib import Path

import numpy as np
import pytest

from fer_core.datasets.descriptor_table import COLUMNS, SFEW_EMOTIONS, DescriptorTable, read_table
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS

HEADER = ["image", "label", *COLUMNS, "emotion"]


def a_row(number: int, **cells: str) -> dict[str, str]:
    """A good row of class `number % 7 + 1`, with some cells replaced."""
    values = {column: str(number + place / 10) for place, column in enumerate(COLUMNS)}
    label = number % 7
    row = {"image": f"Film_{number:03d}", "label": str(label + 1), **values, "emotion": SFEW_EMOTIONS[label]}
    return {**row, **cells}


def write(path: Path, rows: list[dict[str, str]], header: list[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_labels_follow_the_names_and_not_sfews_order(table_file: Path) -> None:
    table = read_table(write(table_file, [a_row(number) for number in range(7)]))
    assert [EMOTIONS[label] for label in table.labels] == list(SFEW_EMOTIONS)
    assert table.labels.tolist() == [0, 1, 2, 3, 6, 4, 5]
    assert table.ids.tolist()[:2] == ["angry/Film_000", "disgust/Film_001"]
    assert table.features[2].tolist() == [2 + place / 10 for place in range(10)]
    assert table.filled == ()


def test_a_table_without_the_names_is_read_by_its_labels(table_file: Path) -> None:
    table = read_table(write(table_file, [a_row(4), a_row(5)], HEADER[:-1]))
    assert [EMOTIONS[label] for label in table.labels] == ["neutral", "sad"]


def test_a_missing_descriptor_is_filled_with_the_components_mean_and_reported(table_file: Path) -> None:
    empty = dict.fromkeys(COLUMNS[5:], "")
    table = read_table(write(table_file, [a_row(1), a_row(2, **empty)]))
    assert table.filled == ("fear/Film_002",)
    assert table.features[1].tolist() == [2.0, 2.1, 2.2, 2.3, 2.4, 0, 0, 0, 0, 0]


def test_one_frame_may_stand_in_two_classes(table_file: Path) -> None:
    rows = [a_row(0, image="Same"), a_row(1, image="Same")]
    assert read_table(write(table_file, rows)).ids.tolist() == ["angry/Same", "disgust/Same"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"lpq_pc2": "high"}, "lpq_pc2 is 'high', not a number"),
        ({"phog_pc5": "inf"}, "phog_pc5 is 'inf', not a number"),
        ({"phog_pc5": "nan"}, "phog_pc5 is 'nan', not a number"),
        ({"phog_pc5": ""}, "phog_pc5 is '', not a number"),
        ({"label": "0"}, "the label is '0'; choose from 1 angry, 2 disgust, .*, 7 surprise"),
        ({"label": "8"}, "the label is '8'; choose from"),
        ({"label": "3"}, "label 3 is fear, but the row says 'disgust'"),
        ({"image": " "}, "the image has no name"),
        ({"image": "Film_000", "label": "1", "emotion": "angry"}, "angry/Film_000 stands in row 1 already"),
    ],
)
def test_a_bad_row_is_named_in_one_sentence(table_file: Path, cells: dict[str, str], message: str) -> None:
    write(table_file, [a_row(0), a_row(1, **cells), a_row(2)])
    with pytest.raises(FerError, match=rf"^table\.csv, row 2 \(line 3\): {message}"):
        read_table(table_file)


@pytest.mark.parametrize("tail", ["Film_009,2,0.5\n", "x," * 20 + "x\n"])
def test_a_row_cut_short_or_too_long_is_named(table_file: Path, tail: str) -> None:
    write(table_file, [a_row(0)])
    with table_file.open("a", encoding="utf-8") as stream:
        stream.write(tail)
    with pytest.raises(FerError, match=r"row 2 \(line 3\): it has more or fewer cells than the header"):
        read_table(table_file)


def test_other_files_are_refused_in_one_sentence(table_file: Path) -> None:
    with pytest.raises(FerError, match="cannot read the feature table"):
        read_table(table_file)
    table_file.write_text("emotion,pixels\n0,1 2\n")
    with pytest.raises(FerError, match="lacks the column 'image'; it needs image, label, lpq_pc1"):
        read_table(table_file)
    with pytest.raises(FerError, match="has a header and no rows"):
        read_table(write(table_file, []))
    table_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FerError, match="is not a text file in UTF-8"):
        read_table(table_file)


@pytest.fixture(scope="session")
def published(shared_data: Path) -> DescriptorTable:
    return read_table(shared_data / "sfew_lpq_phog.csv")


def test_the_authors_table_has_100_frames_of_each_class_and_75_of_disgust(published: DescriptorTable) -> None:
    assert published.features.shape == (675, 10)
    assert published.features.dtype == np.float64
    assert np.isfinite(published.features).all()
    counts = dict(zip(EMOTIONS, np.bincount(published.labels).tolist(), strict=True))
    assert counts == {emotion: 75 if emotion == "disgust" else 100 for emotion in EMOTIONS}
    assert len(set(published.ids.tolist())) == 675


def test_zero_is_the_mean_of_the_authors_columns_so_that_it_may_stand_for_a_missing_one(
    published: DescriptorTable,
) -> None:
    assert published.filled == ("fear/Hangover_001949614_00000089",)
    assert np.abs(published.features.mean(0)).max() < 1e-7
