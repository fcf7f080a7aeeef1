"""CAMs of a batch, thresholded to label maps and to maps of sure, unsure and background regions."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.data.label_format import label_format

BACKGROUND, UNSURE, SURE = 0, 1, 2


def cam_labels(cams: Tensor, low: float, high: float, boxes: Tensor | None = None) -> Tensor:
    """The strongest class above `high`, background at or below `low`, else ignore; ignore outside the boxes.

    low = high gives the label map of a constant background score, without ignored pixels between.

    cams (B, C, h, w) of the classes present, 0 for the others; boxes (B, 4) y0, y1, x0, x1 in cells of these maps.
    Returns (B, h, w) ids.
    """
    form = label_format(cams.shape[1])
    score, index = cams.max(1)  # (B, h, w)
    labels = torch.where(score > high, index + 1, form.ignore)
    labels[score <= low] = 0
    if boxes is not None:
        labels[~inside(boxes, labels.shape[1:])] = form.ignore
    return form.tensor(labels)


def region_map(cams: Tensor, low: float, high: float) -> Tensor:
    """0 where the strongest class is at or below `low`, 2 from `high` on, else 1: (B, C, h, w) -> (B, h, w) uint8."""
    score = cams.amax(1)
    return (score > low).to(torch.uint8) + (score >= high).to(torch.uint8)


def inside(boxes: Tensor, size: torch.Size | tuple[int, ...]) -> Tensor:
    """Whether each pixel lies in its image's box: (B, 4) y0, y1, x0, x1, half-open -> (B, *size) bool."""
    y0, y1, x0, x1 = boxes.long().unsqueeze(2).unbind(1)  # (B, 1) each
    rows, columns = (torch.arange(n, device=boxes.device) for n in size)
    return ((rows >= y0) & (rows < y1))[:, :, None] & ((columns >= x0) & (columns < x1))[:, None, :]


def in_tokens(boxes: Tensor, patch: int) -> Tensor:
    """Boxes (B, 4) y0, y1, x0, x1 in pixels -> the tokens wholly inside."""
    starts, ends = -(-boxes[:, ::2] // patch), boxes[:, 1::2] // patch  # (B, 2) each
    return torch.stack([starts[:, 0], ends[:, 0], starts[:, 1], ends[:, 1]], 1)
