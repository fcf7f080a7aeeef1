"""Types of settings: numbers within bounds, and pairs of them in order."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from wsss_cli.bounds import CHANNELS, SIDE, SMALLEST, WORKERS

P = TypeVar("P", bound="tuple[float, float]")

Scale = Annotated[float, Field(gt=0, le=16)]
"""On the sides of an image: at 16 it has 256 times its pixels."""
Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(gt=0, le=SIDE)]
LongSide = Annotated[int, Field(ge=SMALLEST, le=SIDE)]
"""That photos are made smaller to."""
Workers = Annotated[int, Field(ge=0, le=WORKERS)]
Blur = Annotated[float, Field(ge=0, le=1000)]
"""Pixels."""
Decay = Annotated[float, Field(ge=0, lt=1)]
Aspect = Annotated[float, Field(gt=0, le=100)]
Temperature = Annotated[float, Field(gt=0, le=1000)]
Stride = Annotated[int, Field(gt=0, le=1000)]
"""Distance between the taps of a filter, in its map's pixels."""
Level = Annotated[int, Field(ge=-64, le=64)]
"""Of a network's blocks, counted from its end if negative."""
Channels = Annotated[int, Field(gt=0, le=CHANNELS)]
Normal = Annotated[float, Field(ge=-1000, le=1000)]
"""Mean of a channel."""
Deviation = Annotated[float, Field(gt=0, le=1000)]


def in_order(pair: P) -> P:
    """The pair.  Raises ValueError if its second is smaller than its first: nothing can be drawn between them."""
    if pair[0] > pair[1]:
        raise ValueError("the second must not be smaller than the first")
    return pair


Sides = Annotated[tuple[Side, Side], AfterValidator(in_order)]
Scales = Annotated[tuple[Scale, Scale], AfterValidator(in_order)]
Shares = Annotated[tuple[Share, Share], AfterValidator(in_order)]
Aspects = Annotated[tuple[Aspect, Aspect], AfterValidator(in_order)]
Blurs = Annotated[tuple[Blur, Blur], AfterValidator(in_order)]
