"""The learning rate of the released trainings."""

from __future__ import annotations


def poly_to(k: int, total: int, power: float = 0.9, floor: float = 0.0) -> float:
    """(1 - floor) (1 - k / total)^power + floor: falls to the floor, instead of being cut off there.  [mmcv]"""
    return (1 - floor) * (1 - min(k, total) / total) ** power + floor
