"""Any image becomes 8-bit grey or RGB as a person sees it, or is refused with a reason."""

from __future__ import annotations

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from recede_worker.images.folders.decode import (
    BadImage,
    decode,
    pixels,
    square,
)
from tests.worker.images.pictures import picture


def colours(path, channels=3):
    return np.asarray(decode(str(path), channels, 64)[0])


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *(("x.png", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("x.jpg", mode) for mode in ("L", "RGB", "CMYK")),
        *(("x.tif", mode) for mode in ("L", "RGB", "CMYK", "LAB", "I;16", "F", "I")),
        *((f"x.{ending}", "RGB") for ending in ("gif", "bmp", "webp", "ppm")),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_becomes_grey_or_rgb(tmp_path, name, mode, channels):
    image, seen = decode(str(picture(tmp_path / name, (20, 16), mode)), channels, 64)
    assert image.mode == {1: "L", 3: "RGB"}[channels]
    assert image.size == (seen.width, seen.height) == (20, 16)
    assert pixels(image).shape == (channels, 16, 20)
    assert pixels(image).std() > 10  # neither clipped to white nor to black


def test_16_bits_are_scaled_not_clipped(tmp_path):
    values = np.array([[0, 257, 32896, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "x.png")
    assert colours(tmp_path / "x.png", 1).tolist() == [[0, 1, 128, 255]]


def test_what_is_transparent_shows_white(tmp_path):
    Image.new("RGBA", (2, 2), (200, 0, 0, 0)).save(tmp_path / "rgba.png")
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.save(tmp_path / "palette.png", transparency=1)
    for name in ("rgba.png", "palette.png"):
        assert (colours(tmp_path / name) == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_s_rotation_is_applied(tmp_path, orientation):
    from PIL import ImageOps

    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "x.png", exif=exif)
    with Image.open(tmp_path / "x.png") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    assert (colours(tmp_path / "x.png", 1) == expected).all()
    assert expected.shape == ((3, 4) if orientation < 5 else (4, 3))


def png_header(width: int, height: int) -> bytes:
    def chunk(kind, body):
        sum_ = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + sum_

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def broken(tmp_path, kind):
    path = tmp_path / f"{kind}.jpg"
    if kind == "text":
        path.write_text("not a photograph")
    elif kind == "empty":
        path.touch()
    elif kind == "bomb":
        path.write_bytes(png_header(60_000, 60_000))
    elif kind == "large":
        path.write_bytes(png_header(10_000, 9_000))
    elif kind in ("cut", "cut_png"):
        whole = picture(tmp_path / ("w.jpg" if kind == "cut" else "w.png"), (200, 200))
        path.write_bytes(whole.read_bytes()[:3000])
    elif kind == "folder":
        path.mkdir()
    elif kind == "program":
        path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    elif kind == "garbled":
        whole = bytearray(picture(tmp_path / "w.png", (50, 50)).read_bytes())
        whole[60:400] = bytes(340)
        path.write_bytes(whole)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("text", "not an image of a known kind"),
        ("program", "not an image of a known kind"),
        ("empty", "has no bytes"),
        ("bomb", "claims .* pixels"),
        ("large", "claims 90 million pixels, above the 89 million"),
        ("cut", "is cut short"),
        ("cut_png", "is cut short"),
        ("folder", "Is a directory"),
        ("garbled", "is damaged"),
        ("absent", "No such file"),
    ],
)
def test_what_is_no_whole_image_is_refused_with_the_reason(tmp_path, kind, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(BadImage, match=words):
            decode(str(broken(tmp_path, kind)), 3, 64)


def test_a_large_jpeg_is_decoded_smaller_but_its_size_is_told(tmp_path):
    path = picture(tmp_path / "x.jpg", (800, 640))
    image, seen = decode(str(path), 3, 32)
    assert (seen.width, seen.height) == (800, 640)
    assert 64 <= min(image.size) < 640


def test_a_square_of_the_wanted_size_is_left_as_it_is():
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    assert square(image, 8) is image


@pytest.mark.parametrize("size", [(30, 10), (10, 30)])
def test_the_middle_is_cut_out(size):
    width, height = size
    image = Image.new("L", size, 0)
    left, top = (width - 10) // 2, (height - 10) // 2
    image.paste(255, (left, top, left + 10, top + 10))
    assert (np.asarray(square(image, 10)) == 255).all()
    assert (np.asarray(square(image, 5, zoom=2)) == 255).all()


def test_a_camera_s_double_picture_gives_its_first(tmp_path):
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("black", "white"))
    first.save(tmp_path / "x.mpo", save_all=True, append_images=[second])
    (tmp_path / "x.mpo").rename(tmp_path / "x.jpg")
    assert (colours(tmp_path / "x.jpg") < 10).all()
