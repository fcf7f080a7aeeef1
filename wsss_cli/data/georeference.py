"""Where a picture lies on a map: what a GeoTIFF says of itself, or a file beside a picture, GDAL's or a world file."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.images import opened
from wsss_cli.data.xml_file import read_xml
from wsss_cli.errors import WsssError
from wsss_cli.files import writing
from wsss_cli.sound import read_text

Points = NDArray[np.float64]
Matrix = tuple[float, float, float, float, float, float]
SCALE, TIE_POINT, MATRIX, KEYS = 33550, 33922, 34264, 34735  # tags of GeoTIFF 1.1
RASTER_TYPE, GEOGRAPHIC, PROJECTED = 1025, 2048, 3072  # keys within the last of them
POINT, USER_DEFINED = 2, 32767
ORIENTATION = 274
LONGITUDE_LATITUDE = 4326
"""EPSG's code of WGS 84, in which GeoJSON is that says nothing else (RFC 7946, section 4)."""


@dataclass(frozen=True)
class Georeference:
    """x = a column + b row + c, y = d column + e row + f, of matrix (a, b, c, d, e, f), from the picture's corner on.

    size  width and height of the picture;  epsg  the code of the coordinates, 0 if it is not told
    """

    matrix: Matrix
    size: tuple[int, int]
    epsg: int

    def pixels(self, points: Points) -> Points:
        """Columns and rows of places on the map: (n, 2) -> (n, 2); of what is infinite nothing finite."""
        a, b, c, d, e, f = self.matrix
        with np.errstate(invalid="ignore"):
            return (points - (c, f)) @ np.array([[e, -d], [-b, a]]) / (a * e - b * d)

    def places(self, pixels: NDArray[np.int64] | Points) -> Points:
        """The way back: (n, 2) -> (n, 2)."""
        a, b, c, d, e, f = self.matrix
        return pixels @ np.array([[a, d], [b, e]], float) + (c, f)


def georeference(path: Path) -> Georeference | None:
    """Where a picture lies on a map; None if nothing says so that can be read.  Raises WsssError for a picture that
    cannot be opened."""
    with opened(path, path) as image:
        size, tags = image.size, getattr(image, "tag_v2", {})
        if image.getexif().get(ORIENTATION, 1) != 1:  # it is turned when it is read
            return None
        keys = _keys(tags.get(KEYS, ()))
        matrix = _of_tags(tags, keys)
    code = keys.get(PROJECTED, keys.get(GEOGRAPHIC, USER_DEFINED))
    if matrix is None:
        matrix, code = _of_gdal(path) or (_of_world_file(path), code)
    if matrix is None or matrix[0] * matrix[4] == matrix[1] * matrix[3]:
        return None
    return Georeference(matrix, size, 0 if code == USER_DEFINED else code)


def epsg_of(name: str) -> int:
    """The code that the name of a coordinate system has (urn:ogc:def:crs:EPSG::32633, CRS84); 0 if it has none."""
    if "CRS84" in name:
        return LONGITUDE_LATITUDE
    found = re.search(r"EPSG:.*?(\d+)$", name.strip())
    return int(found[1]) if found else 0


def name_of(epsg: int) -> str:
    """The name of a coordinate system in GeoJSON, with x or longitude first."""
    return "urn:ogc:def:crs:OGC:1.3:CRS84" if epsg == LONGITUDE_LATITUDE else f"urn:ogc:def:crs:EPSG::{epsg}"


def lay(picture: Path, place: Georeference | None) -> None:
    """Say of a picture that was made where it lies, in a file beside it that GDAL and QGIS read (NAME.png.aux.xml).

    None: say nothing, and take away what was said of an earlier one.
    """
    pam = _beside(picture)
    if place is None:
        pam.unlink(missing_ok=True)
        return
    a, b, c, d, e, f = place.matrix
    srs = f'<SRS dataAxisToSRSAxisMapping="1,2">EPSG:{place.epsg}</SRS>' if place.epsg else ""
    numbers = ", ".join(map(repr, (c, a, b, f, d, e)))
    with writing(pam, flushed=False) as aside:
        aside.write_text(f"<PAMDataset>{srs}<GeoTransform>{numbers}</GeoTransform></PAMDataset>\n", encoding="utf-8")


