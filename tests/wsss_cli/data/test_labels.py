"""Label maps keep every id; what is no map of ids is refused by name."""

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from odd_pictures import write_few_bits
from wsss_cli.data.labels import read_labels, read_mask01, voc_palette, write_labels, write_mask01
from wsss_cli.errors import WsssError
from wsss_folder.masks import mask_values

IDS = np.arange(256, dtype=np.uint8).reshape(16, 16)
MASK = np.random.default_rng(0).random((9, 7)) < 0.5


def test_voc_palette_is_the_devkits() -> None:
    colours = voc_palette(256)
    known = {0: (0, 0, 0), 1: (128, 0, 0), 5: (128, 0, 128), 8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128)}
    assert {i: colours[i] for i in known} == known
    assert colours[255] == (224, 224, 192)
    assert len(set(colours)) == 256


def test_labels_come_back_and_show_their_colours(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", IDS, [(1, 2, 3), (250, 0, 0)])
    assert np.array_equal(read_labels(tmp_path / "a.png"), IDS)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "P"
        shown = np.asarray(picture.convert("RGB")).reshape(256, 3)
    assert shown[:2].tolist() == [[1, 2, 3], [250, 0, 0]]
    assert shown[255].tolist() == [224, 224, 192]


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_one_bit_masks_hold_ids(tmp_path: Path, mode: str) -> None:
    ids = MASK.astype(np.uint8) if mode == "1" else IDS
    Image.fromarray(MASK if mode == "1" else IDS).save(tmp_path / "a.png")
    read = read_labels(tmp_path / "a.png")
    assert read.dtype == np.uint8 and np.array_equal(read, ids)


def test_16_bit_labels_come_back(tmp_path: Path) -> None:
    ids = np.array([[0, 255, 256], [300, 65534, 65535]], np.int32)
    write_labels(tmp_path / "a.png", ids, [(1, 2, 3)] * 301)
    read = read_labels(tmp_path / "a.png")
    assert read.dtype == np.int32 and np.array_equal(read, ids)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode.startswith("I")  # 16-bit grey, which has no palette
    for wrong in (-1, 65536):
        with pytest.raises(ValueError, match=str(wrong)):
            write_labels(tmp_path / "b.png", np.full((2, 2), wrong, np.int32))


def test_long_palettes_colour_the_bytes(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", IDS, voc_palette(301))
    assert np.array_equal(read_labels(tmp_path / "a.png"), IDS)


def test_colour_coded_32_bit_and_jpeg_masks_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (128, 0, 0)).save(tmp_path / "colour.png")
    Image.fromarray(np.zeros((4, 4), np.int32)).save(tmp_path / "deep.tif")
    Image.fromarray(IDS).save(tmp_path / "lossy.jpg")
    for name, says in (
        ("colour.png", "colour-coded mask"),
        ("deep.tif", "32 bits"),
        ("lossy.jpg", "does not keep class ids"),
    ):
        with pytest.raises(WsssError, match=says) as caught:
            read_labels(tmp_path / name)
        assert name in caught.value.what and caught.value.remedy


@pytest.mark.parametrize("palette", [b"", bytes(range(48))], ids=["grey", "palette"])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_ids_of_few_bits_are_not_spread(tmp_path: Path, bits: int, palette: bytes) -> None:
    """As Pillow does with grey ones, for which 1 of 4 bits is 17."""
    ids = np.arange(15).reshape(3, 5) % 2**bits
    path = write_few_bits(tmp_path / "a.png", ids, bits, palette[: 3 * 2**bits])
    with Image.open(path) as picture:
        assert picture.mode == ("P" if palette else "1" if bits == 1 else "L")
    found = read_labels(path)
    assert found.dtype == np.uint8 and (found == ids).all() and (mask_values(path) == ids).all()


@pytest.mark.parametrize(
    ("name", "content", "ids"),
    [
        ("a.pgm", b"P5 3 1 3\n\0\1\3", [0, 1, 3]),
        ("a.pgm", b"P2 3 1 7\n0 3 7\n", [0, 3, 7]),
        ("a.pgm", b"P5 3 1 255\n\0\1\3", [0, 1, 3]),
        ("a.pgm", b"P5 3 1 300\n\0\0\0\1\1\0", [0, 1, 256]),
    ],
)
def test_ids_of_a_pgm_are_not_spread(tmp_path: Path, name: str, content: bytes, ids: list[int]) -> None:
    """Whatever its largest grey is."""
    (tmp_path / name).write_bytes(content)
    assert mask_values(tmp_path / name).tolist() == [ids]
    if max(ids) < 256:
        assert read_labels(tmp_path / name).tolist() == [ids]


def test_write_labels_wants_a_label_format(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="int64"):
        write_labels(tmp_path / "a.png", IDS.astype(np.int64))  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_masks_are_0_and_255_and_read_in_every_form(tmp_path: Path) -> None:
    write_mask01(tmp_path / "a.png", MASK)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "L" and set(np.unique(np.asarray(picture))) == {0, 255}
    grey = MASK.astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "01.png")
    Image.fromarray(MASK).save(tmp_path / "bit.png")
    Image.fromarray(np.stack([grey * 255] * 3, axis=2)).save(tmp_path / "rgb.png")
    for name in ("a.png", "01.png", "bit.png", "rgb.png"):
        assert np.array_equal(read_mask01(tmp_path / name), MASK), name


@pytest.mark.parametrize("pixels", [np.uint8([[0, 7]]), np.uint8([[[255, 0, 0]]]), np.uint8([[1, 255]])])
def test_other_masks_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with pytest.raises(WsssError, match=r"a\.png .*(neither 0/1 nor 0/255|not a 0/1 mask)"):
        read_mask01(tmp_path / "a.png")


def test_a_full_disk_leaves_no_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Image.Image, path: Path, **options: object) -> None:
        Path(path).write_bytes(b"\x89PNG half a")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(WsssError, match=r"no space left while writing .*a\.png"):
        write_labels(tmp_path / "a.png", IDS)
    assert not list(tmp_path.iterdir())
