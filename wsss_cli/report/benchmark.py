"""The table of `wsss benchmark`: each method's scores over its seeds, what they took and how they were made."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from wsss_cli.data.prepared import Prepared
from wsss_cli.files import write_text
from wsss_cli.protocol import CRF
from wsss_cli.report.markup import el, join, table
from wsss_cli.report.page import page
from wsss_cli.report.read import Row, evaluations, rows, stage_records
from wsss_cli.runs import Run

NONE = "–"
KINDS = {"seeds": "seeds", "pseudo": "pseudo-labels", "infer": "prediction", "refined": "prediction + CRF"}
"""The columns of mIoU, by what is scored."""


@dataclass(frozen=True)
class Contender:
    """A method and its runs, one a seed; full: those that learn from the masks."""

    name: str
    supervision: str
    weak: Sequence[Run]
    full: Sequence[Run]


@dataclass(frozen=True)
class Result:
    """What a run has reached so far: the first label map of each kind that is scored and up to date."""

    scored: dict[str, Row]
    records: dict[str, dict[str, Any]]

    @property
    def seconds(self) -> float:
        return sum(record["seconds"] for record in self.records.values())

    @property
    def memory(self) -> float:
        """GiB, the largest of any stage."""
        return max(record.get("peak_memory_gib", 0.0) for record in self.records.values())


@dataclass(frozen=True)
class Results:
    """Of a contender, its finished runs: those whose prediction is scored, and whatever others have reached."""

    of: Contender
    weak: list[Result]
    full: list[Result]

    @property
    def finished(self) -> list[Result]:
        return [result for result in self.weak if "infer" in result.scored]


def write_benchmark(path: Path, data: Prepared, contenders: Sequence[Contender], command: str) -> None:
    """Write the table as Markdown to `path` and as a page to the same name with .html."""
    found = [_results(contender, data.info.hash) for contender in contenders]
    filled = [(head, cell) for head, cell in COLUMNS if any(cell(one) != NONE for one in found)]
    head, body = [name for name, _ in filled], [[cell(one) for _, cell in filled] for one in found]
    about = f"{data.num_classes} classes, {len(data.samples):,} images; mIoU in %, mean ± standard deviation of runs"
    made, notes = f"made by {command}", _notes(found)
    write_text(path, _markdown(f"Benchmark on {data.info.name}", [about, made], [head, *body], notes))
    sections = {"Scores": table(head, body, caption="mIoU"), "How": join(el("p", note, cls="note") for note in notes)}
    heading = [el("h1", f"Benchmark on {data.info.name}"), *(el("p", text, cls="lead") for text in (about, made))]
    write_text(path.with_suffix(".html"), page(f"Benchmark on {data.info.name}", heading, sections))


def _markdown(title: str, about: Sequence[str], cells: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    ruled = "\n".join([lines[0], "|---" * len(cells[0]) + "|", *lines[1:]])
    return "\n\n".join([f"# {title}", *about, ruled, "\n".join(f"* {note}" for note in notes)]) + "\n"


def _results(contender: Contender, data_hash: str) -> Results:
    weak, full = ([_result(run, data_hash) for run in runs] for runs in (contender.weak, contender.full))
    return Results(contender, [one for one in weak if one], [one for one in full if one])


def _result(run: Run, data_hash: str) -> Result | None:
    """None if nothing has been run."""
    if not any(run.folder.glob("*/stage.json")):
        return None
    records = stage_records(run)
    scored: dict[str, Row] = {}
    for row in rows(run, records, evaluations(run, records), data_hash):
        if not row.outdated:
            scored.setdefault("refined" if row.name.endswith(CRF) else row.report["stage"], row)
    made = {key: record for key, record in records.items() if not key.startswith("evaluate")}
    return Result(scored, made)


def _miou(kind: str, results: Results) -> str:
    return _over([one.scored[kind].scores["miou"] for one in results.weak if kind in one.scored], results.of.weak)


def _upper(results: Results) -> str:
    return _over([one.scored["infer"].scores["miou"] for one in results.full if "infer" in one.scored], results.of.full)


def _over(values: Sequence[float], runs: Sequence[Run]) -> str:
    """Shares in [0, 1] as per cent, "34.8 ± 0.6"; how many they are where runs lack one."""
    if not values:
        return NONE
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    some = f" ({len(values)} of {len(runs)})" if len(values) < len(runs) else ""
    return f"{100 * statistics.fmean(values):.1f}{spread}{some}"


def _ratio(results: Results) -> str:
    """Of the means, if all were scored alike."""
    weak, full = (
        [one.scored["infer"] for one in part if "infer" in one.scored] for part in (results.weak, results.full)
    )
    if not weak or not full or not all(w.protocol.comparable(f.protocol) for w in weak for f in full):
        return NONE
    bound = statistics.fmean(row.scores["miou"] for row in full)
    return f"{statistics.fmean(row.scores['miou'] for row in weak) / bound:.2f}" if bound else NONE


def _minutes(results: Results) -> str:
    took = [one.seconds / 60 for one in results.finished]
    return f"{statistics.fmean(took):.1f}" if took else NONE


def _memory(results: Results) -> str:
    most = max((one.memory for one in results.finished), default=0.0)
    return f"{most:.1f} GiB" if most else NONE


def _devices(results: Results) -> str:
    machines = [record["machine"] for one in results.finished for record in one.records.values()]
    return _each(f"{m['ranks']} x {m['device']}" if m["ranks"] > 1 else m["device"] for m in machines) or NONE


COLUMNS: tuple[tuple[str, Callable[[Results], str]], ...] = (
    ("method", lambda results: results.of.name),
    ("learns from", lambda results: results.of.supervision),
    *((title, partial(_miou, kind)) for kind, title in KINDS.items()),
    ("on the masks", _upper),
    ("weak / full", _ratio),
    ("minutes", _minutes),
    ("memory", _memory),
    ("device", _devices),
)


def _notes(found: Sequence[Results]) -> list[str]:
    """What a reader needs to compare the rows."""
    return [
        *_protocols(found),
        "on the masks: the same network on the ground truth; weak / full: the share of its mIoU that is reached.",
        "minutes: all stages of one run but scoring, on the mean; stages that are shared count in each run.",
        *(f"{text}." for text in _shared(found)),
        *(f"software: {text}." for text in _software(found)),
    ]


def _protocols(found: Sequence[Results]) -> list[str]:
    """How each kind of label map was made and scored, those of the same way together."""
    ways: dict[tuple[str, str], list[str]] = {}
    for results in found:
        scored = [(KINDS[kind], row) for one in results.weak for kind, row in one.scored.items()]
        scored += [("upper bound", row) for one in results.full for row in one.scored.values()]
        for what, row in scored:
            how = row.protocol
            where = f"split {how.split}, {how.images:,} images, ground truth: {how.ground_truth or 'unnamed'}"
            ways.setdefault((what, f"{where}; {how.describe()}."), []).append(results.of.name)
    return [f"{what} of {_each(names)}: {how}" for (what, how), names in ways.items()]


def _shared(found: Sequence[Results]) -> list[str]:
    pairs = [
        f"{key} of {results.of.name} are those of {record['shared'].partition('/')[0]}, whose settings are the same"
        for results in found
        for one in (*results.weak, *results.full)
        for key, record in one.records.items()
        if record.get("shared")
    ]
    return list(dict.fromkeys(pairs))


def _software(found: Sequence[Results]) -> list[str]:
    records = [record for results in found for one in (*results.weak, *results.full) for record in one.records.values()]
    told = [
        f"wsss {r['versions']['wsss']}, commit {r['git']}, torch {r['versions']['torch']}, {r['machine']['platform']}"
        for r in records
    ]
    return list(dict.fromkeys(told))


def _each(texts: Iterable[str]) -> str:
    """Each once, in order."""
    return ", ".join(dict.fromkeys(texts))
