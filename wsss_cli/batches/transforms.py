"""The image operations of the papers' pipelines, on uint8 arrays (H, W, 3) and label maps (H, W).

Random draws come from an explicit `random.Random` (or, where the released code drew from torch, a torch.Generator), in
the released order. Images stay uint8 until they are on the device; `normalise` makes floats of them there.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from wsss_cli.data.label_format import format_of

Array = NDArray[Any]
Mode = Literal["nearest", "bilinear", "bicubic"]

MEAN = (0.485, 0.456, 0.406)  # of ImageNet in [0, 1], as in torchvision
STD = (0.229, 0.224, 0.225)
CAFFE_MEAN = (122.675, 116.669, 104.008)  # RGB of 0..255; what the Caffe models subtract, without dividing

_PIL = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def resize(image: Array, size: tuple[int, int], mode: Mode) -> Array:
    """PIL's resize of a uint8 or bool image, or of a label map, to (h, w), as is if it has that size.

    PIL's bilinear and bicubic widen their support when they shrink, unlike torch's; so the size of the image counts.
    """
    if image.shape[:2] == tuple(size):
        return image
    return np.array(Image.fromarray(image).resize((size[1], size[0]), _PIL[mode]))


def scaled_size(size: Sequence[int], scale: float) -> tuple[int, int]:
    """round(h * scale), round(w * scale), halves to even, at least 1."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def rescale(image: Array, scale: float, mode: Mode) -> Array:
    """`resize` by a factor. A label map of factor 1/4 takes "nearest", which picks rows and columns 4i + 2."""
    return resize(image, scaled_size((image.shape[0], image.shape[1]), scale), mode)


def long_side_scale(size: tuple[int, int], shortest: int, longest: int, rng: random.Random) -> float:
    """The factor that gives the long side a length drawn from shortest..longest, both included."""
    return rng.randint(shortest, longest) / max(size)


def short_side_scale(size: Sequence[int], length: int | None, longest: float = 4.0) -> float:
    """The factor that makes the short side `length` long, the long one `longest` times it at most; 1: None.  [mmseg]"""
    return 1.0 if length is None else length * min(1 / min(size), longest / max(size))


def uniform_scale(low: float, high: float, rng: random.Random) -> float:
    """A factor from U(low, high)."""
    return low + rng.random() * (high - low)


def flip(image: Array) -> Array:
    """Mirror left and right."""
    return np.ascontiguousarray(image[:, ::-1])


class Placement(NamedTuple):
    """Which h x w part of an image, from (top, left), lies where, from (y, x), in the crop."""

    top: int
    left: int
    y: int
    x: int
    h: int
    w: int

    @property
    def valid(self) -> tuple[int, int, int, int]:
        """y, x, h, w of the crop's real pixels, for `normalise`."""
        return self.y, self.x, self.h, self.w


def random_crop(size: tuple[int, int], crop: int, rng: random.Random) -> Placement:
    """A crop x crop window at random; an image that is smaller lies at random inside it. Width is drawn first."""
    left, x = _slide(size[1], crop, rng)
    top, y = _slide(size[0], crop, rng)
    return Placement(top, left, y, x, min(crop, size[0]), min(crop, size[1]))


def _slide(length: int, crop: int, rng: random.Random) -> tuple[int, int]:
    """The first pixel taken and where it goes, along one side."""
    room = length - crop
    offset = rng.randrange(abs(room) + 1)
    return (offset, 0) if room > 0 else (0, offset)


def top_left_crop(size: tuple[int, int], crop: int) -> Placement:
    """The window at the top left corner."""
    return Placement(0, 0, 0, 0, min(crop, size[0]), min(crop, size[1]))


def place(image: Array, at: Placement, crop: int, fill: int = 0) -> Array:
    """Cut the window; what lies outside the image is `fill`.

    In images the fill is meant to be 0 *after* normalisation, which no byte gives: hand `at.valid` to `normalise`.
    """
    canvas = np.full((crop, crop, *image.shape[2:]), fill, dtype=image.dtype)
    canvas[at.y : at.y + at.h, at.x : at.x + at.w] = image[at.top : at.top + at.h, at.left : at.left + at.w]
    return canvas


