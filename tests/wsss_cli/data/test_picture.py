"""Pictures as instruments and editors write them: shown right, or refused with the true reason."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, TiffImagePlugin

from odd_pictures import write_png16, write_tiff
from wsss_cli.data.images import image_size, read_bytes, read_image, verified
from wsss_cli.data.picture import Reading
from wsss_cli.errors import WsssError

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (6, 5, 3), np.uint8)
DEEP = (np.arange(30, dtype=np.uint16).reshape(6, 5) * 141).astype(np.uint16)  # 0..4089: 12 bits in 16


def odd(path: Path) -> tuple[str, ...]:
    return verified(read_bytes(path), path).odd


def refused(path: Path, says: str, how: Reading | None = None) -> None:
    with pytest.raises(WsssError, match=says):
        read_image(path, *([] if how is None else [how]))


def four_bands(path: Path, fourth: NDArray[np.uint8], extra: int) -> Path:
    return write_tiff(path, np.dstack((COLOURS, fourth)), extra)


def test_a_fourth_band_that_is_infrared_changes_no_colour(tmp_path: Path) -> None:
    """Whatever the file calls it: rasterio writes 'unassociated alpha' for any fourth band."""
    infrared = RNG.integers(1, 255, (6, 5), np.uint8)
    for extra in (0, 2):
        path = four_bands(tmp_path / f"{extra}.tif", infrared, extra)
        assert (read_image(path) == COLOURS).all() and "other-band" in odd(path)


def test_a_fourth_band_that_is_alpha_is_laid_on_white(tmp_path: Path) -> None:
    alpha = np.where(np.arange(30).reshape(6, 5) % 2, 255, 0).astype(np.uint8)
    path = four_bands(tmp_path / "a.tif", alpha, 2)
    assert (read_image(path) == np.where(alpha[..., None] == 255, COLOURS, 255)).all() and odd(path) == ()


def test_five_bands_are_refused_with_what_they_are(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", np.zeros((6, 5, 5), np.uint16), 0)
    refused(path, r"a\.tif is a TIFF of 5 bands of 16 bits")


def test_12_bits_in_16_are_dark_until_white_is_named(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", DEEP)
    assert read_image(path).max() == 15 and odd(path) == ("dark",)
    shown = read_image(path, Reading(white=4095))
    assert (shown == (DEEP >> 4)[..., None]).all() and shown.max() == 255


def test_black_and_white_stretch_the_range_between(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", np.array([[900, 1000, 1500, 2000, 2100]], np.uint16))
    assert read_image(path, Reading(white=2000, black=1000))[0, :, 0].tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.linspace(-1, 1, 30, dtype=np.float32).reshape(6, 5), r"32-bit pixels \(real\), whose range is not fixed"),
        (DEEP.astype(np.int16), r"16-bit pixels \(signed\), whose range is not fixed"),
        (DEEP.astype(np.uint32), r"32-bit pixels, whose range is not fixed"),
    ],
    ids=["float32", "int16", "uint32"],
)
def test_what_has_no_range_is_refused_until_it_is_named(tmp_path: Path, pixels: NDArray[np.generic], says: str) -> None:
    path = write_tiff(tmp_path / "a.tif", pixels)
    refused(path, says)
    low, high = (float(x) for x in (pixels.min(), pixels.max()))
    shown = read_image(path, Reading(white=high, black=low))[..., 0]
    right = (pixels.astype(float) - low) / (high - low) * 255
    assert np.abs(shown - right).max() <= 1 and shown.min() == 0 and shown.max() == 255


def test_16_bit_colours_keep_both_bytes(tmp_path: Path) -> None:
    colours = np.dstack((DEEP, DEEP[::-1], DEEP[:, ::-1]))
    path = write_png16(tmp_path / "a.png", colours)
    assert (read_image(path, Reading(white=4095)) == colours >> 4).all()
    assert (read_image(path) == colours >> 8).all()


def test_pages_are_refused_or_the_first_is_taken_where_asked(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (5, 4), colour) for colour in ("red", "blue")]
    for name in ("a.tif", "a.gif", "a.png"):
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        refused(tmp_path / name, rf"{name} holds 2 pages or frames")
        assert read_image(tmp_path / name, Reading(first_page=True))[0, 0].tolist() == [255, 0, 0]


def test_a_pyramid_is_one_picture(tmp_path: Path) -> None:
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "a.tif"), True) as file:
        Image.new("RGB", (5, 4), "red").save(file, "TIFF")
        file.newFrame()
        Image.new("RGB", (2, 2)).save(file, "TIFF", tiffinfo={254: 1})
    assert read_image(tmp_path / "a.tif").shape == (4, 5, 3)


def test_a_mask_beside_a_picture_is_no_page(tmp_path: Path) -> None:
    """As GDAL writes one for pixels without data: Pillow opens the picture, and fails to count what it holds."""
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "a.tif"), True) as file:
        Image.new("RGB", (5, 4), "red").save(file, "TIFF")
        file.newFrame()
        Image.new("1", (5, 4)).save(file, "TIFF", tiffinfo={254: 4})
    data = bytearray((tmp_path / "a.tif").read_bytes())
    at = data.rindex(struct.pack("<HHI", 262, 3, 1)) + 8  # its photometric interpretation: transparency mask
    data[at : at + 2] = struct.pack("<H", 4)
    (tmp_path / "a.tif").write_bytes(data)
    assert (read_image(tmp_path / "a.tif") == [255, 0, 0]).all()


def test_much_text_is_no_damage(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "a" * (3 << 20), zip=True)
    Image.fromarray(COLOURS).save(tmp_path / "a.png", pnginfo=text)
    assert (read_image(tmp_path / "a.png") == COLOURS).all()


def test_a_turned_tiff_has_the_size_that_it_is_shown_in(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.tif", tiffinfo={274: 6})
    assert image_size(tmp_path / "a.tif") == image_size(tmp_path / "a.tif", verify=True) == (6, 5)
    assert read_image(tmp_path / "a.tif").shape == (5, 6, 3)


def test_large_pictures_come_in_where_they_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (1000, 20)).save(path)
    for enter in (lambda how: image_size(path, how=how), lambda how: image_size(path, verify=True, how=how)):
        with pytest.raises(WsssError, match=r"too many pixels: 1000 x 20, more than 0\.01 million"):
            enter(Reading(megapixels=0.01))
        assert enter(Reading(megapixels=0.02)) == (1000, 20)
    assert read_image(path).shape == (20, 1000, 3)


def test_one_colour_all_over_is_told(tmp_path: Path) -> None:
    Image.new("RGBA", (5, 4), (9, 9, 9, 0)).save(tmp_path / "a.png")
    assert odd(tmp_path / "a.png") == ("one-colour",)
