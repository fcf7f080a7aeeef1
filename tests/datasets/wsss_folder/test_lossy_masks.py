"""Masks in JPEG and the like, whose values are known and lie far apart."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tiny_folder import SIZE, Folder, write_images
from wsss_cli.data.labels import read_labels
from wsss_cli.errors import WsssError

NAMES = ("a.jpg", "b.jpg", "c.jpg")


def disks(values: list[object]) -> np.ndarray:
    """(H, W) or (H, W, 3): the first value, and a disk of each of the others."""
    y, x = np.indices(SIZE[::-1])
    mask = np.broadcast_to(np.asarray(values[0], np.uint8), (*SIZE[::-1], *np.shape(values[0]))).copy()
    for k, value in enumerate(values[1:]):
        mask[np.hypot(y - 15, x - 9 - 20 * k) < 8] = value
    return mask


def save(folder: Folder, mask: np.ndarray, name: str = "{}.jpg", quality: int = 75) -> Path:
    write_images(folder.images, NAMES)
    place = folder.path / "masks"
    place.mkdir()
    for stem in "abc":
        Image.fromarray(mask).save(place / name.format(stem), quality=quality, subsampling=0)
    return place


@pytest.mark.parametrize(
    ("values", "table", "name"),
    [
        ([0, 255], "0=background,255=polyp", "{}.jpg"),
        ([0, 255], "0=background,255=polyp", "{}.webp"),
        ([0, 255], "#000000=background,#ffffff=polyp", "{}.jpg"),
        ([(0, 0, 0), (255, 0, 0), (0, 255, 0)], "#000000=background,#ff0000=disc,#00ff00=cup", "{}.jpg"),
    ],
)
def test_the_nearest_value_is_taken(folder: Folder, values: list[object], table: str, name: str) -> None:
    mask = disks(values)
    prepared = folder.prepare(masks=save(folder, mask, name, 85), mask_values=table, tags_from_masks=True, val=0.4)
    ids = disks([*range(len(values))])
    edge = np.zeros_like(ids, bool)  # where a neighbour is of another class
    for axis in (0, 1):
        for step in (1, -1):
            edge |= np.roll(ids, step, axis) != ids
    for sample in prepared.samples:
        assert sample.mask is not None and sample.tags == tuple(range(1, len(values)))
        labels = read_labels(sample.mask)
        assert (labels == ids)[~edge].all() and (labels == ids).mean() > 0.95


@pytest.mark.parametrize(
    ("values", "table", "says"),
    [
        ([0, 255], "auto", "a.jpg is a JPEG, which does not keep class ids: they are smeared"),
        ([0, 1], "0=background,1=polyp", "a.jpg is a JPEG, which does not keep class ids"),
        ([0, 255], "255=polyp", "a.jpg is a JPEG, which does not keep class ids"),
        ([0, 128, 255], "0=background,128=polyp,255=cup", "a.jpg is a JPEG, which does not keep class ids"),
        ([(0, 0, 0), (255, 0, 0)], "#000000=background,#800000=polyp,#ff0000=cup", "a.jpg is a JPEG, which does not"),
        ([0, 255, 128], "0=background,255=cup", "a.jpg is a JPEG, and holds an area of #[78][0-9a-f]{5} or so"),
    ],
)
def test_what_cannot_be_told_is_refused(folder: Folder, values: list[object], table: str, says: str) -> None:
    with pytest.raises(WsssError, match=says):
        folder.prepare(masks=save(folder, disks(values)), mask_values=table, tags_from_masks=True, classes="cup,polyp")
    assert not list(folder.path.glob("data/*"))
