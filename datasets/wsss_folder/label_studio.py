"""Boxes, outlines and choices from Label Studio's JSON export.

A task holds annotations, these a list of results; a result has its labels under the name of its type:
{"type": "rectanglelabels", "value": {"x": 10, "y": 20, "width": 30, "height": 5, "rotation": 0, "rectanglelabels":
["cat"]}, "original_width": 640, ...}; coordinates are percent of the image.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from wsss_cli.errors import WsssError
from wsss_folder.documents import read_json
from wsss_folder.matching import stem
from wsss_folder.record import Record, Source, Thing, around

Points = list[tuple[float, float]]


def read_label_studio(path: Path) -> Source:
    """One record per task; cancelled annotations are left out, several of one task are added up.

    Raises WsssError naming the file and the task: truncated, another kind of export, a task without an image.
    """
    content = read_json(path)
    if not isinstance(content, list) or not all(isinstance(task, dict) for task in content):
        raise WsssError(f"{path} is no Label Studio export: it is not a list of tasks", "export as JSON")
    if content and "data" not in content[0]:
        raise WsssError(
            f'{path} is no full Label Studio export: its tasks have no "data"', "export as JSON, not JSON-MIN"
        )
    return Source("Label Studio JSON", path, [_record(task, path) for task in content])


def _record(task: dict[str, Any], path: Path) -> Record:
    where = f"{path}, task {task.get('id', '?')}"
    names = _names(task)
    if not names:
        raise WsssError(f"{where} has no image in its data", "this importer reads tasks on images only")
    given = [a for a in task.get("annotations") or [] if not a.get("was_cancelled")]
    results = [r for a in given for r in a.get("result") or []]
    tags: list[str] = []
    things: list[Thing] = []
    try:
        for result in results:
            labels = _labels(result)
            tags += labels
            points = _points(result)
            outlined = "width" not in result["value"]
            things += [_thing(label, points, outlined) for label in labels] if points else []
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        problem = WsssError(
            f"{where}: a result cannot be read: {error!r}", "correct it in Label Studio and export again"
        )
        return Record(names, where, problem=problem)
    return Record(names, where, tuple(dict.fromkeys(tags)), tuple(things), _size(results))


def _names(task: dict[str, Any]) -> tuple[str, ...]:
    """What the image can be called: the path of local storage, or the uploaded file with and without its prefix."""
    values = [v for v in (task.get("data") or {}).values() if isinstance(v, str)]
    image = next((v for v in values if stem(_path(v)) != _path(v)), None)
    if image is None:
        return ()
    path = _path(image)
    file = path.rpartition("/")[2]
    plain = re.sub(r"^[0-9a-f]{8}-", "", file)
    uploaded = "/data/upload/" in image or bool(task.get("file_upload"))
    return tuple(dict.fromkeys((plain, file) if uploaded else (path, file, plain)))


def _path(image: str) -> str:
    """The path in a URL: that of ?d= for local files, unquoted."""
    parts = urlsplit(image)
    local = parse_qs(parts.query).get("d")
    if local:
        return local[0]
    return unquote(parts.path) if parts.scheme else unquote(image)


def _labels(result: dict[str, Any]) -> list[str]:
    """The labels of a result; [] for text, ratings and relations."""
    kind = result.get("type", "")
    if not (kind == "choices" or kind.endswith("labels")):
        return []
    return [str(label).strip() for label in result["value"].get(kind) or []]


def _points(result: dict[str, Any]) -> Points | None:
    """The outline in shares of the image: of a box (turned about its upper left corner), polygon or ellipse."""
    value = result["value"]
    width, height = result.get("original_width") or 1, result.get("original_height") or 1
    if "points" in value:
        return [(float(x) / 100, float(y) / 100) for x, y in value["points"]]
    if "radiusX" in value:
        corners = _ellipse(value["radiusX"] / 100 * width, value["radiusY"] / 100 * height)
    elif "width" in value and "height" in value and "rle" not in value:
        w, h = value["width"] / 100 * width, value["height"] / 100 * height
        corners = [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)]
    else:
        return None
    turn = math.radians(value.get("rotation") or 0)
    cos, sin = math.cos(turn), math.sin(turn)
    x, y = value["x"] / 100, value["y"] / 100
    return [(x + (u * cos - v * sin) / width, y + (u * sin + v * cos) / height) for u, v in corners]


def _ellipse(a: float, b: float) -> Points:
    return [(a * math.cos(t * math.tau / 64), b * math.sin(t * math.tau / 64)) for t in range(64)]


def _thing(label: str, points: Points, outlined: bool) -> Thing:
    flat = tuple(value for point in points for value in point)
    return Thing(label, around(flat[::2], flat[1::2]), relative=True, polygons=(flat,) if outlined else ())


def _size(results: list[dict[str, Any]]) -> tuple[int, int] | None:
    sizes = [(r.get("original_width"), r.get("original_height")) for r in results]
    return next(((int(w), int(h)) for w, h in sizes if w and h), None)
