"""Which patches the student does not see: first those whose class the CAMs are unsure of."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def uncertain(cams: Tensor, low: float, high: float, block: int) -> Tensor:
    """Whether the strongest class is neither weak nor strong: low < max_c cam_c < high, at each block's first pixel.

    cams (B, C, H, W) of the classes present, 0 for the others.  Returns (B, H // block, W // block) bool.
    """
    rows, columns = (n // block * block for n in cams.shape[2:])
    score = cams[:, :, :rows:block, :columns:block].amax(1)
    return (score > low) & (score < high)


def masked_blocks(noise: Tensor, unsure: Tensor | None, ratio: float) -> Tensor:
    """Mask the ceil(ratio n) blocks of the largest noise; of `unsure` ones first.  [He et al. 2024, released code]

    So fewer unsure ones than that are topped up with sure ones, and of more some are drawn.

    noise (B, h, w) in [0, 1); unsure (B, h, w) bool, None: it plays no part.  Returns (B, h, w) bool, True: masked.
    """
    score = noise if unsure is None else noise + unsure  # (B, h, w)
    flat = score.flatten(1)
    count = masked_number(flat.shape[1], ratio)
    mask = torch.zeros_like(flat, dtype=torch.bool)
    return mask.scatter_(1, flat.topk(count, 1).indices, True).view_as(score)


def masked_number(blocks: int, ratio: float) -> int:
    """How many of an image's blocks are masked."""
    return math.ceil(blocks * ratio)


def masked_tokens(tokens: Tensor, mask: Tensor, each: int | None) -> Tensor:
    """The masked tokens of all images, one image after the other: (B, N, D), mask (B, h, w) bool -> (M, D).

    each  how many are masked in every image, if it is as many in each: then a GPU need not be asked
    """
    flat = mask.flatten(1)
    if each is None:
        return tokens[flat]
    places = flat.byte().argsort(dim=1, descending=True, stable=True)[:, :each]  # (B, each), ascending
    return tokens.gather(1, places[:, :, None].expand(-1, -1, tokens.shape[2])).flatten(0, 1)


def to_tokens(blocks: Tensor, each: int) -> Tensor:
    """Every block as each x each tokens: (B, h, w) -> (B, each h, each w)."""
    return blocks.repeat_interleave(each, 1).repeat_interleave(each, 2)
