"""Formats that smear the values of a mask are refused, the same formats without loss are read."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wsss_cli.data.labels import read_labels, read_mask01
from wsss_cli.errors import WsssError
from wsss_folder.masks import mask_values

MASK = np.zeros((32, 40), np.uint8)
MASK[5:20, 7:30] = 255

LOSSY = {
    "a JPEG": ("a.jpg", {}),
    "a lossy WebP": ("a.webp", {"quality": 80}),
    "a lossy JPEG 2000": ("a.jp2", {"irreversible": True}),
    "a TIFF compressed as JPEG": ("a.tif", {"compression": "jpeg"}),
    "a picture in AVIF": ("a.avif", {}),
}
KEPT = {
    "png": ("a.png", {}),
    "webp": ("a.webp", {"lossless": True}),
    "jp2": ("a.jp2", {"irreversible": False}),
    "tiff": ("a.tif", {"compression": "tiff_lzw"}),
    "bmp": ("a.bmp", {}),
}


def save(folder: Path, name: str, options: dict[str, Any]) -> Path:
    if name.endswith("avif") and ".avif" not in Image.registered_extensions():
        pytest.skip("this Pillow has no AVIF")
    Image.fromarray(MASK).save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize(("form", "saved"), LOSSY.items(), ids=LOSSY)
def test_formats_that_smear(tmp_path: Path, form: str, saved: tuple[str, dict[str, Any]]) -> None:
    path = save(tmp_path, *saved)
    for read in (read_labels, read_mask01, mask_values):
        with pytest.raises(WsssError, match=f"{path.name} is {form}, which does not keep class ids") as caught:
            read(path)
        assert "export the masks anew as PNG" in caught.value.remedy


@pytest.mark.parametrize("saved", KEPT.values(), ids=KEPT)
def test_formats_that_keep_values(tmp_path: Path, saved: tuple[str, dict[str, Any]]) -> None:
    path = save(tmp_path, *saved)
    assert (mask_values(path) == MASK).all() and (read_mask01(path) == (MASK > 0)).all()


def test_what_a_file_is_counts_not_its_name(tmp_path: Path) -> None:
    data = io.BytesIO()
    Image.fromarray(MASK).save(data, "WEBP", exif=b"Exif\0\0", quality=80)  # VP8X first
    (tmp_path / "a.png").write_bytes(data.getvalue())
    with pytest.raises(WsssError, match=r"a\.png is a lossy WebP"):
        mask_values(tmp_path / "a.png")
