"""What a report shows, read from a run's folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wsss_cli.console import warn
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.protocol import Protocol
from wsss_cli.runs import Run, is_kept_aside, nearest_run, read_record
from wsss_cli.seals import damaged, sums_of
from wsss_cli.sound import read_text

Record = dict[str, Any]
"""stage.json of one stage."""

ORDER = {"seeds": 0, "pseudo": 1, "infer": 2}


@dataclass(frozen=True)
class Row:
    """One kind of label map of one run ("prediction + CRF"), scored.

    run       "method/name"
    scores    its row of scores.json
    report    what scores.json says of all its rows: split, ground truth, images, protocol
    outdated  why the score is no longer that of the run, or ""
    series    the number of its colour, the same in every chart
    """

    name: str
    run: str
    scores: dict[str, Any]
    report: dict[str, Any]
    outdated: str = ""
    series: int = 0

    @property
    def protocol(self) -> Protocol:
        """How it was made."""
        return Protocol.read(self.report).of(self.name)


def stage_records(run: Run) -> dict[str, Record]:
    """The record of each stage that was started, by folder name, in the order of their starts.

    Raises WsssError if there is none.
    """
    folders = [path.parent for path in run.folder.glob("*/stage.json") if not is_kept_aside(path.parent)]
    records = {folder.name: record for folder in folders if (record := read_record(folder))}
    if not records:
        raise WsssError(f"nothing has been run in {run.folder}{nearest_run(run)}", _first_command(run))
    return dict(sorted(records.items(), key=lambda item: (item[1]["started"], _depth(item[0], records), item[0])))


def evaluations(run: Run, records: Mapping[str, Record]) -> dict[str, dict[str, Any]]:
    """scores.json of each evaluate stage, by folder name.  Raises WsssError for a damaged file."""
    paths = {key: run.stage(key) / "scores.json" for key in records}
    broken = _damaged(run, records)
    return {key: _read_scores(path, path in broken) for key, path in paths.items() if path.exists()}


def rows(run: Run, scored: Mapping[str, dict[str, Any]], whys: Mapping[str, str]) -> list[Row]:
    """Every scored kind of label map of a run.  whys: of `all_outdated`."""
    return [
        Row(row["name"], label(run), row, report, whys[key])
        for key, report in scored.items()
        for row in report["scores"]
    ]


def sorted_rows(runs: Iterable[list[Row]]) -> list[Row]:
    """CAMs, pseudo-labels, predictions; of one split together; the runs that can be compared next to each other."""
    numbered = [row for rows in runs for row in sorted(rows, key=_place)]
    return sorted((replace(row, series=i) for i, row in enumerate(numbered)), key=_place)


def rows_of(run: Run, data: Prepared) -> list[Row]:
    """Every scored kind of label map of a run to compare with.  Raises WsssError if there is none."""
    records = stage_records(run)
    found = rows(run, evaluations(run, records), all_outdated(records, data))
    if not found:
        raise WsssError(f"nothing has been scored in {run.folder}", _first_command(run))
    return found


def outdated(key: str, records: Mapping[str, Record], data: Prepared | None) -> str:
    """What a stage was made from and has changed since; "" if nothing has.  Data None: by the run's stages alone."""
    record = records[key]
    if data is not None and (changed := data.changed(record["data_hash"], record.get("splits"))):
        return f"{changed[0]} {'have' if changed[0].endswith('classes') else 'has'} changed since"
    for need, folder in inputs_of(record).items():
        below, mark = records.get(folder), record["inputs"][need]
        if below is None:
            return f"{folder} is gone"
        if below["fingerprint"] != mark or _made_again(below, record, need):
            return f"{folder} has run again since"
        reason = outdated(folder, records, data)
        if reason:
            return reason
    return ""


def all_outdated(records: Mapping[str, Record], data: Prepared) -> dict[str, str]:
    """`outdated` of every stage."""
    return {key: outdated(key, records, data) for key in records}


def _made_again(below: Record, record: Record, need: str) -> bool:
    """Whether an input is another result than the stage was made from; one that was only made whole is the same."""
    made = record.get("inputs_made", {}).get(need)
    return below["started"] > record["started"] if made is None else below.get("made") != made


def is_of_what_lies_there(key: str, records: Mapping[str, Record]) -> bool:
    """Whether the label maps that an evaluate stage scored are those that lie in the run, not made again since."""
    made = records[key].get("inputs_made", {})
    return all(
        records.get(folder, {}).get("made") == made.get(need) for need, folder in inputs_of(records[key]).items()
    )


