"""Pseudo-masks from CAMs: coefficient of variation smoothing, proportional pseudo-mask generation.

[Li et al., ICCV 2021, sec. 3.2, 3.3; released code]  Arrays keep the type of the CAMs: the released code computes in
float16, as its files are, and so do these functions when they are given float16.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.floating]

Refine = Callable[[Array], Array]
"""Pairs (n, 2, H, W) of scores in [0, 1], not of sum 1 -> the probability of each second one (n, H, W): a dense CRF."""


def variation(cam: Array, threshold: float = 0.05, scale: float = 0.3, overflow: bool = False) -> np.floating:
    """The coefficient of variation of the scores above the threshold: scale * std / (mean + 1e-8), 0 if there is none.

    cam (H, W) in [0, 1].  overflow: infinite, as released, where the scores' float16 sum is (over 65,504).
    """
    high = cam[cam > threshold]
    if not high.size:
        return cam.dtype.type(0)
    with np.errstate(over="ignore"):
        std = high.std()
    if not overflow and not np.isfinite(std):
        std = cam.dtype.type(high.std(dtype=np.float32))
    return std / (high + cam.dtype.type(1e-8)).mean() * cam.dtype.type(scale)


def smoothed(cam: Array, threshold: float = 0.05, scale: float = 0.3, overflow: bool = False) -> Array:
    """Coefficient of variation smoothing: cam ** (1 - variation), scores below the threshold 0; (H, W) -> (H, W).

    Where the variation is infinite, so are the scores.
    """
    exponent = cam.dtype.type(1) - variation(cam, threshold, scale, overflow)
    return np.power(cam, exponent, out=np.zeros_like(cam), where=(cam >= threshold) & (cam > 0))


def against_background(scores: Array, alpha: float) -> Array:
    """[(1 - max score) ** alpha, scores]: (n, H, W) -> (n + 1, H, W)."""
    background = np.power(1 - scores.max(0, keepdims=True), scores.dtype.type(alpha))
    return np.concatenate([background, scores])


def proportional(cams: Array, scores: Array, refine: Refine, alpha: float = 11.0) -> NDArray[np.intp]:
    """Proportional pseudo-mask generation: every class by itself against its background, overlaps by `shares`.

    F_k = [CRF of ((1 - s_k) ** alpha, s_k) gives class k more than 1/2];  background where no F_k is.

    cams (n, H, W) as they are, scores (n, H, W) smoothed.  Returns (H, W), 0 background, i + 1 for map i.
    """
    pairs = np.stack([against_background(s[None], alpha) for s in scores])  # (n, 2, H, W)
    return by_share(cams, refine(pairs) > 0.5)


def by_share(cams: Array, foreground: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Of the classes that claim a pixel the one for which it is the largest share of its sum; background: unclaimed.

    w_k = v_k / (1 + sum v_k F_k) where F_k.  A pixel that all v_k of its F_k are 0 at, the CRF's own, is background.

    cams v (n, H, W), not smoothed; foreground F (n, H, W).  Returns (H, W), 0 background, i + 1 for map i.
    """
    background = ~foreground.any(0, keepdims=True)
    return np.concatenate([background, shares(cams, foreground) * foreground]).argmax(0)


def shares(cams: Array, foreground: NDArray[np.bool_]) -> Array:
    """v_k / (1 + sum over the pixels of v_k F_k): (n, H, W) -> (n, H, W) float32; small objects have large shares."""
    claimed = (cams * foreground.astype(np.float32)).sum((1, 2), keepdims=True)  # (n, 1, 1)
    return cams / (1 + claimed)


def energies(scores: Array, clip: float = 1e-5) -> torch.Tensor:
    """-log of the scores, at least `clip`, in their own type, as float32; same shape."""
    kept = np.clip(scores, scores.dtype.type(clip), scores.dtype.type(1))
    return torch.from_numpy(-np.log(kept).astype(np.float32))
