"""Ready-made label maps are looked at before anything is learnt from them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.segment import require_label_maps
from wsss_cli.errors import WsssError

SAMPLES = [Sample(id, Path(f"{id}.jpg"), 6, 4, (1,)) for id in ("a", "b")]
GOOD = np.array([[0, 1, 2, 255, 0, 0]] * 4, np.uint8)


def check(folder: Path, second: NDArray[np.generic], classes: int = 2, first: NDArray[np.generic] = GOOD) -> None:
    for sample, labels in zip(SAMPLES, (first, second)):
        Image.fromarray(labels).save(folder / f"{sample.id}.png")
    require_label_maps(SAMPLES, lambda s: folder / f"{s.id}.png", classes)


def test_good_ones_pass(tmp_path: Path) -> None:
    check(tmp_path, GOOD[::-1])


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (np.kron(GOOD, np.ones((2, 2), np.uint8)), r"b\.png is 12 x 8, but its image b\.jpg is 6 x 4"),
        (GOOD.T, r"b\.png is 4 x 6, but its image b\.jpg is 6 x 4"),
        (GOOD * 0 + 3, r"b\.png holds the id 3, the data set's classes are 1\.\.2"),
        (GOOD.astype(np.uint16), r"b\.png has 16 bits per pixel, but with 2 classes label maps have 8"),
    ],
    ids=["twice-the-size", "turned", "another-id", "16-bits"],
)
def test_the_first_wrong_one_is_named_with_its_value(tmp_path: Path, second: NDArray[np.generic], says: str) -> None:
    with pytest.raises(WsssError, match=says):
        check(tmp_path, second)


def test_maps_of_0_and_255_would_teach_background_alone(tmp_path: Path) -> None:
    binary = np.where(GOOD == 1, 255, 0).astype(np.uint8)
    with pytest.raises(WsssError, match=r"the 2 label maps in .* hold no class, only background or ignore"):
        check(tmp_path, binary, first=binary)


def test_a_map_of_several_pages_is_refused(tmp_path: Path) -> None:
    pages = [Image.fromarray(GOOD), Image.fromarray(GOOD * 0)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(WsssError, match=r"a\.tif holds several pages"):
        read_labels(tmp_path / "a.tif")


def test_what_was_looked_at_is_read_again_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(path: Path) -> NDArray[np.generic]:
        read.append(path.name)
        return read_labels(path)

    monkeypatch.setattr("wsss_cli.engine.segment.read_labels", reading)
    check(tmp_path, GOOD[::-1])
    require_label_maps(SAMPLES, lambda s: tmp_path / f"{s.id}.png", 2)
    assert sorted(read) == ["a.png", "b.png"]
    Image.fromarray(GOOD.repeat(2, 0)).save(tmp_path / "b.png")
    with pytest.raises(WsssError, match=r"b\.png is 6 x 8"):
        require_label_maps(SAMPLES, lambda s: tmp_path / f"{s.id}.png", 2)
    assert read.count("a.png") == 1
