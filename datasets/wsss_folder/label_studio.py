"""Boxes, outlines and choices from Label Studio's JSON export.

A task holds annotations, these a list of results; a result has its labels under the name of its type:
{"type": "rectanglelabels", "value": {"x": 10, "y": 20, "width": 30, "height": 5, "rotation": 0, "rectanglelabels":
["cat"]}, "original_width": 640, ...}; coordinates are percent of the image.  Results of one id are one region.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wsss_cli.errors import WsssError
from wsss_folder.documents import read_json
from wsss_folder.label_studio_min import TABLES, from_min, is_min, read_rows
from wsss_folder.label_studio_regions import has_shape, read_region
from wsss_folder.matching import stem, url_path, without_upload
from wsss_folder.record import NAMELESS, Record, Source, Thing

VIDEO = (".mp4", ".webm", ".avi", ".mov", ".mkv")
AGAIN = "correct it in Label Studio and export again"


def read_label_studio(path: Path) -> Source:
    """One record per task; of several annotations of one task the ground truth counts, else they are added up.

    Cancelled annotations, drafts and predictions are none: a task with nothing else is unlabelled.
    Raises WsssError naming the file and the task: truncated, another kind of export, a task without an image.
    """
    content: Any = read_rows(path) if path.suffix.lower() in TABLES else read_json(path)
    if not isinstance(content, list) or not all(isinstance(task, dict) for task in content):
        raise WsssError(f"{path} is no Label Studio export: it is not a list of tasks", "export as JSON")
    notes = []
    if content and is_min(content[0]):
        content, columns = from_min(content)
        notes = (
            [f"JSON-MIN and CSV do not tell choices from texts: {', '.join(columns)} taken as tags"] if columns else []
        )
    elif content and "data" not in content[0]:
        raise WsssError(f'{path} is no Label Studio export: its tasks have no "data"', "export as JSON")
    for task in content:
        _require_form(task, path)
    names = _Names(content)
    records = [_record(task, path, names) for task in content]
    kind = "CSV" if path.suffix.lower() in TABLES else "JSON"
    return Source(f"Label Studio {kind}", path, records, notes=(*notes, *_notes(content)))


def _require_form(task: dict[str, Any], path: Path) -> None:
    """Raises WsssError naming the task if a part that holds others is of another type."""
    parts = [("data", task.get("data"), dict), ("annotations", _given(task), list)]
    parts += [
        ("result", a.get("result"), list)
        for a in (_given(task) if isinstance(_given(task), list) else ())
        if isinstance(a, dict)
    ]
    for name, part, kind in parts:
        if part and not isinstance(part, kind):
            what = f'{_where(path, task)}: "{name}" is a {type(part).__name__}'
            raise WsssError(what, f"it must be a {kind.__name__}: {AGAIN}")


def _where(path: Path, task: dict[str, Any]) -> str:
    return f"{path}, task {task.get('id', '?')}"


def _notes(tasks: list[dict[str, Any]]) -> list[str]:
    several = sum(len(_counting(task)) > 1 for task in tasks)
    return [f"{several} tasks have several annotations, which are added up"] if several else []


def _given(task: dict[str, Any]) -> list[Any]:
    return task.get("annotations") or task.get("completions") or []


def _counting(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The annotations of a task that count: those marked as ground truth, else all that were not cancelled."""
    done = [a for a in _given(task) if isinstance(a, dict) and not (a.get("was_cancelled") or a.get("skipped"))]
    return [a for a in done if a.get("ground_truth")] or done


def _record(task: dict[str, Any], path: Path, taxonomy: _Names) -> Record:
    where = _where(path, task)
    names = _image_names(task, where)
    annotations = _counting(task)
    if not annotations:
        return Record(names, where, unlabelled=_why(task))
    record = Record(names, where)
    for annotation in annotations:
        try:
            record = _with(record, annotation.get("result") or [], taxonomy)
        except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
            return Record(names, where, problem=WsssError(f"{where}: a result cannot be read: {error!r}", AGAIN))
    nothing = record.shapeless and not (record.tags or record.things)
    return replace(record, unlabelled=NAMELESS) if nothing else record


