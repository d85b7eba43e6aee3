import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageOps

from fer_core.errors import FerError
from fer_core.inference import read_image, read_picture

ASTRONAUT = np.asarray(skimage.data.astronaut())
ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def photo(size: tuple[int, int] = (96, 64)) -> Image.Image:
    return Image.fromarray(ASTRONAUT).resize(size)


def png_declaring(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def tiff_of_planes(colours: np.ndarray) -> bytes:
    """A TIFF of 16 bits whose three colours (3, H, W) lie one after the other."""
    _, height, width = colours.shape
    content, size = (colours.astype("<u2") * 257).tobytes(), 2 * height * width
    directory_at, entries = 8 + len(content), 9
    lists_at = directory_at + 2 + 12 * entries + 4
    lists = struct.pack("<3H", 16, 16, 16) + struct.pack("<3I", *(8 + size * each for each in range(3)))
    lists += struct.pack("<3I", size, size, size)
    short, long = 3, 4
    tags = [
        (256, short, 1, width), (257, short, 1, height), (258, short, 3, lists_at), (259, short, 1, 1),
        (262, short, 1, 2), (273, long, 3, lists_at + 6), (277, short, 1, 3), (279, long, 3, lists_at + 18),
        (284, short, 1, 2),
    ]  # fmt: skip
    directory = struct.pack("<H", entries) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", directory_at) + content + directory + lists


def sentence(source: bytes | Path) -> str:
    with pytest.raises(FerError) as caught:
        read_image(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "QOI", "TGA"])
def test_a_lossless_picture_is_read_as_it_is(kind: str) -> None:
    if kind == "QOI" and kind not in Image.SAVE:
        pytest.skip("this Pillow does not write QOI")
    read = read_image(encoded(photo(), kind))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.asarray(photo()))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "JPEG2000", "MPO"])
def test_a_lossy_picture_is_read_in_its_size_and_nearly_its_colours(kind: str) -> None:
    read = read_image(encoded(photo(), kind))
    assert read.shape == (64, 96, 3)
    assert np.abs(read.astype(int) - np.asarray(photo())).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_photo_is_turned_upright_as_its_exif_data_say(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    content = encoded(photo(), kind, exif=exif)
    with Image.open(io.BytesIO(content)) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    read = read_image(content)
    np.testing.assert_array_equal(read, expected)
    assert read.shape == ((96, 64, 3) if orientation >= 5 else (64, 96, 3))


@pytest.mark.parametrize("max_side", [200, 48])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_the_size_of_the_upright_file_is_kept_when_its_pixels_are_reduced(
    kind: str, orientation: int, max_side: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = read_picture(encoded(photo(), kind, exif=exif), max_side=max_side)
    assert (picture.width, picture.height) == ((64, 96) if orientation >= 5 else (96, 64))
    assert picture.scale == ((1, 1) if max_side == 200 else (2, 2))


def test_a_rotated_jpeg_of_a_phone_is_upright_and_holds_the_same_picture() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    sideways = photo().transpose(Image.Transpose.ROTATE_90)
    read = read_image(encoded(sideways, "JPEG", exif=exif, quality=95))
    assert np.abs(read.astype(int) - np.asarray(photo())).mean() < 6


def test_damaged_exif_data_do_not_hide_the_picture() -> None:
    read = read_image(encoded(photo(), "JPEG", exif=b"Exif\x00\x00XX*\x00garbage"))
    assert read.shape == (64, 96, 3)


def test_transparency_lies_over_white() -> None:
    picture = photo().convert("RGBA")
    picture.putalpha(Image.fromarray(np.tile(np.repeat(np.uint8([0, 255]), 48), (64, 1))))
    read = read_image(encoded(picture, "PNG"))
    assert (read[:, :48] == 255).all()
    np.testing.assert_array_equal(read[:, 48:], np.asarray(photo())[:, 48:])


def test_a_transparent_palette_colour_and_a_transparent_gray_level_become_white() -> None:
    palette = Image.fromarray(np.uint8([[0, 1], [1, 0]]), "L").convert("P")
    palette.putpalette([200, 0, 0, 0, 0, 200])
    np.testing.assert_array_equal(
        read_image(encoded(palette, "PNG", transparency=0))[0], [[255, 255, 255], [0, 0, 200]]
    )
    gray = Image.fromarray(np.uint8([[7, 9]]))
    np.testing.assert_array_equal(read_image(encoded(gray, "PNG", transparency=9))[0], [[7, 7, 7], [255, 255, 255]])


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "CMYK", "YCbCr", "RGBA"])
def test_every_mode_of_pictures_gives_rgb_near_the_original(mode: str) -> None:
    kind = {"CMYK": "TIFF", "YCbCr": "TIFF"}.get(mode, "PNG")
    read = read_image(encoded(photo().convert(mode), kind))
    expected = np.asarray(photo().convert("L" if mode in ("L", "1", "LA") else "RGB").convert("RGB"))
    assert read.shape == (64, 96, 3)
    # one bit and 256 colours are dithered: right on average
    assert abs(read.mean() - expected.mean()) < 4