def is_of_these_classes(record: Record, data: Prepared) -> bool:
    """Whether the ids in what a stage made are those of the data set as it is now, as far as is known."""
    of_classes = {split: mark for split, mark in (record.get("splits") or {}).items() if not split}
    return not data.changed(record["data_hash"], of_classes)


def label(run: Run) -> str:
    return f"{run.method}/{run.name}"


def image_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """What is known of each image, by id: of a stage that scored it, or of one that predicted it; empty if nothing.

    A row may hold "miou", "iou" {class id: value}, "truth" [class ids] and "certainty".
    """
    rows = [row for name in ("per_image.jsonl", "certainty.jsonl") for row in read_lines(folder / name)]
    return {row["id"]: row | {"miou": _number(row.get("miou"))} for row in rows if "id" in row}


def per_image(folder: Path) -> dict[str, float]:
    """The mIoU of each image that has one, by id; empty if the stage left none."""
    return {id: row["miou"] for id, row in image_rows(folder).items() if row["miou"] is not None}


def _number(value: float | None) -> float | None:
    """None for NaN: of an image of nothing but ignored pixels."""
    return None if value is None or value != value else value


@dataclass(frozen=True)
class Confusions:
    """What a stage has confused.

    names     of ids 0, 1, ..., as they were then
    matrices  of each kind of label map (K, K + 1), the last column what is left open
    """

    names: tuple[str, ...] = ()
    matrices: Mapping[str, list[list[int]]] = field(default_factory=dict)


def confusions(folder: Path) -> Confusions:
    """Of a stage that scored; of earlier versions there are none."""
    path = folder / "confusion.json"
    try:
        content = json.loads(read_text(path)) if path.is_file() else {"classes": (), "matrices": {}}
        return Confusions(tuple(content["classes"]), dict(content["matrices"]))
    except (ValueError, KeyError, TypeError) as error:
        raise WsssError(f"{path} is damaged: {error}", "make it again: wsss evaluate --force") from error


def journals(run: Run, records: Mapping[str, Record]) -> dict[str, list[dict[str, Any]]]:
    """The rows of every metrics.jsonl below the stages' folders, by its folder: "train", "seeds/cam_net"."""
    paths = [path for key in records for path in sorted(run.stage(key).rglob("metrics.jsonl"))]
    for path in sorted(_damaged(run, records).intersection(paths)):
        warn(f"{path} is damaged: its curves show only the lines that can be read")
    found = {path.parent.relative_to(run.folder).as_posix(): read_lines(path) for path in paths}
    return {name: lines for name, lines in found.items() if lines}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file, without those that a crash or damage cut short; none if there is no file."""
    found = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        found += [row] if isinstance(row, dict) else []
    return found


def inputs_of(record: Record) -> dict[str, str]:
    """The folder names of a stage's inputs, by the stages' names."""
    return {need: Path(folder).name for need, folder in record["input_folders"].items()}


def _depth(key: str, records: Mapping[str, Record]) -> int:
    """How many stages stand below this one: it orders those that started within the same second."""
    inputs = inputs_of(records[key]).values() if key in records else ()
    return 1 + max((_depth(below, records) for below in inputs), default=0)


def _place(row: Row) -> tuple[int, str, str]:
    return ORDER.get(row.report["stage"], 9), row.report["split"], row.name


def _read_scores(path: Path, broken: bool) -> dict[str, Any]:
    try:
        if broken:
            raise ValueError("it is not what the stage wrote")
        scores = json.loads(read_text(path))
        if not isinstance(scores, dict) or not isinstance(scores.get("scores"), list):
            raise ValueError("it holds no scores")
    except (ValueError, RecursionError) as error:
        raise WsssError(f"{path} is damaged: {error}", "make it again: wsss evaluate --force") from error
    return scores


def _damaged(run: Run, records: Mapping[str, Record]) -> set[Path]:
    """The tables and journals that are not what their finished stages left."""
    found = set()
    for key, record in records.items():
        folder = run.stage(key)
        sums = sums_of(folder, record) if record["status"] == "finished" else {}
        names = [name for name in sums if name.endswith((".json", ".jsonl"))]
        found |= {folder / name for name in damaged(folder, sums, names)}
    return found


def _first_command(run: Run) -> str:
    command = f"wsss evaluate {run.method} --data {run.data} --name {run.name} --train"
    return f"run `{command}` first: it makes all that it needs and scores it"
