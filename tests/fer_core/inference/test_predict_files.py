"""Which files `predict` reads, and what it says of those that it does not."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from fer_core.inference import unpack
from fer_core.runs import Run
from tests.fer_core.inference.command import invoke


def test_folders_patterns_and_zips_are_read_in_order(run: Run, portrait: Path, blank: Path, tmp_path: Path) -> None:
    album = tmp_path / "album"
    (album / "deeper").mkdir(parents=True)
    shutil.copy(blank, album / "b.png")
    shutil.copy(blank, album / "deeper" / "a.PNG")
    (album / "notes.txt").write_text("no picture")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        archive.write(blank, "inside/c.png")
        archive.writestr("__MACOSX/inside/._c.png", b"not a picture either")
    result = invoke(run.id, album, tmp_path / "blan*.png", tmp_path / "album.zip", "--json")
    assert result.exit_code == 0, result.stderr
    paths = [photo["path"] for photo in json.loads(result.stdout)["photos"]]
    assert paths == [
        str(album / "b.png"),
        str(album / "deeper" / "a.PNG"),
        str(blank),
        str(tmp_path / "album.zip/inside/c.png"),
    ]


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)


def raw_photo() -> bytes:
    """A TIFF, as a camera's RAW file begins with, whose first picture is a small preview."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(stream, "TIFF")
    return stream.getvalue()


def test_what_is_meant_as_a_picture_and_is_not_read_is_named_and_the_others_are_read(
    run: Run, blank: Path, tmp_path: Path
) -> None:
    album = tmp_path / "album"
    album.mkdir()
    for name, content in {"a.HEIC": HEIC, "b.nef": raw_photo(), "c.jxl": b"\xff\x0a", "notes.txt": b"text"}.items():
        (album / name).write_bytes(content)
    shutil.copy(blank, album / "d.png")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        for path in sorted(album.iterdir()):
            archive.write(path, path.name)
    for given in (album, tmp_path / "album.zip"):
        prefix = f"{given}/"
        result = invoke(run.id, given, "--json")
        assert result.exit_code == 1
        found = json.loads(result.stdout)
        assert [photo["path"] for photo in found["photos"]] == [f"{prefix}d.png"]
        assert [each["path"] for each in found["refused"]] == [
            f"{prefix}{name}" for name in ("a.HEIC", "b.nef", "c.jxl")
        ]
        reasons = [each["reason"] for each in found["refused"]]
        assert reasons == [
            f"'{prefix}a.HEIC' is a HEIC photo, which cannot be read here; save it as JPEG or PNG first",
            f"'{prefix}b.nef' is a camera's RAW photo, which cannot be read here; save it as JPEG or PNG first",
            f"'{prefix}c.jxl' is a JPEG XL picture, which cannot be read here; save it as JPEG or PNG first",
        ]
        assert result.stderr.splitlines() == [f"error: {reason}" for reason in reasons]


def test_a_jpeg_under_the_name_of_a_heic_photo_and_an_avif_picture_are_read(
    run: Run, portrait: Path, tmp_path: Path
) -> None:
    image = Image.open(portrait)
    image.save(tmp_path / "shared.heic", "JPEG")
    image.save(tmp_path / "web.avif", "AVIF")
    result = invoke(run.id, tmp_path / "shared.heic", tmp_path / "web.avif", "--json")
    assert result.exit_code == 0, result.stderr
    assert [len(photo["faces"]) for photo in json.loads(result.stdout)["photos"]] == [1, 1]


def test_a_zip_s_damaged_locked_or_huge_members_and_videos_are_named_and_the_others_are_read(
    run: Run, blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.inference.files.LARGEST_MEMBER", 1000)
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as archive:
        archive.writestr("damaged.png", b"DAMAGED")
        archive.writestr("film.mp4", b"film")
        archive.writestr("huge.png", bytes(2000))
        archive.write(blank, "last.png")
        archive.writestr("locked.png", b"LOCKED")
        archive.getinfo("locked.png").flag_bits |= 1
    content = (tmp_path / "mixed.zip").read_bytes()
    (tmp_path / "mixed.zip").write_bytes(content.replace(b"DAMAGED", b"D-MAGED"))
    result = invoke(run.id, tmp_path / "mixed.zip", "--json")
    found = json.loads(result.stdout)
    prefix = f"{tmp_path}/mixed.zip/"
    assert [photo["path"] for photo in found["photos"]] == [f"{prefix}last.png"]
    told = [(each["path"].removeprefix(prefix), each["reason"]) for each in found["refused"]]
    assert [name for name, _ in told] == ["damaged.png", "film.mp4", "huge.png", "locked.png"]
    for (_, reason), words in zip(told, ("damaged in the zip", "a video inside", "at most", "a password"), strict=True):
        assert words in reason


def test_files_of_one_name_are_told_apart_by_their_paths_as_they_were_given(
    run: Run, blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(blank, tmp_path / folder / "0.png")
        for name in ("cut.png", "cut.mp4"):
            (tmp_path / folder / name).write_bytes(blank.read_bytes()[:90])
    result = invoke(run.id, "a", "b/0.png", "b/cut.png", "b/cut.mp4")
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == ["a/0.png", "b/0.png"]
    subjects = [line.split(" is ")[0] for line in result.stderr.splitlines()]
    assert subjects == [f"error: '{path}'" for path in ("a/cut.mp4", "a/cut.png", "b/cut.png", "b/cut.mp4")]
    boxed = invoke(run.id, "a/0.png", "b/0.png", "--box", "150,80,100,100", "--json")
    reasons = [each["reason"].split(":")[0] for each in json.loads(boxed.stdout)["refused"]]
    assert reasons == ["'a/0.png'", "'b/0.png'"]


@pytest.mark.parametrize(
    "arguments", [("",), ("a.png", "--annotate", ""), ("a.png", "--runs", "")], ids=["path", "annotate", "runs"]
)
def test_an_empty_path_is_not_the_current_folder(run: Run, arguments: tuple[str, ...]) -> None:
    result = invoke(run.id, *arguments)
    assert result.exit_code == 2
    assert "the path is empty" in result.stderr


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_a_zip_spoils_no_other_however_it_is_packed(packing: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        archive.writestr("a.png", bytes(range(256)) * 8)
        archive.writestr("b.png", b"whole")
    content = bytearray(stream.getvalue())
    for place in range(55, 75):  # behind the member's header of 35 bytes, and that of what is packed
        content[place] ^= 0xA5
    damaged, whole = unpack(bytes(content), "album.zip")
    assert "'a.png' is damaged in the zip" in damaged.refusal
    assert (whole.content, whole.refusal) == (b"whole", "")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "empty", "there is no picture or video in folder"),
        (lambda folder: folder / "no*.jpg", "there is no picture or video in pattern"),
        (lambda folder: folder / "bad.zip", "bad.zip' is no zip archive that can be read"),
        (lambda folder: folder / "none.zip", "none.zip'; a zip holds .jpg"),
        (lambda folder: folder / "text.mp4", "text.mp4' is no video that can be read"),
    ],
)
def test_where_there_is_no_picture_one_sentence_says_so(
    run: Run, tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.zip").write_bytes(b"PK but not really")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    (tmp_path / "text.mp4").write_text("text")
    result = invoke(run.id, make(tmp_path))
    assert result.exit_code == 1
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