def test_a_cmyk_jpeg_has_its_colours_not_their_negative() -> None:
    read = read_image(encoded(photo().convert("CMYK"), "JPEG", quality=95))
    assert np.abs(read.astype(int) - np.asarray(photo())).mean() < 6


def test_sixteen_bits_are_reduced_to_eight_not_cut_off() -> None:
    levels = np.asarray(photo().convert("L"))
    for kind in ("PNG", "TIFF"):
        read = read_image(encoded(Image.fromarray(levels.astype(np.uint16) * 257), kind))
        np.testing.assert_array_equal(read, np.stack([levels] * 3, axis=-1))


@pytest.mark.parametrize("kind", [".png", ".tiff", ".ppm"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_sixteen_bits_are_reduced_to_eight(kind: str, channels: int) -> None:
    if kind == ".ppm" and channels == 4:
        return  # the format has no transparency
    deep = np.asarray(photo())[:, :, ::-1].astype(np.uint16) * 257
    if channels == 4:
        deep = np.dstack([deep, np.full(deep.shape[:2], 65535, np.uint16)])
    written, content = cv2.imencode(kind, deep)
    assert written
    np.testing.assert_array_equal(read_image(content.tobytes()), np.asarray(photo()))


def test_every_level_of_sixteen_bits_becomes_the_nearest_of_eight() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    read = read_image(encoded(Image.fromarray(levels), "PNG"))[..., 0]
    np.testing.assert_array_equal(read, np.rint(levels / 257))


def test_deep_colours_that_pillow_would_turn_into_noise_are_refused() -> None:
    assert "16 bits in separate planes" in sentence(tiff_of_planes(np.asarray(photo()).transpose(2, 0, 1)))
    floats = cv2.imencode(".tiff", np.asarray(photo(), np.float32) / 255)[1].tobytes()
    assert "a TIFF picture of a kind that is not read here" in sentence(floats)


@pytest.mark.parametrize(
    ("levels", "scale"), [(np.int32, 1), (np.int32, 257), (np.float32, 1 / 255), (np.float32, 1), (np.int32, 70_000)]
)
def test_deep_tiff_pictures_use_the_whole_range(levels: type, scale: float) -> None:
    gray = np.asarray(photo().convert("L")).astype(np.float64)
    gray[0, 0] = 255
    read = read_image(encoded(Image.fromarray((gray * scale).astype(levels)), "TIFF"))
    np.testing.assert_allclose(read[..., 0], gray, atol=1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    read = read_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert read.shape == (10, 20, 3)
    assert read[..., 0].mean() > 190
    assert read[..., 2].mean() < 10


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        ("GIF", "Only the first frame of an animation was read."),
        ("WEBP", "Only the first frame of an animation was read."),
        ("PNG", "Only the first frame of an animation was read."),
        ("TIFF", "Only the first page was read."),
    ],
)
def test_what_of_a_file_is_not_read_is_told(kind: str, note: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    assert read_picture(encoded(frames[0], kind, save_all=True, append_images=frames[1:])).notes == (note,)
    assert read_picture(encoded(frames[0], kind)).notes == ()


def test_a_phones_photo_with_previews_is_no_animation() -> None:
    frames = [photo(), photo((48, 32))]
    assert read_picture(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])).notes == ()


def test_a_reduction_is_told() -> None:
    notes = read_picture(encoded(photo(), "PNG"), max_side=48).notes
    assert notes == ("It was reduced from 96 × 64 pixels to a longer side of 48.",)


