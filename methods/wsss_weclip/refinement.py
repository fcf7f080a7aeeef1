"""Maps to pseudo-labels: attention as affinity, guided by what the decoder learns, and pixel-adaptive refinement."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.cam.label import with_background
from wsss_cli.classifier.softmax_cam import min_max
from wsss_cli.data.label_format import LabelFormat
from wsss_cli.refine import attention
from wsss_cli.refine.par import kernel, spread
from wsss_cli.refine.par_config import Par
from wsss_weclip.config import Labels
from wsss_weclip.nets import Evidence, Outputs

EPS = 1e-5


@torch.no_grad()
def spread_cams(seen: Evidence, tags: Tensor, settings: Labels, said: Outputs | None) -> list[Tensor]:
    """Each image's CAMs, spread by attention and normalised: (n, h, w) of its n classes, in their order.

    tags (B, C) 0/1, best on the CPU: a GPU would have to be waited for
    said  what the decoder makes of the images, which then guides; None: nothing does
    """
    if said is None:
        affinity = seen.attention[:, -settings.plain_maps :].float().mean(1)  # (B, n, n)
    else:
        affinity = guided_affinity(seen.attention[:, -settings.guided_maps :].float(), said.affinity)
    present = [row.nonzero()[:, 0].to(seen.cams.device, non_blocking=True) for row in tags]
    every = [cams[keys].float() for cams, keys in zip(seen.cams, present)]  # (n, h, w) each
    boxes = boxes_of_each(every, settings.box_threshold)
    matrices, spread = attention.transition(affinity), []
    for i, (keys, maps, box, matrix) in enumerate(zip(present, every, boxes, matrices)):
        if settings.weigh and said is not None:
            maps = maps * said.logits[i].float().softmax(0)[keys + 1]
        spread.append(min_max(attention.spread(box * maps, matrix)))
    return spread


def boxes_of_each(every: Sequence[Tensor], threshold: float | None) -> Sequence[Tensor | float]:
    """`boxes_of` the maps (n, h, w) of each image, which the host looks at together; None: all of them."""
    if threshold is None:
        return [1.0] * len(every)
    return attention.boxes_of(torch.cat(list(every)), threshold).split([len(maps) for maps in every])


def guided_affinity(maps: Tensor, predicted: Tensor) -> Tensor:
    """The mean of the attention maps that are near the predicted affinity, times it (RFM).  [Zhang et al. 2024]

    d_l = sum (P - a_l), whose sign counts; kept are the maps with d_l <= mean_l d_l.

    maps (B, L, n, n) the candidates, without class token; predicted (B, n, n) in [0, 1].  Returns (B, n, n).
    """
    distance = (predicted[:, None] - maps).sum((2, 3))  # (B, L)
    kept = (distance <= distance.mean(1, keepdim=True)).float()
    total = torch.einsum("bl,blij->bij", kept, maps)
    return total / (kept.sum(1)[:, None, None] + EPS) * predicted


@torch.no_grad()
def refined_label(image: Tensor, cam: Tensor, keys: Tensor, settings: Par, form: LabelFormat) -> Tensor:
    """One image's pseudo-label: [1 - max, maps] refined by the image's colours, argmax.  [Zhang et al. 2024]

    image (3, h, w) normalised or in [0, 1], of any size; cam (n, H, W); keys (n,) ids of its classes.
    Returns (H, W) ids; no pixel is ignored.
    """
    if not len(keys):  # all background
        return form.tensor(torch.zeros(cam.shape[1:], device=image.device))
    scores = torch.cat([1 - cam.amax(0, keepdim=True), cam])  # (n + 1, H, W)
    size = [max(1, side // settings.down) for side in cam.shape[1:]]
    small = _resized(image[None], size, corners=True)
    refined = spread(_resized(scores[None], size), kernel(small, settings), settings.iterations)
    return form.tensor(with_background(keys)[_resized(refined, cam.shape[1:])[0].argmax(0)])


def enlarged(cams: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Bilinear, align_corners False: (n, h, w) -> (n, H, W); n may be 0."""
    return _resized(cams[None], size)[0] if len(cams) else cams.new_zeros(0, *size)


def _resized(maps: Tensor, size: Sequence[int], corners: bool = False) -> Tensor:
    """Bilinear, as they are where the size is the same: (1, C, h, w) -> (1, C, *size)."""
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    return F.interpolate(maps, tuple(size), mode="bilinear", align_corners=corners)
