"""IRN's label maps: CAMs to training labels, walked scores to pseudo-labels and confidence masks.

[Ahn, Cho, Kwak, CVPR 2019, sec. 4.1, 4.4; confidence masks: Rong et al., CVPR 2023]
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.cam.label import threshold_index, with_background
from wsss_cli.data.label_format import BYTE, LabelFormat

Refine = Callable[[Tensor, int], Tensor]
"""(index maps (2, H, W) in 0..n-1, n) -> refined index maps: the dense CRF from labels, on the image."""


def ir_label(
    cam: Tensor,
    keys: Tensor,
    refine: Refine | None = None,
    foreground: float = 0.30,
    background: float = 0.05,
    form: LabelFormat = BYTE,
) -> Tensor:
    """What is surely a class, surely background, and neither: the labels that IRN is trained on.

    F, B: argmax over [threshold, cam] for the foreground and the background threshold, each refined. F where F > 0;
    0 where neither sees a class; ignore where only B does.

    cam (n, H, W) at full resolution, keys (n,) ids; refine: None for the plain thresholds.
    Returns (H, W) ids in the format `form`.
    """
    index = torch.stack([threshold_index(cam, foreground), threshold_index(cam, background)])  # (2, H, W)
    if refine is not None and len(keys):  # without tags there is nothing to refine
        index = refine(index, len(keys) + 1)
    sure, possible = with_background(keys)[index]
    label = torch.where(possible > 0, form.ignore, 0)
    return form.tensor(torch.where(sure > 0, sure, label))


def walked_scores(walked: Tensor, size: tuple[int, int], background: float = 0.25) -> Tensor:
    """Scores after the random walk, at full resolution, with a constant background.

    Bilinear x4 (align_corners False), cropped, divided by the maximum over all classes and pixels, background first.

    walked (n, ceil(H/4), ceil(W/4)).  Returns (n + 1, H, W) in [0, 1].
    """
    if not len(walked):
        return walked.new_full((1, *size), background)
    large = F.interpolate(walked[None], scale_factor=4, mode="bilinear", align_corners=False)[0]
    large = large[:, : size[0], : size[1]]
    large = large / large.max().clamp_min(torch.finfo(large.dtype).tiny)  # an empty CAM stays 0, not NaN
    return F.pad(large, (0, 0, 0, 0, 1, 0), value=background)


def semantic_label(score: Tensor, keys: Tensor, form: LabelFormat = BYTE) -> Tensor:
    """The class of the highest score: (n + 1, H, W), keys (n,) ids -> (H, W) ids in the format `form`."""
    return form.tensor(with_background(keys)[score.argmax(0)])


def margin(score: Tensor) -> Tensor:
    """How far the highest score is above the next lower one: (n + 1, H, W) >= 0 -> (H, W).

    As released, scores equal to the highest count as 0, so a tie is no small margin.
    """
    top = score.amax(0)
    return top - score.masked_fill(score == top, 0).amax(0)


def confidence_mask(score: Tensor, label: Tensor, share: float = 0.5) -> Tensor:
    """Within each class of the label map, the share of its pixels with the largest margin.

    floor(share * n) of its n pixels. Equal margins are ranked by a fixed shuffle, so that where all are equal (an image
    without tags) the mask has no preferred place; the same on every run.

    score (n + 1, H, W); label (H, W) ids.  Returns (H, W) bool, True for confident.
    """
    flat, ids = margin(score).flatten().cpu(), label.flatten().cpu()
    shuffle = torch.randperm(len(flat), generator=torch.Generator().manual_seed(0))
    order = shuffle[flat[shuffle].argsort(descending=True, stable=True)]  # pixels by margin
    ranked, mask = ids[order], torch.zeros(len(flat), dtype=torch.bool)
    for c in ids.unique():
        pixels = order[ranked == c]
        mask[pixels[: int(share * len(pixels))]] = True
    return mask.view(label.shape).to(label.device)
