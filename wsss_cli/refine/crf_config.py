"""The settings of the dense CRF. Imports no torch: configurations hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from wsss_cli import bounds
from wsss_cli.config import Config
from wsss_cli.data.prepared import Sample


class Crf(Config):
    """Dense CRF with one Gaussian and one bilateral kernel and Potts labels.  [Kraehenbuehl, Koltun 2011]"""

    backend: Literal["native", "pydensecrf"] = Field(
        "native", description="native: this package's, on CPU or GPU; pydensecrf: the compiled one, extra `crf`"
    )
    iterations: int = Field(10, ge=0, le=bounds.REPEATS, description="mean-field iterations; 10 in every released code")
    gaussian_sxy: float = Field(
        1, gt=0, le=bounds.DISTANCE, description="standard deviation of the Gaussian kernel, pixels (DeepLab)"
    )
    gaussian_compat: float = Field(
        3, ge=0, le=bounds.FACTOR, description="weight of the Gaussian kernel (DeepLab); 0 leaves it out"
    )
    bilateral_sxy: float = Field(
        67, gt=0, le=bounds.DISTANCE, description="bilateral kernel: standard deviation in pixels (DeepLab)"
    )
    bilateral_srgb: float = Field(
        3, gt=0, le=bounds.DISTANCE, description="bilateral kernel: the same in colour, 0..255 (DeepLab)"
    )
    bilateral_compat: float = Field(
        4, ge=0, le=bounds.FACTOR, description="weight of the bilateral kernel (DeepLab); 0 leaves it out"
    )
    clip: float = Field(1e-5, gt=0, lt=1, description="least probability in unary = -log p (pydensecrf.utils)")
    gt_prob: float = Field(0.7, gt=0, lt=1, description="certainty of given labels, unary from labels (IRN)")
    official_image: bool = Field(
        False,
        description="quirk of released DeepLab and BECO code: feed the mean-subtracted image cast to uint8, modulo 256",
    )


DEEPLAB = Crf()
"""[Chen et al. 2018; kazuto1011/deeplab-pytorch, which published 77.93 with official_image]"""

PROCESS = 350 << 20  # bytes of a worker before its first image: the interpreter with torch
PIXEL, CHANNEL = 800, 36  # bytes a pixel of both lattices while they are built, and of each class; bench.crf_memory
COMPACT_PIXEL, COMPACT_CHANNEL = 300, 24  # the same of compact ones
FEW, LARGE = 4, 1 << 20  # classes; pixels


def compact(classes: int, pixels: int) -> bool:
    """Whether the CRF of a CPU filters in little memory: with few classes, where that is as fast, and in large images.

    With more than FEW classes it takes up to twice the time, so images of less than a megapixel go without.
    """
    return classes <= FEW or pixels >= LARGE


def crf_memory(samples: Sequence[Sample], classes: int | None = None) -> int:
    """Bytes that a process may need for the native CRF of any of these images; classes None: of its tags.

    Of photographs, whose lattices have up to about one and a half vertices a pixel; of pure noise it would be more.
    """
    sizes = ((s.width * s.height, len(s.tags) + 1 if classes is None else classes) for s in samples)
    return max((PROCESS + pixels * _bytes(n, pixels) for pixels, n in sizes), default=0)


def _bytes(classes: int, pixels: int) -> int:
    """Of each pixel."""
    if compact(classes, pixels):
        return COMPACT_PIXEL + COMPACT_CHANNEL * classes
    return PIXEL + CHANNEL * (-classes // 8 * -8)
