"""Views of an image as contrastive learning draws them: mirror, colours, grey, blur, solarise, by PIL.

All draws come from the sample's `random.Random`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.batches.loader import torch_rng
from wsss_cli.batches.transforms import flip, place, random_crop, random_resized_crop, resize, uniform_scale
from wsss_cli.config import Config

Array = NDArray[Any]


class Colours(Config):
    """The colour jitter of torchvision; defaults are those of ToCo, which has them from DINO."""

    probability: float = Field(0.8, ge=0, le=1, description="share of the views that it changes")
    brightness: float = Field(0.4, ge=0, le=bounds.FACTOR, description="largest deviation of the factor from 1")
    contrast: float = Field(0.4, ge=0, le=bounds.FACTOR, description="largest deviation of the factor from 1")
    saturation: float = Field(0.2, ge=0, le=bounds.FACTOR, description="largest deviation of the factor from 1")
    hue: float = Field(0.1, ge=0, le=0.5, description="largest shift, share of the circle")


class View(Config):
    """How a view differs from the image; probabilities unless said otherwise."""

    flip: float = Field(0.5, ge=0, le=1, description="mirror")
    colours: Colours = Field(Colours(), description="jitter of the colours")
    grey: float = Field(0.2, ge=0, le=1, description="no colours")
    blur: float = Field(0.0, ge=0, le=1, description="Gaussian blur")
    blur_radius: ranges.Blurs = Field((0.1, 2.0), description="range of its radius, pixels")
    solarise: float = Field(0.0, ge=0, le=1, description="invert the bright pixels")


class Cropped(NamedTuple):
    """A crop (S, S, 3) uint8, black outside the image, and the box y0, y1, x0, x1 of what is image."""

    image: Array
    box: tuple[int, int, int, int]


def scaled_crop(image: Array, scale: tuple[float, float], mirror: bool, crop: int, rng: random.Random) -> Cropped:
    """Scale by a factor of that range (sizes cut off), mirror half of the images, and cut a random square.

    [AFA, ToCo: released code]  image (H, W, 3) uint8.
    """
    image = rescaled(image, uniform_scale(*scale, rng))
    if mirror and rng.random() < 0.5:
        image = flip(image)
    at = random_crop((image.shape[0], image.shape[1]), crop, rng)
    return Cropped(place(image, at, crop), (at.y, at.y + at.h, at.x, at.x + at.w))


def rescaled(image: Array, factor: float) -> Array:
    """By PIL's bilinear to int(h factor) x int(w factor), at least one pixel."""
    return resize(image, (max(1, int(image.shape[0] * factor)), max(1, int(image.shape[1] * factor))), "bilinear")


def resized_crop(image: Array, area: tuple[float, float], side: int, rng: random.Random) -> Array:
    """torchvision's RandomResizedCrop with PIL's bicubic: (H, W, 3) uint8 -> (side, side, 3)."""
    window = random_resized_crop((image.shape[0], image.shape[1]), torch_rng(rng), area)
    return resize(np.ascontiguousarray(window.cut(image)), (side, side), "bicubic")


def augment(image: Array, view: View, rng: random.Random) -> Array:
    """One view: (H, W, 3) uint8 -> the same."""
    picture = Image.fromarray(image)
    if rng.random() < view.flip:
        picture = ImageOps.mirror(picture)
    if rng.random() < view.colours.probability:
        picture = jitter(picture, view.colours, rng)
    if rng.random() < view.grey:
        picture = picture.convert("L").convert("RGB")
    if rng.random() < view.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(*view.blur_radius)))
    if rng.random() < view.solarise:
        picture = ImageOps.solarize(picture)
    return np.array(picture)


def jitter(picture: Image.Image, colours: Colours, rng: random.Random) -> Image.Image:
    """Brightness, contrast, saturation and hue in a random order, each by a factor of its own."""

    def factor(deviation: float) -> float:
        return rng.uniform(max(0.0, 1 - deviation), 1 + deviation)

    changes: list[Callable[[Image.Image], Image.Image]] = [
        lambda x: ImageEnhance.Brightness(x).enhance(factor(colours.brightness)),
        lambda x: ImageEnhance.Contrast(x).enhance(factor(colours.contrast)),
        lambda x: ImageEnhance.Color(x).enhance(factor(colours.saturation)),
        lambda x: shift_hue(x, rng.uniform(-colours.hue, colours.hue)),
    ]
    rng.shuffle(changes)
    for change in changes:
        picture = change(picture)
    return picture


def shift_hue(picture: Image.Image, shift: float) -> Image.Image:
    """Turn the hue by a share of the circle, -0.5 to 0.5."""
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point([(h + int(shift * 255)) % 256 for h in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
