"""Outlines from GeoJSON in pixels, as QuPath exports it: one file per image.

{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[x, y],
...], [hole], ...]}, "properties": {"objectType": "annotation", "classification": {"name": "Tumor"}}}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsss_cli.data.image_files import files_below
from wsss_cli.errors import WsssError
from wsss_folder.documents import read_json
from wsss_folder.record import NAMELESS, Record, Source, Thing, around

ENDING = ".geojson"
NAMES = ("classification", "label", "class", "class_name", "category", "name")  # properties that hold the class
CORRECT = "export it again"


def read_geojson(place: Path) -> Source:
    """One record per .geojson in a folder and below, or of one file; points and lines give a tag only.

    Raises WsssError if there is none.
    """
    if not place.exists():
        raise WsssError(f"there is no {place}", "give the folder of the .geojson files with --geojson")
    files = [place] if place.is_file() else list(files_below(place, (ENDING,)))
    if not files:
        raise WsssError(f"{place} holds no {ENDING}", "give the folder of the .geojson files with --geojson")
    folder = place.parent if place.is_file() else place
    return Source("GeoJSON", place, [_record(path, folder) for path in files])


def _record(path: Path, folder: Path) -> Record:
    below = path.relative_to(folder).as_posix().removesuffix(path.suffix)
    record = Record((below, path.stem), str(path))
    try:
        features = list(_features(read_json(path), path))
        read = [_read(feature) for feature in features]
    except WsssError as error:
        return replace(record, problem=error)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        return replace(record, problem=WsssError(f"{path}: a feature cannot be read: {error!r}", CORRECT))
    things = tuple(thing for thing in read if isinstance(thing, Thing))
    tags = tuple(dict.fromkeys(name for name in read if isinstance(name, str) and name))
    nameless = bool(read) and not things and not tags
    shapeless = len(read) - len(things)
    return replace(record, tags=tags, things=things, shapeless=shapeless, unlabelled=NAMELESS if nameless else "")


def _features(content: Any, path: Path) -> Iterator[dict[str, Any]]:
    """Of a collection, a list of features, or one of them.  Raises WsssError for map coordinates, or another format."""
    if isinstance(content, dict) and content.get("crs"):
        what = f"{path} is in the coordinates of a map ({content['crs']}), not in pixels"
        raise WsssError(what[:300], "burn it into masks, with GDAL's gdal_rasterize for example, and give --masks")
    found = content.get("features", [content]) if isinstance(content, dict) else content
    for feature in found if isinstance(found, list) else [None]:
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise WsssError(f"{path} is no GeoJSON of features", "export annotations as GeoJSON")
        yield feature


def _read(feature: dict[str, Any]) -> Thing | str:
    """The object of a feature; of a point, a line or a region without a class, the class or ""."""
    name, geometry = _name(feature.get("properties") or {}), feature.get("geometry") or {}
    areas = {"Polygon": lambda: [geometry["coordinates"]], "MultiPolygon": lambda: geometry["coordinates"]}
    if not name or geometry.get("type") not in areas:
        return name
    polygons = tuple(_cut([_ring(ring) for ring in rings]) for rings in areas[geometry["type"]]())
    numbers = [number for polygon in polygons for number in polygon]
    return Thing(name, around(tuple(numbers[::2]), tuple(numbers[1::2])), polygons=polygons)


def _name(properties: dict[str, Any]) -> str:
    value = next((properties[key] for key in NAMES if properties.get(key)), "")
    named = value.get("name") or " ".join(value.get("names") or []) if isinstance(value, dict) else value
    return str(named or "").strip()


def _ring(points: list[list[float]]) -> list[float]:
    if len(points) < 3:
        raise ValueError(f"a ring has {len(points)} points")
    return [float(value) for point in points for value in point[:2]]


def _cut(rings: list[list[float]]) -> tuple[float, ...]:
    """One outline of an outer ring and its holes: a cut to each hole is gone through twice, which leaves it out."""
    outer, *holes = rings
    start = outer[:2]
    return (*outer, *start, *(value for hole in holes for value in (*hole, *hole[:2], *start)))