def reprojected(points: Points, source: int, target: int) -> Points:
    """Places (n, 2), x or longitude first, from one coordinate system to another; one that is not known is the other.

    What cannot be converted is infinite.  Raises WsssError without pyproj, or for a code that it does not know.
    """
    if source == target or not (source and target):
        return points
    x, y = _transformer(source, target).transform(*points.T)
    return np.stack([x, y], 1)


@functools.cache
def _transformer(source: int, target: int) -> Any:
    try:
        from pyproj import Transformer
    except ImportError as error:
        what = f"the outlines are in EPSG:{source}, the pictures in EPSG:{target}, which only pyproj converts"
        raise WsssError(what, 'pip install "wsss[geo]", or bring them to one: ogr2ogr -t_srs EPSG:...') from error
    try:
        return Transformer.from_crs(source, target, always_xy=True)
    except RuntimeError as error:  # of which pyproj's errors are
        what = f"pyproj does not convert EPSG:{source} to EPSG:{target}: {error}"
        raise WsssError(what, "correct the code that the file names, or export it again") from error


def _keys(directory: Sequence[int]) -> dict[int, int]:
    """The keys whose values are whole numbers: after a head of four come key, place, count, value of each."""
    rows = (directory[n : n + 4] for n in range(4, len(directory) - 3, 4))
    return {row[0]: row[3] for row in rows if row[1] == 0}


def _of_tags(tags: Any, keys: dict[int, int]) -> Matrix | None:
    shift = 0.5 if keys.get(RASTER_TYPE) == POINT else 0.0  # of coordinates that are those of pixels' centres
    if len(matrix := tags.get(MATRIX, ())) == 16:
        a, b, _, c, d, e, _, f = map(float, matrix[:8])
    elif len(scale := tags.get(SCALE, ())) >= 2 and len(tie := tags.get(TIE_POINT, ())) >= 6:
        a, b, d, e = float(scale[0]), 0.0, 0.0, -float(scale[1])
        c, f = tie[3] - tie[0] * a, tie[4] - tie[1] * e
    else:
        return None
    return a, b, c - shift * (a + b), d, e, f - shift * (d + e)


def _of_gdal(path: Path) -> tuple[Matrix, int] | None:
    """What GDAL, or `lay`, wrote beside a picture that has no place for it; the code is the last that SRS names."""
    pam = _beside(path)
    if not pam.is_file():
        return None
    try:
        root = read_xml(pam)
        c, a, b, f, d, e = map(float, (root.findtext("GeoTransform") or "").split(","))
    except (WsssError, ValueError):  # with statistics only, for one
        return None
    codes = re.findall(r"EPSG\W+(\d+)", root.findtext("SRS") or "")
    return (a, b, c, d, e, f), int(codes[-1]) if codes else 0


def _beside(picture: Path) -> Path:
    return picture.with_name(f"{picture.name}.aux.xml")


def _of_world_file(path: Path) -> Matrix | None:
    """Six lines a, d, b, e, c, f of which the last two are the centre of the first pixel."""
    ending = path.suffix
    ends = (f"{ending[:2]}{ending[-1:]}w", f"{ending[:2]}{ending[-1:]}W", f"{ending}w", f"{ending}W", ".wld", ".WLD")
    found = next((path.with_suffix(end) for end in ends if path.with_suffix(end).is_file()), None)
    try:
        a, d, b, e, c, f = map(float, read_text(found).split() if found else ())
    except (WsssError, ValueError):
        return None
    return a, b, c - (a + b) / 2, d, e, f - (d + e) / 2
