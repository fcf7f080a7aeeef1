"""Outlines from GeoJSON: in pixels, as QuPath exports it, one file per image; or in the coordinates of a map.

{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[x, y],
...], [hole], ...]}, "properties": {"objectType": "annotation", "classification": {"name": "Tumor"}}}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from wsss_cli.data.georeference import Georeference, Points, epsg_of, georeference
from wsss_cli.data.image_files import files_below
from wsss_cli.errors import WsssError
from wsss_folder.catalogue import Found
from wsss_folder.documents import read_json
from wsss_folder.geo_map import Feature, Layer
from wsss_folder.matching import Finder
from wsss_folder.record import NAMELESS, Record, Source, cut, outlined

ENDING = ".geojson"
NAMES = ("classification", "label", "class", "class_name", "category")  # properties that hold the class
OWN_NAME = "name"  # that may too, or be a street's
CORRECT = "export it again"


@dataclass(frozen=True)
class Pictures:
    """The images that outlines in the coordinates of a map may lie in."""

    images: Sequence[Found]
    finder: Finder

    def own(self, names: Sequence[str]) -> Found | None:
        """The image that a file is called after."""
        return self.images[self.finder.find(names)] if self.finder.has(*names) else None

    def place_of(self, image: Found) -> Georeference | None:
        """Where on the map an image lies; None of one that cannot be opened, which is told when it is read."""
        try:
            return georeference(image.path)
        except WsssError:
            return None

    @cached_property
    def placed(self) -> list[tuple[Found, Georeference]]:
        """Those of which it is known where on the map they lie."""
        found = [(image, self.place_of(image)) for image in self.images]
        return [(image, place) for image, place in found if place is not None]


NONE = Pictures((), Finder(()))


def read_geojson(place: Path, pictures: Pictures = NONE, asked: Sequence[str] = ()) -> Source:
    """One record per .geojson in a folder and below, or of one file; points and lines give a tag only.

    One in the coordinates of a map has a record for the image that it is called after, else for each that lies on it.
    asked  the classes, of which a lone one may be left unsaid.  Raises WsssError if there is none.
    """
    if not place.exists():
        raise WsssError(f"there is no {place}", "give the folder of the .geojson files with --geojson")
    files = [place] if place.is_file() else list(files_below(place, (ENDING,)))
    if not files:
        raise WsssError(f"{place} holds no {ENDING}", "give the folder of the .geojson files with --geojson")
    folder = place.parent if place.is_file() else place
    keys = NAMES if len(asked) == 1 else (*NAMES, OWN_NAME)
    read = [(path, _names(path, folder), _layer(path, keys)) for path in files]
    layers = [layer for _, _, layer in read if isinstance(layer, Layer)]
    if len(asked) == 1 and not any(feature.name for layer in layers for feature in layer.features):
        read = [(path, names, _called(layer, asked[0])) for path, names, layer in read]
    records = [record for path, names, layer in read for record in _records(path, names, layer, pictures)]
    whole = set(map(str, files))  # where records of a file as it is are from
    placed = len({record.names for record in records if record.where not in whole})
    note = (f"{place.name}: outlines in the coordinates of a map, on which {placed} images lie",) if placed else ()
    return Source("GeoJSON", place, records, notes=note)


def _names(path: Path, folder: Path) -> tuple[str, str]:
    return path.relative_to(folder).as_posix().removesuffix(path.suffix), path.stem


def _layer(path: Path, keys: Sequence[str]) -> Layer | WsssError:
    try:
        content = read_json(path)
        features = tuple(_feature(feature, keys) for feature in _features(content, path))
        return Layer(path, features, _epsg(content))
    except WsssError as error:
        return error
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        return WsssError(f"{path}: a feature cannot be read: {error!r}", CORRECT)


def _called(layer: Layer | WsssError, name: str) -> Layer | WsssError:
    if isinstance(layer, WsssError):
        return layer
    return replace(layer, features=tuple(replace(feature, name=name) for feature in layer.features))


def _records(path: Path, names: tuple[str, str], layer: Layer | WsssError, pictures: Pictures) -> Iterator[Record]:
    if isinstance(layer, WsssError):
        yield Record(names, str(path), problem=layer)
        return
    own = pictures.own(names)
    place = pictures.place_of(own) if own is not None else None
    if own is None:
        places = pictures.placed
    else:
        places = [(own, place)] if place is not None and (layer.epsg is not None or layer.is_of_map(place)) else []
    if places:
        nothing = "" if own is not None else "without an annotation"
        yield from (layer.record(image, place, nothing) for image, place in places)
    elif layer.epsg is None:
        yield _in_pixels(path, names, layer)
    else:
        what = f"{path} is in the coordinates of a map, and of no image is known where on it it lies"
        remedy = "give GeoTIFFs or world files; or burn it into masks (gdal_rasterize), and give --masks"
        yield Record(names, str(path), problem=WsssError(what, remedy))


def _in_pixels(path: Path, names: tuple[str, str], layer: Layer) -> Record:
    things, tags = [], []
    for feature in layer.features:
        if feature.name and feature.polygons:
            polygons = [cut([ring.ravel().tolist() for ring in rings]) for rings in feature.polygons]
            things.append(outlined(feature.name, polygons))
        elif feature.name:
            tags.append(feature.name)
    nameless = bool(layer.features) and not things and not tags
    return Record(
        names,
        str(path),
        tuple(dict.fromkeys(tags)),
        tuple(things),
        shapeless=len(layer.features) - len(things),
        unlabelled=NAMELESS if nameless else "",
    )


def _epsg(content: Any) -> int | None:
    crs = content.get("crs") if isinstance(content, dict) else None
    if not crs:
        return None
    named = (crs.get("properties") or crs).get("name") if isinstance(crs, dict) else crs
    return epsg_of(str(named))


def _features(content: Any, path: Path) -> Iterator[dict[str, Any]]:
    """Of a collection, a list of features, or one of them.  Raises WsssError for another format."""
    found = content.get("features", [content]) if isinstance(content, dict) else content
    for feature in found if isinstance(found, list) else [None]:
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise WsssError(f"{path} is no GeoJSON of features", "export annotations as GeoJSON")
        yield feature


def _feature(feature: dict[str, Any], keys: Sequence[str]) -> Feature:
    geometry = feature.get("geometry") or {}
    areas = {"Polygon": lambda: [geometry["coordinates"]], "MultiPolygon": lambda: geometry["coordinates"]}
    found = areas[geometry["type"]]() if geometry.get("type") in areas else []
    polygons = tuple(tuple(map(_ring, rings)) for rings in found)
    if not all(polygons):
        raise ValueError("a polygon has no ring")
    points = np.array([*_points(geometry.get("coordinates") or [])], float).reshape(-1, 2)
    return Feature(_name(feature.get("properties") or {}, keys), polygons, points)


def _name(properties: dict[str, Any], keys: Sequence[str]) -> str:
    value = next((properties[key] for key in keys if properties.get(key)), "")
    named = value.get("name") or " ".join(value.get("names") or []) if isinstance(value, dict) else value
    return str(named or "").strip()


def _ring(points: list[list[float]]) -> Points:
    if len(points) < 3:
        raise ValueError(f"a ring has {len(points)} points")
    return np.array([point[:2] for point in points], float)


def _points(coordinates: list[Any]) -> Iterator[list[float]]:
    """Every point of a geometry, however deep its lists are."""
    if coordinates and not isinstance(coordinates[0], list):
        yield [float(value) for value in coordinates[:2]]
        return
    for inner in coordinates:
        yield from _points(inner)
