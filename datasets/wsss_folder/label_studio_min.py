"""Label Studio's JSON-MIN, one flat entry per annotation, as the tasks of its JSON."""

from __future__ import annotations

from typing import Any

FIRST, LAST = "id", "annotator"  # what was annotated stands between these two keys


def is_min(task: dict[str, Any]) -> bool:
    """Whether an entry is one of JSON-MIN."""
    return "data" not in task and "annotation_id" in task


def from_min(entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The tasks, entries of one id joined; and the columns of single words, which may be choices or texts."""
    tasks: dict[Any, dict[str, Any]] = {}
    words: dict[str, None] = {}
    for entry in entries:
        keys = list(entry)
        answers = keys[keys.index(FIRST) + 1 : keys.index(LAST)] if {FIRST, LAST} <= entry.keys() else []
        data = {key: value for key, value in entry.items() if key not in answers}
        task = tasks.setdefault(entry.get("id", len(tasks)), {"id": entry.get("id"), "data": data, "annotations": []})
        task["annotations"].append({"result": [r for key in answers for r in _results(entry[key])]})
        words |= dict.fromkeys(key for key in answers if isinstance(entry[key], str))
    return list(tasks.values()), list(words)


def _results(answer: Any) -> list[dict[str, Any]]:
    """The results of one control: regions, choices of one or several words, or a taxonomy."""
    if isinstance(answer, str):
        return [{"type": "choices", "value": {"choices": [answer]}}]
    parts = answer if isinstance(answer, list) else [answer]
    if parts and all(isinstance(part, list) for part in parts):
        return [{"type": "taxonomy", "value": {"taxonomy": parts}}]
    return [_result(part) for part in parts if isinstance(part, dict)]


def _result(part: dict[str, Any]) -> dict[str, Any]:
    kinds = [key for key in part if key.endswith("labels") or key in ("choices", "taxonomy")]
    sizes = {key: part[key] for key in part if key in ("original_width", "original_height")}
    return {"type": kinds[0] if kinds else "", "value": part, **sizes}
