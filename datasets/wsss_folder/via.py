"""Boxes and outlines of the VGG Image Annotator: version 2 and 1 as JSON, project or CSV, version 3 as project."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from wsss_cli.checks.finding import some
from wsss_cli.errors import WsssError
from wsss_folder.documents import read_json, read_text
from wsss_folder.record import NAMELESS, Record, Source, Thing, around
from wsss_folder.shapes import Point, box, ellipse, flat, turned

USUAL = ("class", "label", "name", "type", "category", "object", "class_name")
KINDS_3 = {1: "point", 2: "rect", 3: "circle", 4: "ellipse", 5: "line", 6: "polyline", 7: "polygon"}  # VIA 3's numbers
COLUMN = "region_shape_attributes"
AGAIN = "export it again"


class Region(NamedTuple):
    """What was drawn, with VIA 2's names, and the attributes of it."""

    shape: dict[str, Any]
    attributes: dict[str, Any]


def read_via(path: Path, attribute: str = "auto") -> Source:
    """One record per image; one without a region is unlabelled.  attribute  of regions, which holds the class.

    Raises WsssError naming the file: another format, an attribute that is not there, or several that could be meant.
    """
    images = _from_csv(path) if path.suffix.lower() == ".csv" else _from_json(path)
    held = Counter(key for _, regions in images for region in regions for key in region.attributes)
    key = _attribute(path, held, attribute) if held else ""
    return Source("VIA", path, [_record(path, name, regions, key) for name, regions in images])


def is_via(head: str) -> bool:
    """Whether a JSON that begins so is one of VIA."""
    return '"_via_' in head or '"shape_attributes"' in head or ('"fid_list"' in head and '"vid_list"' in head)


def _attribute(path: Path, held: Counter[str], asked: str) -> str:
    if asked != "auto":
        if asked not in held:
            raise WsssError(f"{path}: no region has the attribute '{asked}'", f"there are: {some(list(held))}")
        return asked
    usual = [key for key in held if key.lower() in USUAL]
    if len(held) > 1 and len(usual) != 1:
        what = f"{path}: regions have several attributes ({', '.join(held)}): which is the class?"
        raise WsssError(what, "say so with --via-attribute NAME")
    return usual[0] if usual else next(iter(held))


def _from_json(path: Path) -> list[tuple[str, list[Region]]]:
    content = read_json(path)
    if isinstance(content, dict) and {"file", "metadata", "attribute"} <= content.keys():
        return _version_3(content, path)
    entries = content.get("_via_img_metadata", content) if isinstance(content, dict) else None
    if not (isinstance(entries, dict) and entries and all(_is_image(entry) for entry in entries.values())):
        raise WsssError(f"{path} is no JSON of VIA", "export annotations as JSON, or give the project")
    return [(str(e["filename"]), list(_regions(e["regions"], path))) for e in entries.values()]


def _is_image(entry: Any) -> bool:
    return isinstance(entry, dict) and "filename" in entry and isinstance(entry.get("regions"), dict | list)


def _regions(regions: Any, path: Path) -> Iterator[Region]:
    """A list, or in version 1 a mapping by number."""
    for region in regions.values() if isinstance(regions, dict) else regions:
        if not isinstance(region, dict):
            raise WsssError(f"{path}: a region is a {type(region).__name__}", AGAIN)
        yield _region(region.get("shape_attributes"), region.get("region_attributes") or {}, str(path))


def _region(shape: Any, attributes: Any, where: str) -> Region:
    """Raises WsssError for what is no mapping."""
    for name, value in (("shape_attributes", shape), ("region_attributes", attributes)):
        if not isinstance(value, dict):
            raise WsssError(f'{where}: a region has no "{name}", or of another type', AGAIN)
    return Region(shape, attributes)