def _with(record: Record, results: list[dict[str, Any]], taxonomy: _Names) -> Record:
    """The record with what one annotation says."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for number, result in enumerate(results):
        if isinstance(result.get("value"), dict):  # relations have none
            groups.setdefault(result.get("id") or number, []).append(result)
    tags: list[str] = []
    things: list[Thing] = []
    shapeless = 0
    for group in groups.values():
        labels = [label for result in group for label in _labels(result)]
        shaped = [result for result in group if has_shape(result)]
        if not shaped:
            tags += [*labels, *(tag for result in group for tag in taxonomy.choices(result))]
            continue
        found = [thing for label in labels if (thing := read_region(shaped[0], label)) is not None]
        things += found
        if not found:
            tags += labels
            shapeless += max(len(labels), 1)
    return replace(
        record,
        tags=tuple(dict.fromkeys((*record.tags, *tags))),
        things=(*record.things, *things),
        size=record.size or _size(results),
        shapeless=record.shapeless + shapeless,
    )


def _labels(result: dict[str, Any]) -> list[str]:
    """The labels of a region: its class; choices, texts and ratings of a region are attributes."""
    kind = str(result.get("type", ""))
    return [str(label).strip() for label in _listed(result["value"].get(kind))] if kind.endswith("labels") else []


def _listed(value: Any) -> list[Any]:
    """One word, where a program writes it alone, or a list of them."""
    return [value] if isinstance(value, str) else value or []


@dataclass
class _Names:
    """Choices of whole images; those of a taxonomy by the last word of their path, unless that means several."""

    tasks: list[dict[str, Any]]

    def __post_init__(self) -> None:
        results = (r for t in self.tasks for a in _counting(t) for r in a.get("result") or [] if isinstance(r, dict))
        values = (r["value"].get("taxonomy") for r in results if isinstance(r.get("value"), dict))
        paths = {tuple(map(str, way)) for value in values if isinstance(value, list) for way in value if way}
        self.ends = Counter(way[-1] for way in paths)

    def choices(self, result: dict[str, Any]) -> list[str]:
        value = result["value"]
        if result.get("type") == "choices":
            return [str(choice).strip() for choice in _listed(value.get("choices"))]
        ways = [tuple(map(str, way)) for way in value.get("taxonomy") or []]
        return [(way[-1] if self.ends[way[-1]] == 1 else "/".join(way)).strip() for way in ways if way]


def _why(task: dict[str, Any]) -> str:
    """Why a task without an annotation that counts has none."""
    if _given(task):
        return "skipped"
    if task.get("drafts"):
        return "a draft only"
    return "predicted only" if task.get("predictions") else "never annotated"


def _image_names(task: dict[str, Any], where: str) -> tuple[str, ...]:
    """What the image can be called: the path of local storage, or the uploaded file with and without its prefix.

    Raises WsssError if the task has no image, or several.
    """
    data = task.get("data") or {}
    values = [value for value in data.values() if isinstance(value, str)]
    image = next((value for value in values if stem(url_path(value)) != url_path(value)), None)
    if image is None:
        raise WsssError(f"{where} has {_instead(data)} in its data", "this importer reads tasks on one image only")
    path = url_path(image)
    file = path.rpartition("/")[2]
    plain = without_upload(file)
    uploaded = "/data/upload/" in image or bool(task.get("file_upload"))
    return tuple(dict.fromkeys((plain, file) if uploaded else (path, file, plain)))


def _instead(data: dict[str, Any]) -> str:
    values = [value for value in data.values() if isinstance(value, str)]
    if any(url_path(value).lower().endswith(VIDEO) for value in values):
        return "a video"
    lists = [value for value in data.values() if isinstance(value, list) and value]
    return "several images" if lists else "no image"


def _size(results: list[dict[str, Any]]) -> tuple[int, int] | None:
    sizes = [(r.get("original_width"), r.get("original_height")) for r in results]
    return next(((int(w), int(h)) for w, h in sizes if w and h), None)