def place_labels(labels: Array, at: Placement, crop: int) -> Array:
    """`place` of a label map: ignored outside the image."""
    return place(labels, at, crop, format_of(labels).ignore)


class Window(NamedTuple):
    """A part of an image."""

    top: int
    left: int
    h: int
    w: int

    def cut(self, image: Array) -> Array:
        return image[self.top : self.top + self.h, self.left : self.left + self.w]


def random_resized_crop(
    size: tuple[int, int],
    generator: torch.Generator,
    area: tuple[float, float] = (0.5, 0.75),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> Window:
    """torchvision's window of random area and shape, draw for draw: cut it, then `resize` it.

    The share of the image's area is U(area), w / h is log-uniform in aspect; after ten misfits, the largest central
    window of an allowed shape.
    """
    height, width = size
    low, high = torch.log(torch.tensor(aspect)).tolist()
    for _ in range(10):
        pixels = height * width * torch.empty(1).uniform_(*area, generator=generator).item()
        ratio = torch.exp(torch.empty(1).uniform_(low, high, generator=generator)).item()
        w, h = round(math.sqrt(pixels * ratio)), round(math.sqrt(pixels / ratio))
        if 0 < w <= width and 0 < h <= height:
            top = int(torch.randint(0, height - h + 1, (1,), generator=generator))
            left = int(torch.randint(0, width - w + 1, (1,), generator=generator))
            return Window(top, left, h, w)
    return _central_window(size, aspect)


def _central_window(size: tuple[int, int], aspect: tuple[float, float]) -> Window:
    h, w = size
    if w / h < min(aspect):
        h = round(w / min(aspect))
    elif w / h > max(aspect):
        w = round(h * max(aspect))
    return Window((size[0] - h) // 2, (size[1] - w) // 2, h, w)


def normalise(images: Tensor, valid: Tensor | None = None) -> Tensor:
    """(images / 255 - mean) / std per channel, and exactly 0 outside the valid box.

    images (B, H, W, 3) uint8, on the device; valid (B, 4) y, x, h, w of the real pixels (`Placement.valid`), None: all.
    Returns (B, 3, H, W) float32.
    """
    mean, std = (per_channel(values, images.device) for values in (MEAN, STD))
    floats = images.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)  # (B, 3, H, W)
    floats = floats.div_(255).sub_(mean).div_(std)
    if valid is None:
        return floats
    there = valid.to(images.device, non_blocking=True)
    return floats.mul_(_inside(there, *images.shape[1:3])[:, None])


def per_channel(values: Sequence[float], device: torch.device) -> Tensor:
    """A number for each channel, (3, 1, 1) float32, sent to the device without waiting for what it is at."""
    return torch.tensor(values).view(-1, 1, 1).to(device, non_blocking=True)


def denormalise(images: Tensor) -> Tensor:
    """255 (images std + mean), the inverse of `normalise`: (B, 3, H, W) -> the same, about 0..255."""
    # rounded to float32 once, as the released code's 123.675 and so on: `as_bytes` cuts off what is a hair too small
    mean, std = (per_channel([255 * x for x in v], images.device) for v in (MEAN, STD))
    return (images.float() * std).add_(mean)


def as_bytes(images: Tensor) -> Tensor:
    """Normalised images as whole levels / 255, in [0, 1]: cut off as released code casts them, so some lose a level."""
    return denormalise(images).clamp_(0, 255).floor_().div_(255)


def _inside(boxes: Tensor, height: int, width: int) -> Tensor:
    """(B, 4) y, x, h, w -> (B, H, W) bool."""
    y, x, h, w = boxes.view(-1, 4, 1).unbind(1)  # (B, 1) each
    rows, cols = torch.arange(height, device=boxes.device), torch.arange(width, device=boxes.device)
    return ((rows >= y) & (rows < y + h))[:, :, None] & ((cols >= x) & (cols < x + w))[:, None, :]
