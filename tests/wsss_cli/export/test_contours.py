"""Polygons drawn by pycocotools cover the very pixels they were traced from; simplified ones stay close."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as rle
from scipy import ndimage

from wsss_cli.export.contours import outline, rings, simple_rings, simplify
from wsss_cli.export.pieces import Piece, pieces, run_lengths

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, numpy 2
Mask = NDArray[np.bool_]


def drawn(polygon: NDArray[np.integer], height: int, width: int) -> Mask:
    coded = rle.frPyObjects([polygon.ravel().tolist()], height, width)
    return rle.decode(rle.merge(coded)).astype(bool)


def whole(piece: Piece, shape: tuple[int, ...]) -> Mask:
    full = np.zeros(shape, bool)
    x0, y0, x1, y1 = piece.box
    full[y0:y1, x0:x1] = piece.mask
    return full


def parse(*rows: str) -> Mask:
    return np.array([[c == "#" for c in row] for row in rows])


RING = parse("#####", "#...#", "#.#.#", "#...#", "#####")
PINCHED = parse("####", "#.##", "##.#", "####")  # two holes that meet in a corner are one
SHAPES = {
    "pixel": parse("#"),
    "bar": parse("###"),
    "ring": RING & ~parse(".....", ".....", "..#..", ".....", "....."),
    "pinched": PINCHED,
    "two holes": parse("#######", "#.###.#", "#######"),
    "hole at a corner": parse("###.", "#.##", "####"),
    "hole that opens by a corner": parse("##.", "#.#", "###"),
    "comb": parse("#.#.#", "#####", "#.#.#"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_exact(name: str) -> None:
    mask = SHAPES[name]
    for height, width in (mask.shape, (mask.shape[0] + 3, mask.shape[1] + 2)):
        full = np.zeros((height, width), bool)
        full[: mask.shape[0], : mask.shape[1]] = mask
        assert (drawn(outline(mask), height, width) == full).all()


def even_odd(rings: list[NDArray[np.int64]], height: int, width: int) -> Mask:
    """What lies within an odd number of rings, by the centres of pixels."""
    inside = np.zeros((height, width), bool)
    for ring in rings:
        for (x, y0), (x1, y1) in zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist()):
            assert x == x1 or y0 == y1
            inside[min(y0, y1) : max(y0, y1), x:] ^= x == x1
    return inside


@pytest.mark.parametrize("name", SHAPES)
def test_simple_rings_cover_the_same_pixels_and_meet_themselves_nowhere(name: str) -> None:
    mask = SHAPES[name]
    rings = simple_rings(mask)
    assert (even_odd(rings, *mask.shape) == mask).all()
    for ring in rings:
        assert len({tuple(corner) for corner in ring.tolist()}) == len(ring) >= 4
    area = [ring[:, 0] @ np.roll(ring[:, 1], -1) - np.roll(ring[:, 0], -1) @ ring[:, 1] for ring in rings]
    assert area[0] > 0 and all(one < 0 for one in area[1:]) and sum(area) == 2 * mask.sum()


def test_simple_rings_that_are_simplified() -> None:
    mask = np.ones((30, 40), bool)
    mask[5, 5] = False  # less than the tolerance
    mask[10:20, 10:30] = False
    mask[0, 20] = False
    rings = simple_rings(mask, 2.0)
    assert len(rings) == 2 and len(rings[0]) <= 5 and len(rings[1]) == 4


def filled(polygon: NDArray[np.floating], height: int, width: int) -> Mask:
    """As Ultralytics and labelme draw: coordinates cut off to whole pixels, filled by the even-odd rule, with lines."""
    inside, lines = np.zeros((2, height, width), bool)
    points = polygon.astype(int).tolist()
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
        assert x0 == x1 or y0 == y1
        lines[min(y0, y1) : max(y0, y1) + 1, min(x0, x1) : max(x0, x1) + 1] = True
        inside[min(y0, y1) : max(y0, y1), x0 + 1 :] ^= x0 == x1
    return inside | lines


@pytest.mark.parametrize("inset", [0.05, 0.25, 0.45])
@pytest.mark.parametrize("name", SHAPES)
def test_inset_lines_are_exact_by_either_rule(name: str, inset: float) -> None:
    mask = SHAPES[name]
    polygon = outline(mask, inset=inset)
    assert (filled(polygon, *mask.shape) == mask).all() and (drawn(polygon, *mask.shape) == mask).all()


def test_holes_that_hang_on_holes() -> None:
    mask = np.ones((41, 41), bool)
    mask[1:-1:2, 1:-1:2] = False  # 400 in a grid
    mask[9:12, 9:30] = False
    assert (drawn(outline(mask), 41, 41) == mask).all()
    assert (filled(outline(mask, inset=0.25), 41, 41) == mask).all()


def test_holes_are_rings_of_their_own() -> None:
    assert [len(rings(SHAPES[name])) for name in ("pixel", "ring", "two holes", "pinched")] == [1, 2, 3, 2]
    outer, hole = rings(SHAPES["ring"])
    assert set(map(tuple, outer.tolist())) == {(0, 0), (5, 0), (5, 5), (0, 5)}
    assert set(map(tuple, hole.tolist())) == {(1, 1), (4, 1), (4, 4), (1, 4)}


def random_labels(seed: int, smooth: bool) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    values = rng.random(rng.integers(1, 60, 2))
    if smooth:
        values = ndimage.gaussian_filter(values, 1.5)
    return np.digitize(values, np.quantile(values, [0.4, 0.7, 0.95])).astype(np.uint8)  # 0..3


@pytest.mark.parametrize("seed", range(12))
def test_every_piece_of_random_labels(seed: int) -> None:
    labels = random_labels(seed, smooth=bool(seed % 2))
    again = np.zeros_like(labels)
    for piece in pieces(labels, 3):
        polygon = outline(piece.mask) + np.array([piece.x0, piece.y0])
        full = whole(piece, labels.shape)
        assert (drawn(polygon, *labels.shape) == full).all()
        inset = outline(piece.mask, inset=0.25) + np.array([piece.x0, piece.y0])
        assert (filled(inset, *labels.shape) == full).all()
        assert not again[full].any() and piece.area == full.sum()
        again[full] = piece.label
    assert (again == labels).all()


def test_pieces_are_joined_by_sides_and_ignored_pixels_are_in_none() -> None:
    labels = np.array([[1, 0, 255], [0, 1, 2], [1, 1, 2]], np.uint8)
    found = [(p.label, p.box, p.area) for p in pieces(labels, 2)]
    assert found == [(1, (0, 0, 1, 1), 1), (1, (0, 1, 2, 3), 3), (2, (2, 1, 3, 3), 2)]
    assert [p.area for p in pieces(labels, 2, min_area=3)] == [3]
    assert [p.label for p in pieces(labels, 1)] == [1, 1]


@pytest.mark.parametrize("tolerance", [1.0, 2.5])
def test_simplified_within_the_tolerance(tolerance: float) -> None:
    y, x = np.mgrid[:80, :90]
    mask = ((x - 45) ** 2 + (y - 40) ** 2 < 35**2) & ((x - 50) ** 2 + (y - 42) ** 2 > 15**2)
    exact, simple = outline(mask), outline(mask, tolerance)
    assert len(simple) < len(exact) / 2
    off = drawn(simple, 80, 90) != mask
    to_line = np.where(mask, ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask))
    assert (to_line[off] - 0.5 <= tolerance + 0.25).all()  # of centres of pixels, so half a pixel nearer to the line
    for ring in rings(mask):
        kept = simplify(ring, tolerance)
        assert _furthest(ring, kept) <= tolerance


def _furthest(points: NDArray[np.int64], ring: NDArray[np.int64]) -> float:
    """The largest distance of a point from a closed line."""
    start, end = ring, np.roll(ring, -1, axis=0)
    along = end - start
    share = ((points[:, None] - start) * along).sum(2) / (along**2).sum(1)
    nearest = start + np.clip(share, 0, 1)[..., None] * along
    return float(np.linalg.norm(points[:, None] - nearest, axis=2).min(1).max())


def test_what_is_thinner_than_the_tolerance_keeps_its_corners() -> None:
    assert (outline(parse("##", "#."), 5.0) == rings(parse("##", "#."))[0]).all()
    hidden = outline(SHAPES["two holes"], 3.0)  # holes smaller than the tolerance are filled
    assert drawn(hidden, 3, 7).all()


def test_run_lengths() -> None:
    assert run_lengths(np.array([], bool)) == [0]
    assert run_lengths(np.array([0, 0, 1], bool)) == [2, 1]
    assert run_lengths(np.array([1, 1, 0, 1], bool)) == [0, 2, 1, 1]
