"""GrabCut within boxes, by OpenCV, an extra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_bcm.boxes import by_area, centre, inside
from wsss_cli.data.label_format import LabelFormat, Labels
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError


def require_opencv() -> Any:
    """The module cv2.  Raises WsssError if it is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise WsssError(
            "seeds.from=grabcut, but OpenCV is not installed",
            'pip install "wsss[grabcut]", or use seeds.from=crf, which needs nothing',
        ) from error
    return cv2


def grabcut_labels(
    image: NDArray[np.uint8], boxes: Sequence[Box], form: LabelFormat, iterations: int = 5, share: float = 0.2
) -> Labels:
    """Each box's object as GrabCut sees it [Rother et al. 2004], the smaller box in front.

    image (H, W, 3) RGB.  Returns (H, W) ids.  Raises WsssError if OpenCV is not installed.
    """
    labels = np.zeros(image.shape[:2], form.dtype)
    bgr = np.ascontiguousarray(image[..., ::-1])
    for box in by_area(boxes):
        labels[_object(bgr, box, iterations, share)] = box.label
    return labels


def _object(bgr: NDArray[np.uint8], box: Box, iterations: int, share: float) -> NDArray[np.bool_]:
    """(H, W) bool; outside the box is background, its middle object, the rest of it probably object."""
    cv2 = require_opencv()
    trimap = np.full(bgr.shape[:2], cv2.GC_BGD, np.uint8)
    trimap[inside(box)] = cv2.GC_PR_FGD
    trimap[centre(box, share)] = cv2.GC_FGD
    if not (trimap == cv2.GC_BGD).any():  # a box that covers the image leaves no background to learn from
        return trimap != cv2.GC_BGD
    cv2.setRNGSeed(0)  # its mixtures start from random clusters
    models = np.zeros((2, 1, 65), np.float64)
    cv2.grabCut(bgr, trimap, None, models[0], models[1], iterations, cv2.GC_INIT_WITH_MASK)
    return (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
