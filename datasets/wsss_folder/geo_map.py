"""Outlines in the coordinates of a map, brought to the pixels of the pictures that they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from wsss_cli.data.georeference import LONGITUDE_LATITUDE, Georeference, Points, reprojected
from wsss_cli.errors import WsssError
from wsss_folder.catalogue import Found
from wsss_folder.record import NAMELESS, Record, cut, outlined

DEGREES = (180.0, 90.0)
LEAST = 0.5
"""Square pixels of an object at a picture's border that are taken for it."""


@dataclass(frozen=True)
class Feature:
    """Its class, "" for none; its polygons, each an outer ring and holes (n, 2); every point of it."""

    name: str
    polygons: tuple[tuple[Points, ...], ...]
    points: Points


@dataclass(frozen=True)
class Layer:
    """The features of a file;  epsg  the code of their coordinates, None if it tells none, 0 if an unknown one."""

    path: Path
    features: tuple[Feature, ...]
    epsg: int | None
    _known: dict[int, Points] = field(default_factory=dict, init=False, repr=False, compare=False)

    def code(self, place: Georeference) -> int:
        """The code of the coordinates: those of the picture where neither tells, else degrees where they can be."""
        if self.epsg is not None:
            return self.epsg or place.epsg
        return LONGITUDE_LATITUDE if place.epsg and self._degrees else place.epsg

    def is_of_map(self, place: Georeference) -> bool:
        """Whether its coordinates, which nothing names, are those of the map, not pixels of the picture.

        Pixels lie all within it, and one feature is larger than a pixel; where a picture is in degrees, what lies in it
        by these is of the map.
        """
        if not len(self._corners):
            return False
        low, high = self._corners[:, :2], self._corners[:, 2:]
        within = (low >= -1).all() and (high <= np.add(place.size, 1)).all() and (high - low).max() > 1
        return bool((not within or place.epsg == LONGITUDE_LATITUDE) and self.touches(place))

    def touches(self, place: Georeference) -> bool:
        """Whether a feature lies in the picture."""
        return bool(len(self._near(place)))

    def record(self, image: Found, place: Georeference, nothing: str) -> Record:
        """What it says of a picture;  nothing  why one in which nothing lies has no label, "" if it has that."""
        width, height = place.size
        things, tags, shapeless = [], [], 0
        for feature in (self._located[n] for n in self._near(place)):
            if not feature.polygons:
                tags += [feature.name] if feature.name else []
                shapeless += 1
                continue
            parts = [tuple(self._pixels(ring, place) for ring in rings) for rings in feature.polygons]
            if not all(np.isfinite(ring).all() for rings in parts for ring in rings):
                return Record((image.name,), str(self.path), problem=self._too_far(feature, place))
            outlines = [outline for rings in parts if (outline := _outline(rings, width, height))]
            if not outlines:
                continue
            things += [outlined(feature.name, outlines)] if feature.name else []
            shapeless += not feature.name
        unlabelled = "" if things or tags else NAMELESS if shapeless else nothing
        where = f"{self.path}, in {image.name}"
        return Record(
            (image.name,), where, tuple(dict.fromkeys(tags)), tuple(things), shapeless=shapeless, unlabelled=unlabelled
        )

    def _too_far(self, feature: Feature, place: Georeference) -> WsssError:
        what = f"{self.path}: an outline of '{feature.name}' cannot be brought to EPSG:{place.epsg}: it reaches too far"
        return WsssError(what, "cut it to the region of the images")

    def _near(self, place: Georeference) -> Sequence[int]:
        """The features whose bounds meet those of the picture, on the map."""
        if not len(self._corners):
            return ()
        low, high = np.split(self._bounds(place), 2, axis=1)  # (F, 2) each
        width, height = place.size
        corners = place.places(np.array([[0, 0], [width, 0], [width, height], [0, height]]))
        meets: Sequence[int] = np.flatnonzero(((high >= corners.min(0)) & (low <= corners.max(0))).all(1)).tolist()
        return meets

    def _bounds(self, place: Georeference) -> Points:
        """Least and greatest x and y of each feature (F, 4), in the coordinates of a picture."""
        if place.epsg not in self._known:
            corners = self._corners[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].reshape(-1, 2)  # (4 F, 2)
            found = reprojected(corners, self.code(place), place.epsg).reshape(-1, 4, 2)
            far = ~np.isfinite(found).all(axis=(1, 2))  # of which it is not known where they end
            found[far] = np.array([[-np.inf, -np.inf], [np.inf, np.inf], [0, 0], [0, 0]])
            self._known[place.epsg] = np.concatenate([found.min(1), found.max(1)], axis=1)
        return self._known[place.epsg]

    def _pixels(self, points: Points, place: Georeference) -> Points:
        return place.pixels(reprojected(points, self.code(place), place.epsg))

    @cached_property
    def _corners(self) -> Points:
        """Least and greatest x and y of each feature: (F, 4)."""
        return np.array([[*f.points.min(0), *f.points.max(0)] for f in self._located]).reshape(-1, 4)

    @cached_property
    def _located(self) -> tuple[Feature, ...]:
        """The features that have a place."""
        return tuple(feature for feature in self.features if len(feature.points))

    @cached_property
    def _degrees(self) -> bool:
        return bool((np.abs(self._corners).reshape(-1, 2) <= DEGREES).all())


def _outline(rings: Sequence[Points], width: int, height: int) -> tuple[float, ...]:
    """The part of a polygon within a picture, () if that is next to nothing."""
    outer, *holes = (_clipped(ring, (width, height)) for ring in rings)
    if _area(outer) < LEAST:
        return ()
    return cut([ring.ravel().tolist() for ring in (outer, *(hole for hole in holes if _area(hole) > 0))])


def _clipped(ring: Points, size: tuple[int, int]) -> Points:
    """The part of a ring within 0 and size, border by border.  [Sutherland and Hodgman, CACM 1974]"""
    if (ring >= 0).all() and (ring <= size).all():
        return ring
    for axis in (0, 1):
        for sign, bound in ((1.0, 0.0), (-1.0, -float(size[axis]))):
            ring = _half(ring, ring[:, axis] * sign - bound) if len(ring) else ring
    return ring


def _half(ring: Points, inside: Points) -> Points:
    """The part of a ring whose distance to a border, `inside` of each point, is not negative."""
    return np.array([*_kept(ring, inside)]).reshape(-1, 2)


def _kept(ring: Points, inside: Points) -> Iterator[Points]:
    for n in range(len(ring)):
        before, here = inside[n - 1], inside[n]
        if (before < 0) != (here < 0):
            yield ring[n - 1] + (ring[n] - ring[n - 1]) * (before / (before - here))
        if here >= 0:
            yield ring[n]


def _area(ring: Points) -> float:
    if len(ring) < 3:
        return 0.0
    x, y = ring.T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)
