"""Scores of the image that the network saw, at the photo's own size: some rows at a time, as all would take GBs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.data.label_format import Labels, label_format

AT_ONCE = 1 << 23  # scores, 32 MiB of float32


class Between(NamedTuple):
    """For each of n places along a side the two samples that it lies between, and how near the second it is."""

    first: Tensor
    second: Tensor
    share: Tensor


def bands(scores: Tensor, size: Sequence[int], at_once: int = AT_ONCE) -> Iterator[Tensor]:
    """The scores (K, h, w) at size H, W, bilinear (align_corners False): parts (K, n, W) from top to bottom.

    Whole and as they are where they have that size.
    """
    (classes, h, w), (height, width) = scores.shape, size
    if (h, w) == (height, width):
        yield scores
        return
    above, below, share = _between(h, height, scores)
    for part in torch.arange(height, device=scores.device).split(max(1, at_once // (classes * width))):
        mixed = torch.lerp(scores[:, above[part]], scores[:, below[part]], share[part, None])  # (K, n, w)
        yield F.interpolate(mixed[None], (len(part), width), mode="bilinear", align_corners=False)[0]


def winners(scores: Tensor, size: Sequence[int], at_once: int = AT_ONCE) -> Labels:
    """The label map (H, W) of the highest of the scores (K, h, w), background first, at that size.

    Between four samples that one class wins it wins everywhere, so that only the borders of classes are enlarged.
    """
    (classes, h, w), (height, width) = scores.shape, size
    form = label_format(classes - 1)
    won = form.tensor(scores.argmax(0))
    if (h, w) == (height, width):
        return won.cpu().numpy()
    rows, columns = _between(h, height, scores), _between(w, width, scores)
    alike = _alike(won)
    labels = []
    for part in torch.arange(height, device=scores.device).split(max(1, at_once // width)):
        band, sure = (_nearest_before(maps, rows.first[part], columns.first) for maps in (won, alike))  # (n, W)
        for places in (~sure).nonzero().split(max(1, at_once // classes)):
            y, x = places.T
            band[y, x] = form.tensor(_at(scores, rows, columns, part[y], x).argmax(0))
        labels.append(band.cpu().numpy())
    return np.concatenate(labels)


def _between(samples: int, places: int, like: Tensor) -> Between:
    """As torch counts them; beyond the first and the last sample there is nothing but these."""
    at = ((torch.arange(places, device=like.device) + 0.5) * (samples / places) - 0.5).clamp(min=0)
    first = at.long()
    return Between(first, (first + 1).clamp(max=samples - 1), (at - first).to(like.dtype))


def _alike(won: Tensor) -> Tensor:
    """Whether a sample, the next one, those below both are won by one class: (h, w) ids -> bool."""
    below, after = (torch.cat([won.narrow(d, 1, won.shape[d] - 1), won.narrow(d, -1, 1)], d) for d in (0, 1))
    both = torch.cat([below[:, 1:], below[:, -1:]], 1)
    return (won == below) & (won == after) & (won == both)


def _nearest_before(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The map (h, w) at all pairs of these rows and columns."""
    return maps.index_select(0, rows).index_select(1, columns)


def _at(scores: Tensor, rows: Between, columns: Between, y: Tensor, x: Tensor) -> Tensor:
    """The enlarged scores (K, n) at n places."""
    top, bottom = rows.first[y], rows.second[y]
    left, right = columns.first[x], columns.second[x]
    first = torch.lerp(scores[:, top, left], scores[:, bottom, left], rows.share[y])
    second = torch.lerp(scores[:, top, right], scores[:, bottom, right], rows.share[y])
    return torch.lerp(first, second, columns.share[x])
