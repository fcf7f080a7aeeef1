"""The contact sheet: one image of each class, the same every time, boxes and masks where they belong."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawn_folder import changed, drawn_folder
from wsss_cli.data.prepared import Box, Sample
from wsss_cli.errors import WsssError
from wsss_cli.report.contact import GAP, LINE, SIDE, cell, choose, contact_sheet

PALETTE = [(0, 0, 0), (250, 0, 0), (0, 0, 250)]


def test_one_image_of_each_class(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path, lambda samples: changed(samples, 0, tags=(1, 2)))
    assert [s.id for s in choose(prepared, set())] == ["ä2", "ä1"]  # ä0 shows two classes
    assert [s.id for s in choose(prepared, {"ä2", "ä1"})] == ["ä4", "ä3"]
    assert [s.id for s in choose(replace(prepared, samples=prepared.samples[6:]), set())] == ["ä6", "ä7"]
    bare = tuple(replace(s, tags=()) for s in prepared.samples)
    assert [s.id for s in choose(replace(prepared, samples=bare), set())] == ["ä0", "ä1", "ä3", "ä5", "ä7"]


def test_the_same_picture_again(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    assert [s.id for s in contact_sheet(tmp_path / "a.png", prepared)] == ["ä0", "ä1"]
    contact_sheet(tmp_path / "b.png", prepared)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (2 * (SIDE + GAP) + GAP, SIDE + 2 * LINE + 4 + 2 * GAP)


def test_nothing_to_show(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    with pytest.raises(WsssError, match="no image of 'mine' can be shown"):
        contact_sheet(tmp_path / "a.png", prepared, [s.id for s in prepared.samples])
    assert not (tmp_path / "a.png").exists()


def test_boxes_and_names_are_drawn(tmp_path: Path) -> None:
    Image.new("RGB", (640, 320), (100, 100, 100)).save(tmp_path / "x.png")
    box = Box(1, 100, 40, 300, 200)
    sample = Sample("id" * 60, tmp_path / "x.png", 640, 320, (1, 2), (box, Box(9, 0, 0, 640, 320)))
    names = ("猫 cat", "a class with a name that is much too long for a line of the sheet")
    picture = np.array(cell(sample, PALETTE, names))  # (SIDE + 2 LINE + 4, SIDE, 3)
    top = SIDE - 160  # the picture, at half its size, stands at the bottom of its square
    red = (picture == PALETTE[1]).all(2)
    ys, xs = np.nonzero(red[:SIDE])
    assert (xs.min(), xs.max(), ys.min() - top, ys.max() - top) == (51, 148, 21, 98)
    assert not red[top + 25 : top + 95, 55:145].any()
    assert red[SIDE + LINE :].any() and (picture[SIDE + LINE :] < 100).any()
    assert (picture[:top] == 255).all()


def test_the_mask_is_laid_over(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    sample = replace(prepared.samples[0], boxes=())
    with_mask = np.array(cell(sample, PALETTE, ("a", "b"))).astype(int)
    without = np.array(cell(replace(sample, mask=None), PALETTE, ("a", "b"))).astype(int)
    ys, xs = np.nonzero((with_mask != without).any(2))
    assert len(ys) and ys.max() < SIDE and xs.max() < SIDE
