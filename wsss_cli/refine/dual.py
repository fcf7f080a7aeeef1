"""CAMs to pseudo-labels: refined with a high and with a low background score, ignored where the two disagree."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.cam.label import with_background
from wsss_cli.cam.regions import inside
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.refine.par import kernel, spread
from wsss_cli.refine.par_config import Par


@torch.no_grad()
def refined_labels(
    images: Tensor,
    cams: Tensor,
    tags: Tensor,
    boxes: Tensor | None,
    high: float,
    low: float,
    settings: Par = Par(),  # noqa: B008  # it is frozen
) -> Tensor:
    """Pseudo-labels of a batch: `refined_label` of each image, ignore outside the boxes.

    images (B, 3, H, W) in [0, 1]; cams (B, C, H, W) of the present classes; tags (B, C) 0/1, best on the CPU: a GPU
    would have to be waited for; boxes (B, 4) y0, y1, x0, x1, None: all is real.  Returns (B, H, W) ids.
    """
    form = label_format(cams.shape[1])
    present = [row.nonzero()[:, 0].to(cams.device, non_blocking=True) for row in tags]  # 0..C-1 of each image
    parts = zip(images, cams, present)
    labels = torch.stack([refined_label(i, c[keys], keys + 1, high, low, settings, form) for i, c, keys in parts])
    return labels if boxes is None else labels.masked_fill_(~inside(boxes, labels.shape[1:]), form.ignore)


def refined_label(
    image: Tensor, cam: Tensor, keys: Tensor, high: float, low: float, settings: Par, form: LabelFormat
) -> Tensor:
    """One image's pseudo-label by pixel-adaptive refinement.  [Ru et al. 2022, 2023, released code]

    Softmax over a constant background and the CAMs, refined at a smaller size, enlarged, argmax: once with `high`, once
    with `low` as background.  A class where the first says so; background where both do; ignore where they differ.

    image (3, H, W) in [0, 1]; cam (n, H, W); keys (n,) ids of its classes.  Returns (H, W) ids.
    """
    if not len(keys):  # all background
        return form.tensor(torch.zeros_like(image[0]))
    size = [max(1, n // settings.down) for n in image.shape[1:]]  # h, w
    small_image, small_cam = (
        F.interpolate(maps[None], size, mode="bilinear", align_corners=False) for maps in (image, cam)
    )
    scores = with_constant(small_cam[0], (high, low)).softmax(1)  # (2, n + 1, h, w)
    refined = spread(scores.flatten(0, 1)[None], kernel(small_image, settings), settings.iterations)
    large = F.interpolate(refined, image.shape[1:], mode="bilinear", align_corners=False)
    sure, possible = with_background(keys)[large[0].unflatten(0, scores.shape[:2]).argmax(1)]  # (H, W) each
    return agree(sure, possible, form)


def with_constant(cam: Tensor, backgrounds: Sequence[float]) -> Tensor:
    """[background, cam_1, ..., cam_n] for each background score: (n, h, w) -> (len(backgrounds), n + 1, h, w)."""
    return torch.stack([F.pad(cam, (0, 0, 0, 0, 1, 0), value=b) for b in backgrounds])


def agree(sure: Tensor, possible: Tensor, form: LabelFormat) -> Tensor:
    """A class where `sure` has one, background where neither has, ignore where only `possible` has: ids (H, W)."""
    return form.tensor(torch.where(sure > 0, sure, torch.where(possible > 0, form.ignore, 0)))
