"""Regions, what is erased, and windows, against the released functions."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_cli.cam.regions import BACKGROUND, SURE, UNSURE, region_map
from wsss_locbe.views import only
from wsss_locbe.windows import Window, by_size, draw_windows, windows_at


@vectors("locbe/region")
def test_regions_and_windows(ref: dict[str, Any]) -> None:
    cams = torch.from_numpy(ref["cam"] * ref["cls_label"][:, :, None, None])
    image = torch.from_numpy(ref["image"])
    regions = region_map(cams, ref["low_thre"], ref["high_thre"])
    np.testing.assert_array_equal(regions, ref["roi_mask"])
    np.testing.assert_array_equal(only(image, regions, UNSURE), ref["erased_be"])
    np.testing.assert_array_equal(only(image, regions, BACKGROUND), ref["erased_keep_background"])

    sure = (regions == SURE).nonzero()
    picks = torch.from_numpy(ref["pick_index"])
    np.testing.assert_array_equal(sure[picks], ref["centre_bhw"])
    draws = (picks + 0.5) / len(sure)
    windows = draw_windows(regions, draws, ref["crop_size"])
    assert [(w.top, w.bottom, w.left, w.right) for w in windows] == [tuple(box) for box in ref["crop_boxes"].tolist()]
    for i, window in enumerate(windows):
        np.testing.assert_array_equal(window.cut(image), ref[f"crop_{i}"])


def test_no_sure_pixel_no_window() -> None:
    assert draw_windows(torch.ones(2, 5, 5, dtype=torch.uint8), torch.rand(4), 3) == []


def test_every_sure_pixel_of_every_image_is_drawn_alike() -> None:
    regions = torch.ones(2, 6, 8, dtype=torch.uint8)
    for place in ((0, 5, 0), (1, 0, 7), (1, 3, 3)):
        regions[place] = SURE
    windows = draw_windows(regions, (torch.arange(300) + 0.5) / 300, 2)
    counts = {window: windows.count(window) for window in windows}
    assert counts == {Window(4, 6, 0, 1): 100, Window(0, 1, 6, 8): 100, Window(2, 4, 2, 4): 100}
    assert draw_windows(regions, torch.tensor([0.0, 1 - 2**-24]), 2) == [Window(4, 6, 0, 1), Window(2, 4, 2, 4)]


def test_windows_are_cut_off_at_the_border_not_moved() -> None:
    size, pixels = (20, 30), torch.tensor([0, 29, 19 * 30, 600 + 10 * 30 + 15])  # the last of the second image
    assert windows_at(pixels, size, 8) == [(0, 4, 0, 4), (0, 4, 25, 30), (15, 20, 0, 4), (6, 14, 11, 19)]
    assert Window(0, 7, 3, 12).patches(4) == (0, 4, 3, 11)


def test_crops_of_one_size_go_together() -> None:
    crops = [torch.empty(2, 3, h, w) for h, w in ((8, 8), (8, 4), (8, 8), (4, 8), (8, 4))]
    assert by_size(crops) == [[0, 2], [1, 4], [3]]
