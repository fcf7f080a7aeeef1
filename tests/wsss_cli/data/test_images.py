"""Every kind of picture a user may have becomes RGB as shown, or a message that names the file."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_cli.data.images import image_size, read_image
from wsss_cli.errors import WsssError

RGB = np.random.default_rng(0).integers(0, 256, (12, 20, 3)).astype(np.uint8)
GREY16 = (np.arange(12 * 20, dtype=np.uint16) * 270).reshape(12, 20)  # up to 64,530


def test_rgb_is_kept_and_writable(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == np.uint8 and image.flags.writeable
    assert np.array_equal(image, RGB)


def test_grey_has_three_equal_channels(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0]).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), np.stack([RGB[..., 0]] * 3, axis=2))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_16_bits_are_scaled_not_clipped(tmp_path: Path, name: str) -> None:
    Image.fromarray(GREY16).save(tmp_path / name)
    assert np.array_equal(read_image(tmp_path / name)[..., 0], GREY16 >> 8)


def test_cmyk_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), (200, 40, 90)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - (200, 40, 90)).max() <= 3


def test_palette_is_looked_up(tmp_path: Path) -> None:
    picture = Image.fromarray(RGB).quantize(7)
    picture.save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_on_white(tmp_path: Path, mode: str) -> None:
    clear = Image.new("RGBA", (6, 4), (10, 10, 10, 0))
    clear.paste((10, 10, 10, 255), (0, 0, 3, 4))
    clear.convert(mode).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert (image[:, :3] == 10).all() and (image[:, 3:] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    """The picture is stored turned, as a camera does; the tag tells how to show it upright."""
    store = {
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: np.rot90(RGB, 1),
        7: RGB[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(RGB, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(store)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), RGB)
    assert image_size(tmp_path / "a.png") == image_size(tmp_path / "a.png", verify=True) == (20, 12)


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB.repeat(8, 0).repeat(8, 1)).save(buffer, format="JPEG")
    return buffer.getvalue()


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"a list of images", "is not an image"),
        (_jpeg()[:-600], "is damaged"),
        (_jpeg()[:200], "is damaged|is not an image"),
        (_png()[:-200], "is damaged"),
        (None, "is missing"),
    ],
    ids=["empty", "text", "jpeg-tail", "jpeg-head", "png-tail", "missing"],
)
def test_a_damaged_file_is_named_with_a_remedy(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "schön.jpg"
    if content is not None:
        path.write_bytes(content)
    for read in (read_image, lambda p: image_size(p, verify=True)):
        with pytest.raises(WsssError, match=says) as caught:
            read(path)
        assert str(path) in caught.value.what
        assert caught.value.remedy


def test_pixels_without_a_fixed_range_are_refused(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0].astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(WsssError, match=r"a\.tif has 32-bit pixels"):
        read_image(tmp_path / "a.tif")


def test_more_pixels_than_pillow_allows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(WsssError, match=r"a\.png has too many pixels"):
        read_image(tmp_path / "a.png")


def test_broken_exif_does_not_matter(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.jpg", exif=b"Exif\0\0nonsense")
    assert read_image(tmp_path / "a.jpg").shape == (12, 20, 3)
