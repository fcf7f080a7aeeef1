"""The pretended under-fitting loss: once a network fits, the pixels that it still gets wrong count as label noise.

[Li et al., ICCV 2021, sec. 3.4; released code]
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import format_of
from wsss_cli.losses.segmentation import upsample
from wsss_ppmg.config import UnderFitting

SUPPRESSED: dict[str, Callable[[Tensor, float], Tensor]] = {
    "clamp": lambda loss, k: loss.clamp(max=k),
    "pow": lambda loss, k: (loss + 1e-9) ** k,
    "ignore": lambda loss, k: loss * (loss <= k),
}
"""What becomes of a pixel's loss; clamp and ignore have the same gradient."""


def under_fitting_loss(logits: Tensor, labels: Tensor, config: UnderFitting) -> Tensor:
    """The mean over all pixels of the cross-entropy l, or, where the mean of l is below beta, of l suppressed.

    The gate looks at each `gate_chunk` images by themselves.  Ignored pixels have l = 0 and count in every mean.

    logits (B, K, h, w), enlarged to the labels bilinearly, align_corners False; labels (B, H, W) ids and ignore.
    Returns a scalar.
    """
    loss = pixel_losses(logits, labels)  # (B, H, W)
    if config.kind == "off":
        return loss.mean()
    fits = chunk_means(loss.detach(), config.gate_chunk) < config.beta  # (B,)
    return torch.where(fits[:, None, None], SUPPRESSED[config.kind](loss, config.k), loss).mean()


def pixel_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """-log softmax(logits)[label] of every pixel, 0 where it is ignored: (B, K, h, w), (B, H, W) -> (B, H, W)."""
    large, ignore = upsample(logits.float(), labels.shape[-2:]), format_of(labels).ignore
    return F.cross_entropy(large, labels.long(), ignore_index=ignore, reduction="none")


def chunk_means(loss: Tensor, chunk: int | None) -> Tensor:
    """The mean over the images of each chunk, for each of its images: (B, H, W) -> (B,)."""
    means = loss.mean((1, 2))  # (B,)
    return torch.cat([part.mean().expand(len(part)) for part in means.split(chunk or len(means))])