def test_a_file_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "portrait.png"
    path.write_bytes(encoded(photo(), "PNG"))
    np.testing.assert_array_equal(read_image(path), read_image(path.read_bytes()))


def test_a_picture_of_one_pixel_is_read() -> None:
    assert read_image(encoded(Image.new("RGB", (1, 1), "red"), "PNG")).tolist() == [[[255, 0, 0]]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_is_reduced_and_keeps_its_proportions(kind: str) -> None:
    read = read_image(encoded(photo((960, 640)), kind), max_side=300)
    assert read.shape == (200, 300, 3)
    expected = np.asarray(photo((960, 640)).resize((300, 200), Image.Resampling.BICUBIC))
    assert np.abs(read.astype(int) - expected).mean() < 6


def test_the_photo_of_a_50_megapixel_camera_is_accepted_and_reduced() -> None:
    read = read_image(encoded(Image.new("L", (8192, 6104), 90), "JPEG", quality=60))
    assert read.shape == (3052, 4096, 3)
    assert abs(int(read[0, 0, 0]) - 90) < 4


READ_IN_A_PROCESS = """
import re, sys
from pathlib import Path
from fer_core.inference import read_image
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text()).group(1))
before = peak()
assert read_image(Path(sys.argv[1])).shape[1] == 4096
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak of memory")
@pytest.mark.parametrize(
    ("kind", "mode", "megabytes"), [("JPEG", "RGB", 250), ("PNG", "RGBA", 700), ("PNG", "I;16", 500)]
)
def test_fifty_megapixels_are_read_within_bounded_memory(tmp_path: Path, kind: str, mode: str, megabytes: int) -> None:
    path = tmp_path / f"large.{kind.lower()}"
    Image.new(mode, (8192, 6104), 90 if mode == "I;16" else (90, 60, 30)).save(path, kind)
    command = [sys.executable, "-c", READ_IN_A_PROCESS, str(path)]
    kilobytes = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert kilobytes < megabytes * 1024


@pytest.mark.parametrize("size", [(8000, 8000), (10_000, 10_000), (30_000, 30_000)])
def test_a_picture_that_declares_too_many_pixels_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    assert "60 million" in sentence(png_declaring(*size))


def test_the_limit_on_pixels_can_be_lowered() -> None:
    with pytest.raises(FerError, match=r"96 × 64 pixels; at most 0\.001 million"):
        read_image(encoded(photo(), "PNG"), max_pixels=1000)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.98])
def test_a_truncated_picture_is_refused_in_one_sentence_with_its_name(tmp_path: Path, kind: str, share: float) -> None:
    content = encoded(photo(), kind)
    path = tmp_path / "cut.jpg"
    path.write_bytes(content[: int(len(content) * share)])
    message = sentence(path)
    assert "'cut.jpg'" in message


def test_what_is_no_picture_is_refused_with_its_name(tmp_path: Path) -> None:
    text, empty = tmp_path / "notes.jpg", tmp_path / "empty.png"
    text.write_text("dear diary")
    empty.write_bytes(b"")
    assert sentence(text).startswith("'notes.jpg' is not a picture; choose a JPEG")
    assert sentence(empty) == "'empty.png' is empty"
    assert "is a folder" in sentence(tmp_path)
    assert "there is no file" in sentence(tmp_path / "absent.png")
    assert sentence(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n").startswith("the file is not a picture")


def test_a_heic_photo_is_named_as_such() -> None:
    assert "HEIC" in sentence(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64))


@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
def test_an_avif_picture_is_read_or_refused_as_what_it_is(brand: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(photo(), "AVIF")
    content = content[:8] + brand + content[12:]  # some programs put the family's name first
    assert read_image(content).shape == (64, 96, 3)
    monkeypatch.setattr("fer_core.inference.images.features.check", lambda name: name != "avif")
    assert (
        sentence(content) == "the file is an AVIF picture, which this Pillow cannot read; save it as JPEG or PNG first"
    )


def test_the_bytes_of_a_file_are_called_by_the_name_that_is_given() -> None:
    with pytest.raises(FerError, match="^'a.png' is empty$"):
        read_picture(b"", called="a.png")


def test_a_file_without_permission_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(photo(), "PNG"))

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert sentence(path) == "'secret.png' cannot be read: Permission denied"
