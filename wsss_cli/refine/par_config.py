"""The values of pixel-adaptive refinement. Imports no torch: configurations hold it."""

from __future__ import annotations

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.config import Config


class Par(Config):
    """Pixel-adaptive refinement; defaults are those of ToCo's released code, from AFA's."""

    dilations: tuple[ranges.Stride, ...] = Field(
        (1, 2, 4, 8, 12, 24), min_length=1, description="distances of each pixel's neighbours, eight at each"
    )
    iterations: int = Field(
        10, ge=0, le=bounds.REPEATS, description="how often every pixel takes what its neighbours have"
    )
    colour_weight: float = Field(
        0.3, gt=0, le=bounds.FACTOR, description="w1: the less, the more alike in colour must neighbours be"
    )
    place_weight: float = Field(
        0.01, ge=0, le=bounds.FACTOR, description="w2: weight of being near, whatever the colour"
    )
    down: int = Field(2, gt=0, le=bounds.SHARES, description="refine at 1 / this of the size")
