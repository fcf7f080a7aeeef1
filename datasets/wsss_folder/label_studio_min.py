"""Label Studio's JSON-MIN, CSV and TSV, one flat entry per annotation, as the tasks of its JSON."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from wsss_cli.data.image_files import ENDINGS
from wsss_folder.table import read_table

FIRST, LAST = "id", "annotator"  # in JSON-MIN, what was annotated stands between these two keys
OTHERS = {FIRST, LAST, "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "history"}
TABLES = (".csv", ".tsv")


def is_min(task: Collection[str]) -> bool:
    """Whether an entry, or the columns of a table, are of JSON-MIN or CSV."""
    return "data" not in task and "annotation_id" in task


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The entries of a CSV or TSV: cells that hold JSON as it is, empty ones left out.  Raises WsssError."""
    return [{key: _cell(text) for key, text in cells.items() if text} for _, cells in read_table(path).rows]


def from_min(entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The tasks, entries of one id joined; and the columns of single words, which may be choices or texts."""
    tasks: dict[Any, dict[str, Any]] = {}
    words: dict[str, None] = {}
    for entry in entries:
        answers = _answers(entry)
        data = {key: value for key, value in entry.items() if key not in answers and key not in OTHERS}
        number = entry.get("id", len(tasks))
        task = tasks.setdefault(
            number if isinstance(number, int | str) else repr(number),
            {"id": entry.get("id"), "data": data, "annotations": []},
        )
        task["annotations"].append({"result": [r for key in answers for r in _results(entry[key])]})
        words |= dict.fromkeys(key for key in answers if isinstance(entry[key], str))
    return list(tasks.values()), list(words)


def _answers(entry: dict[str, Any]) -> list[str]:
    """The keys of what was annotated: those between `id` and `annotator`; of sorted keys (CSV), what is no image."""
    keys = list(entry)
    if {FIRST, LAST} <= entry.keys() and keys.index(FIRST) < keys.index(LAST) and keys != sorted(keys):
        return keys[keys.index(FIRST) + 1 : keys.index(LAST)]
    return [key for key, value in entry.items() if key not in OTHERS and not _is_image(value)]


def _is_image(value: Any) -> bool:
    """Whether a value is what the task shows."""
    return isinstance(value, str) and ("://" in value or Path(value.partition("?")[0]).suffix.lower() in ENDINGS)


def _cell(text: str) -> Any:
    if text[:1] + text[-1:] not in ("[]", "{}"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


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
