"""Label maps from boxes: a dense CRF between what a box surely holds and what it surely does not.

The authors released neither their seeds nor code for them: this follows WSSL's Bbox-Seg [Papandreou et al. 2015] and
the rules of "Simple Does It" [Khoreva et al. 2017].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_bcm.boxes import area, by_area, centre, clip_to_boxes, inside
from wsss_bcm.config import Seeds
from wsss_bcm.grabcut import grabcut_labels
from wsss_cli.data.label_format import LabelFormat, Labels
from wsss_cli.data.prepared import Box
from wsss_cli.refine.crf import DenseCrf, unary_from_softmax


def seed(
    image: NDArray[np.uint8], boxes: Sequence[Box], config: Seeds, form: LabelFormat, device: torch.device
) -> Labels:
    """The label map of one image: (H, W, 3) uint8 -> (H, W) ids and ignore.

    By the CRF; with origin=grabcut, ignored where GrabCut sees another class.  Then `with_fallback`.
    """
    labels: Labels = crf_labels(image, boxes, config, form, device)
    if config.origin == "grabcut":
        other = grabcut_labels(image, boxes, form, config.iterations, config.centre)
        labels[labels != other] = form.ignore
    return with_fallback(labels, boxes, config.fallback, config.centre, form)


def crf_labels(
    image: NDArray[np.uint8], boxes: Sequence[Box], config: Seeds, form: LabelFormat, device: torch.device
) -> Labels:
    """The likeliest classes after the CRF, each only within its own boxes: (H, W) ids."""
    keys = sorted({box.label for box in boxes})
    prob = box_scores(boxes, keys, image.shape[:2], config.centre, config.certainty).to(device)
    field = DenseCrf(torch.from_numpy(image).to(device), config.crf)
    index = field.infer(unary_from_softmax(prob, config.crf.clip)).argmax(0)  # (H, W)
    labels = np.array([0, *keys], form.dtype)[index.cpu().numpy()]
    return clip_to_boxes(labels, boxes)


def box_scores(
    boxes: Sequence[Box], keys: Sequence[int], size: Sequence[int], share: float = 0.2, certainty: float = 0.9
) -> Tensor:
    """What the boxes alone say of each pixel: (n + 1, H, W) scores of background and the classes `keys`.

    Outside all boxes background, 1; in a box 1/2, and 1/2 shared among the boxes over the pixel; in its middle the
    class, `certainty`, and background the rest, the smaller box in front.
    """
    cover = torch.zeros(len(keys), *size)
    for box in boxes:
        cover[keys.index(box.label)][inside(box)] += 1
    total = cover.sum(0)  # (H, W) boxes over each pixel
    scores = torch.cat([1 - 0.5 * (total[None] > 0), 0.5 * cover / total.clamp(min=1)])  # (n + 1, H, W)
    for box in by_area(boxes):
        middle = scores[(slice(None), *centre(box, share))]
        middle.zero_()
        middle[0], middle[1 + keys.index(box.label)] = 1 - certainty, certainty
    return scores


def with_fallback(labels: Labels, boxes: Sequence[Box], least: float, share: float, form: LabelFormat) -> Labels:
    """Give up segments that fill less than `least` of their box: its middle is object, the rest of it ignored.

    What other boxes hold stays theirs.  [after Khoreva et al. 2017]  labels (H, W) ids -> a copy.
    """
    poor = [b for b in by_area(boxes) if np.count_nonzero(labels[inside(b)] == b.label) < least * area(b)]
    new = labels.copy()
    for box in poor:
        part = new[inside(box)]
        part[(part == 0) | (part == box.label)] = form.ignore
        new[centre(box, share)] = box.label
    for box in by_area(boxes):
        if box not in poor:
            at = inside(box)
            new[at][labels[at] == box.label] = box.label
    return new
