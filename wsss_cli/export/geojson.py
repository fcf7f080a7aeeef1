"""GeoJSON: of pictures that say where they lie, on the map, one file for each coordinate system; of others, in pixels,
one file for each, as QuPath reads them.

Lines run along the sides of pixels, holes are rings of their own, and on the map outer rings go counter-clockwise (RFC
7946).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from wsss_cli.console import Tick
from wsss_cli.data.georeference import Georeference, Points, georeference, name_of
from wsss_cli.data.labels import voc_palette
from wsss_cli.data.prepared import Sample
from wsss_cli.export.contours import Ring
from wsss_cli.export.source import Form, Source


def write(source: Source, folder: Path, form: Form, tick: Tick) -> None:
    """EPSG_<code>.geojson with all pieces there, and geojson/<image's name>.geojson of every other image, also where
    nothing is in it."""
    with ExitStack() as stack:
        maps: dict[int, _Collection] = {}
        for sample, (place, features) in source.each(lambda sample: _features(source, sample, form), tick):
            if place is None:
                path = folder / "geojson" / f"{source.image_name(sample)}.geojson"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(_text({"type": "FeatureCollection", "features": features}), encoding="utf-8")
                continue
            if place.epsg not in maps:
                file = stack.enter_context((folder / f"EPSG_{place.epsg}.geojson").open("w", encoding="utf-8"))
                maps[place.epsg] = stack.enter_context(_Collection(file, place.epsg))
            maps[place.epsg].add(features)


class _Collection:
    """A file of features that are written one after the other."""

    def __init__(self, file: TextIO, epsg: int) -> None:
        self.file, self.first = file, True
        crs = {"type": "name", "properties": {"name": name_of(epsg)}}
        file.write(f'{{"type": "FeatureCollection", "crs": {_text(crs)}, "features": [')

    def add(self, features: list[dict[str, Any]]) -> None:
        for feature in features:
            self.file.write(f"{'' if self.first else ','}\n{_text(feature)}")
            self.first = False

    def __enter__(self) -> _Collection:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.file.write("\n]}\n")


def _features(source: Source, sample: Sample, form: Form) -> tuple[Georeference | None, list[dict[str, Any]]]:
    place = georeference(sample.image)
    place = place if place is not None and place.epsg else None
    return place, list(_each(source, sample, form, place))


def _each(source: Source, sample: Sample, form: Form, place: Georeference | None) -> Iterator[dict[str, Any]]:
    names = source.data.info.classes
    palette = source.data.info.palette or voc_palette(len(names) + 1)
    for piece in source.pieces(sample, form):
        name = names[piece.label - 1]
        rings = form.rings(piece) if place is None else _on_map(form.rings(piece), place)
        told: dict[str, Any] = {"class": name, "image": sample.id, "pixels": piece.area}
        if place is None:
            colour = list(palette[piece.label])
            told = {"objectType": "annotation", "classification": {"name": name, "color": colour}}
        geometry = {"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()] for ring in rings]}
        yield {"type": "Feature", "geometry": geometry, "properties": told}


def _on_map(rings: list[Ring], place: Georeference) -> list[Points]:
    """The rings on the map, the outer one counter-clockwise, whichever way the picture's rows and columns go."""
    found = [place.places(ring) for ring in rings]
    x, y = found[0].T - found[0].mean(0)[:, None]
    return found if x @ np.roll(y, -1) > y @ np.roll(x, -1) else [ring[::-1] for ring in found]


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)
