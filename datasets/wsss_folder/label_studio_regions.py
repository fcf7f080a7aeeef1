"""The regions of Label Studio's results: what was drawn, in shares of the image or as pixels."""

from __future__ import annotations

import base64
import binascii
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.images import opened, require_pixels
from wsss_cli.errors import WsssError
from wsss_folder.record import Thing, around
from wsss_folder.rle_pack import brushed
from wsss_folder.run_lengths import runs_of
from wsss_folder.shapes import Point, box, ellipse, flat, turned

SHAPES = {
    "x",
    "radiusX",
    "points",
    "rle",
    "imageDataURL",
    "vertices",
    "sequence",
}  # keys of a value that is of a region


def has_shape(result: dict[str, Any]) -> bool:
    """Whether a result is of a region, not of the whole image."""
    return not SHAPES.isdisjoint(result["value"])


def read_region(result: dict[str, Any], label: str) -> Thing | None:
    """The object of a region; None for what has no area (points, lines), or a mask that cannot be read.

    Raises ValueError, KeyError or TypeError if numbers are missing.
    """
    value = result["value"]
    if "rle" in value or "imageDataURL" in value:
        mask = _mask(value, int(result["original_width"]), int(result["original_height"]))
        return None if mask is None else Thing(label, (runs := runs_of(mask)).corners(), rle=runs)
    points, outlined = _outline(result), "width" not in value
    if points is None:
        return None
    outline = flat(points)
    return Thing(label, around(outline[::2], outline[1::2]), relative=True, polygons=(outline,) if outlined else ())


def _outline(result: dict[str, Any]) -> list[Point] | None:
    """In shares of the image: of a box (turned about its upper left corner), polygon, closed vector or ellipse."""
    value = result["value"]
    width, height = float(result.get("original_width") or 1), float(result.get("original_height") or 1)
    if "points" in value:
        points = [(float(x) / 100, float(y) / 100) for x, y in value["points"]]
        return points if len(points) > 2 and value.get("closed", True) else None
    if "vertices" in value:
        return _vector(value["vertices"]) if value.get("closed") else None
    if "radiusX" in value:
        corners = ellipse(_share(value, "radiusX") * width, _share(value, "radiusY") * height)
    elif "width" in value and "height" in value:
        corners = box(0.0, 0.0, _share(value, "width") * width, _share(value, "height") * height)
    else:
        return None
    start = _share(value, "x") * width, _share(value, "y") * height
    return [(x / width, y / height) for x, y in turned(start, corners, math.radians(float(value.get("rotation") or 0)))]


def _vector(vertices: list[dict[str, Any]]) -> list[Point] | None:
    """The corners of a closed vector in their order; None for one that has curves, branches or two corners."""
    before = [vertex["prevPointId"] for vertex in vertices if vertex.get("prevPointId") is not None]
    curved = any(vertex.get("isBezier") for vertex in vertices)
    if curved or len(set(before)) < len(before) or len(vertices) < 3:
        return None
    return [(_share(vertex, "x"), _share(vertex, "y")) for vertex in vertices]


def _share(value: dict[str, Any], key: str) -> float:
    return float(value[key]) / 100


def _mask(value: dict[str, Any], width: int, height: int) -> NDArray[np.bool_] | None:
    """(height, width) of a brush or bit mask; None if it cannot be read."""
    try:
        require_pixels(width, height)
        return (
            brushed(value["rle"], width, height) if "rle" in value else _picture(value["imageDataURL"], width, height)
        )
    except (ValueError, TypeError, binascii.Error, WsssError):
        return None


def _picture(url: str, width: int, height: int) -> NDArray[np.bool_]:
    """The pixels that are not transparent in a PNG within a URL; of one without transparency, those that are not 0."""
    with opened(base64.b64decode(url.partition(",")[2]), Path("the mask")) as image:
        if image.size != (width, height):
            raise ValueError(f"it is {image.width} x {image.height}, not {width} x {height}")
        pixels = np.asarray(image.convert("RGBA"))  # (H, W, 4)
    clear = bool((pixels[..., 3] < 255).any())
    if not clear:
        pixels = pixels[..., :3].max(axis=-1, keepdims=True)  # (H, W, 1)
    painted: NDArray[np.bool_] = pixels[..., -1] > 0
    return painted
