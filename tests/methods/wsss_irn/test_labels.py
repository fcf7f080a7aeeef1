"""IRN's label rules against the released code; ties and images without tags."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_cli.cam.label import threshold_index
from wsss_irn.labels import confidence_mask, ir_label, margin, semantic_label, walked_scores

THRESHOLDS = {"voc": (0.30, 0.05), "coco": (0.35, 0.10)}


@vectors("beco/irn_ir_label")
def test_ir_label_is_the_released_rule(ref: dict[str, Any]) -> None:
    cam, keys = torch.from_numpy(ref["cams"]), torch.from_numpy(ref["keys"])[1:]
    for name, (foreground, background) in THRESHOLDS.items():
        np.testing.assert_array_equal(threshold_index(cam, foreground), ref[f"{name}_fg_argmax"])
        np.testing.assert_array_equal(threshold_index(cam, background), ref[f"{name}_bg_argmax"])
        plain = ir_label(cam, keys, None, foreground, background)
        np.testing.assert_array_equal(plain, ref[f"{name}_ir_label_nocrf"])
        refined = torch.from_numpy(np.stack([ref[f"{name}_fg_crf"], ref[f"{name}_bg_crf"]])).long()

        def crf(index: Tensor, n: int, refined: Tensor = refined) -> Tensor:
            assert index.shape == refined.shape and n == len(keys) + 1
            return refined

        np.testing.assert_array_equal(ir_label(cam, keys, crf, foreground, background), ref[f"{name}_ir_label"])


@vectors("beco/irn_sem_seg_and_mask")
def test_pseudo_label_and_mask_are_the_released_ones(ref: dict[str, Any]) -> None:
    walked, keys = torch.from_numpy(ref["rw"])[:, 0], torch.from_numpy(ref["keys"])[1:]
    score = walked_scores(walked, tuple(ref["size"].tolist()), ref["bg_thres"])
    np.testing.assert_allclose(score, ref["score"], rtol=0, atol=1e-5)
    label = semantic_label(score, keys)
    np.testing.assert_array_equal(label, ref["pred"])
    np.testing.assert_allclose(margin(score), ref["margin"], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(confidence_mask(score, label), ref["conf_mask"])


def test_without_tags_all_is_background_and_half_of_it_sure() -> None:
    none, keys = torch.zeros(0, 40, 56), torch.zeros(0, dtype=torch.long)
    assert ir_label(none, keys, refine=lambda index, n: pytest.fail("nothing to refine")).unique().tolist() == [0]
    score = walked_scores(torch.zeros(0, 10, 14), (40, 56))
    label = semantic_label(score, keys)
    assert label.unique().tolist() == [0]
    mask = confidence_mask(score, label)
    assert mask.sum().item() == 40 * 56 // 2
    assert 0.4 < mask[:20].float().mean() < 0.6  # no preferred place
    assert torch.equal(mask, confidence_mask(score, label))


def test_an_empty_cam_gives_background_not_nan() -> None:
    score = walked_scores(torch.zeros(2, 10, 14), (40, 56))
    assert score.isfinite().all()
    assert semantic_label(score, torch.tensor([3, 4])).unique().tolist() == [0]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_mask_keeps_the_share_of_every_class(share: float) -> None:
    torch.manual_seed(0)
    score = torch.rand(3, 21, 23)
    label = semantic_label(score, torch.tensor([7, 8]))
    mask, gap = confidence_mask(score, label, share), margin(score)
    for c in (0, 7, 8):
        mine = label == c
        assert mask[mine].sum().item() == int(share * mine.sum().item())
        if 0 < share < 1:
            assert gap[mine & mask].min() >= gap[mine & ~mask].max()
