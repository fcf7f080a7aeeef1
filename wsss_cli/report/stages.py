"""How the run was made: its stages with times and memory, their settings, versions, and the data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.report.charts import number
from wsss_cli.report.markup import Child, Html, el, join, late, table
from wsss_cli.report.read import Record
from wsss_cli.runs import Run
from wsss_cli.sound import read_text

HEAD = ("Stage", "Status", "Time", "Peak memory", "Device", "Ranks", "Seed", "Started (UTC)", "Command")


def stages_section(run: Run, records: Mapping[str, Record], whys: Mapping[str, str]) -> Html:
    """One row per stage, then the settings of each, folded.  whys: why a stage is out of date, or ""."""
    rows = [_row(key, record, whys[key]) for key, record in records.items()]
    settings = [_settings(run, key, record) for key, record in records.items()]
    total = sum(record.get("seconds") or 0.0 for record in records.values())
    made = table(HEAD, rows, "stages", "The stages of the run")
    return join([made, el("p", f"In all {duration(total)}.", cls="note"), el("h3", "Settings"), *settings])


def origin_section(records: Mapping[str, Record], data: Prepared) -> Html:
    """Versions and commit of the software, and where the data came from."""
    versions = [(name, _values(r["versions"].get(name) for r in records.values())) for name in _names(records)]
    software = [
        *versions,
        ("commit", _values(record.get("git") for record in records.values())),
        ("platform", _values(record["machine"].get("platform") for record in records.values())),
    ]
    return el("div", _facts("Software", software), _facts("Data set", _data_facts(data, records)), cls="columns")


def duration(seconds: float) -> str:
    """12.3 s, 4 min 05 s, 3 h 07 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _kept(record: Record) -> Html | None:
    """The parts of a stage that an earlier making left, whose time is not counted again."""
    return el("small", f"kept: {', '.join(record['kept'])}") if record.get("kept") else None


def _row(key: str, record: Record, outdated: str) -> list[Child]:
    machine = record["machine"]
    memory = record.get("peak_memory_gib")
    return [
        key,
        join([record["status"], late(outdated), _kept(record)]),
        duration(record["seconds"]) if record.get("seconds") else "–",
        f"{memory:.2f} GiB" if memory is not None else "–",
        join([str(machine["device"]), el("small", machine["name"]) if "name" in machine else None]),
        str(machine["ranks"]),
        str(record["seed"]),
        record["started"][:16].replace("T", " "),
        el("code", record["command"]),
    ]


def _readable(path: Path) -> str:
    """A text, or why it cannot be shown: a report is made without it."""
    try:
        return read_text(path)
    except WsssError as error:
        return error.what
    except ValueError as error:
        return f"{path} is damaged: {error}"


def _settings(run: Run, key: str, record: Record) -> Html:
    text = _readable(run.stage(key) / "config.yaml")
    metrics = record.get("metrics") or {}
    shown = ", ".join(f"{name} {number(v) if isinstance(v, float) else v}" for name, v in metrics.items())
    result = el("p", f"Result: {shown}", cls="note") if shown else None
    code = el("pre", text, attrs={"tabindex": "0", "aria-label": f"settings of {key}"})
    return el("details", el("summary", key), result, code)


def _data_facts(data: Prepared, records: Mapping[str, Record]) -> list[tuple[str, str]]:
    info = data.info
    splits = sorted({split for sample in data.samples for split in sample.splits})
    counts = {split: sum(split in sample.splits for sample in data.samples) for split in splits}
    return [
        ("name", info.name),
        ("kind", info.kind),
        ("source", info.source),
        ("ground truth", info.masks or "unnamed"),
        ("hash", info.hash),
        ("hash when run", ", ".join(sorted({r["data_hash"] for r in records.values()} - {info.hash}))),
        ("images", ", ".join(f"{split} {n:,}" for split, n in counts.items())),
        ("roles", ", ".join(f"{role}: {split}" for role, split in info.splits.items())),
        ("notes", "; ".join(info.notes)),
        (f"{data.num_classes} classes", ", ".join(info.classes)),
    ]


def _names(records: Mapping[str, Record]) -> list[str]:
    return list(dict.fromkeys(name for record in records.values() for name in record["versions"]))


def _values(found: Iterable[Any]) -> str:
    """The different values, in the order in which they occur."""
    return ", ".join(dict.fromkeys(str(value) for value in found if value)) or "unknown"


def _facts(title: str, facts: Iterable[tuple[str, str]]) -> Html:
    rows = [el("tr", el("th", name, attrs={"scope": "row"}), el("td", value)) for name, value in facts if value]
    return el("div", el("h3", title), el("table", el("tbody", *rows), cls="facts"))
