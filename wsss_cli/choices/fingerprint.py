"""What settings are chosen by: counts of a data set and what the machine has, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LARGE_GPU, MIDDLE_GPU, SMALL_GPU = 20.0, 10.0, 5.0
"""GiB above which ResNet-101 at 513, ResNet-50 at 385, and small crops at all are trained there."""
SIDES = {"cpu": 512, "gpu": 1024}
"""The longest side at which photos are worked on: the cost of each stage grows with their area."""


@dataclass(frozen=True)
class Fingerprint:
    """A data set of one's own, and a machine.

    images   in the training split; tagged, boxed, masked: those of them with tags, with boxes, with a mask
    scored   images of the validation split that have a mask
    classes  C, without background
    alike    whether all tagged images have the very same tags
    width, height  the median of all images in pixels, as the stages see them; longest: the longest side of any photo
    gpu      GiB of the GPU's memory; 0: there is none
    cores    of the CPU
    weights  where the published weights of a network are: "installed", "downloaded", "hub", or "" out of reach
    begin    "published", or "none": from random weights, as the user asked
    effort   factor on the length of every training, by which it fits a time budget
    """

    images: int
    tagged: int
    boxed: int
    masked: int
    scored: int
    classes: int
    alike: bool
    width: int
    height: int
    longest: int
    gpu: float
    cores: int
    weights: Mapping[str, str] = field(default_factory=dict, compare=False)
    begin: str = "published"
    effort: float = 1.0

    @property
    def tier(self) -> str:
        """ "large", "middle" or "small": how large networks and crops may be."""
        if self.gpu >= LARGE_GPU:
            return "large"
        return "middle" if self.gpu >= MIDDLE_GPU else "small"

    @property
    def machine(self) -> str:
        """The device in words, for reasons."""
        return f"a GPU of {self.gpu:.0f} GiB" if self.gpu else f"no GPU, {self.cores} CPU core{'s'[: self.cores != 1]}"

    @property
    def fully_masked(self) -> bool:
        """Whether there is a mask for every image to learn from."""
        return 0 < self.images == self.masked

    @property
    def learnt(self) -> int:
        """Images that a segmentation network learns from: those with tags get pseudo-labels."""
        return self.tagged or self.images

    def first_at_hand(self, networks: Sequence[str]) -> tuple[str, str]:
        """The first network whose weights are in reach, and where; if none is the first of all, and ""."""
        for name in networks:
            if where := self.weights.get(name, ""):
                return name, where
        return networks[0], ""


def long_side(longest: int, gpu: float) -> int | None:
    """The longest side to work at; None: the photos are no larger."""
    side = SIDES["gpu" if gpu >= SMALL_GPU else "cpu"]
    return side if longest > side else None