def _version_3(content: dict[str, Any], path: Path) -> list[tuple[str, list[Region]]]:
    try:
        names = {id: str(a["aname"]) for id, a in content["attribute"].items()}
        options = {id: a.get("options") or {} for id, a in content["attribute"].items()}
        files = {str(id): str(content["file"][str(v["fid_list"][0])]["fname"]) for id, v in content["view"].items()}
        regions: dict[str, list[Region]] = {id: [] for id in files}
        for entry in content["metadata"].values():
            if entry["z"]:
                raise WsssError(f"{path} annotates a video", "this importer reads images only")
            values = {names[id]: _option(value, options[id]) for id, value in entry["av"].items()}
            if entry["xy"]:
                regions[str(entry["vid"])].append(Region(_shape_3(entry["xy"]), values))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise WsssError(f"{path} cannot be read as a project of VIA 3: {error!r}", "save it again") from error
    return [(name, regions[id]) for id, name in files.items()]


def _option(value: Any, options: dict[str, Any]) -> Any:
    """The words of an option; several of a checkbox are joined by commas."""
    words = [str(options.get(part, part)) for part in str(value).split(",") if part]
    return dict.fromkeys(words, True) if len(words) > 1 else "".join(words)


def _shape_3(xy: list[float]) -> dict[str, Any]:
    kind, values = KINDS_3.get(int(xy[0]), "unknown"), xy[1:]
    keys = {
        "rect": ("x", "y", "width", "height"),
        "circle": ("cx", "cy", "r"),
        "ellipse": ("cx", "cy", "rx", "ry"),
    }
    if kind in keys:
        return {"name": kind, **dict(zip(keys[kind], values, strict=False))}
    return {"name": kind, "all_points_x": values[::2], "all_points_y": values[1::2]}


def _from_csv(path: Path) -> list[tuple[str, list[Region]]]:
    images: dict[str, list[Region]] = {}
    rows = csv.DictReader(io.StringIO(read_text(path)))
    if COLUMN not in (rows.fieldnames or ()):
        raise WsssError(f"{path} is no CSV of VIA: it has no column {COLUMN}", "export annotations as CSV or JSON")
    for row in rows:
        try:
            shape, values = json.loads(row[COLUMN] or "{}"), json.loads(row["region_attributes"] or "{}")
            name = row.get("filename") or row["#filename"]
        except (KeyError, TypeError, ValueError) as error:
            raise WsssError(f"{path}, line {rows.line_num} cannot be read: {error}", AGAIN) from error
        where = f"{path}, line {rows.line_num}"
        images.setdefault(name, []).extend([_region(shape, values, where)] if shape else [])
    return list(images.items())


def _record(path: Path, name: str, regions: list[Region], key: str) -> Record:
    where = f"{path}, '{name}'"
    things, tags, shapeless = [], [], 0
    for region in regions:
        labels = _labels(region.attributes.get(key))
        try:
            points = _outline(region.shape)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            return Record(
                (name,), where, problem=WsssError(f"{where}: a region cannot be read: {error!r}", "correct it")
            )
        if points is None or not labels:
            tags += labels
            shapeless += 1
            continue
        outline = flat(points)
        polygons = () if region.shape["name"] == "rect" else (outline,)
        things += [Thing(label, around(outline[::2], outline[1::2]), polygons=polygons) for label in labels]
    unlabelled = ("" if things or tags else NAMELESS) if regions else "without an annotation"
    return Record((name,), where, tuple(dict.fromkeys(tags)), tuple(things), shapeless=shapeless, unlabelled=unlabelled)


def _labels(value: Any) -> list[str]:
    """Of a text, or of a checkbox's {"cat": true, "dog": false}."""
    words = [word for word, on in value.items() if on] if isinstance(value, dict) else [value]
    return [str(word).strip() for word in words if str(word or "").strip()]


def _outline(shape: dict[str, Any]) -> list[Point] | None:
    """The points around a region; None for what has no area."""
    match shape["name"]:
        case "rect":
            x, y, width, height = (float(shape[k]) for k in ("x", "y", "width", "height"))
            return box(x, y, x + width, y + height)
        case "circle":
            radius = float(shape["r"])
            return turned((float(shape["cx"]), float(shape["cy"])), ellipse(radius, radius), 0)
        case "ellipse":
            half = ellipse(float(shape["rx"]), float(shape["ry"]))
            return turned((float(shape["cx"]), float(shape["cy"])), half, float(shape.get("theta") or 0))
        case "polygon":
            points = [(float(x), float(y)) for x, y in zip(shape["all_points_x"], shape["all_points_y"], strict=True)]
            return points if len(points) > 2 else None
        case _:
            return None
