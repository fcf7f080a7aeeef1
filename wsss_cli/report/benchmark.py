"""The table of `wsss benchmark`: each method's scores over its seeds, what they took and how they were made."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from wsss_cli.data.prepared import Prepared
from wsss_cli.files import write_text
from wsss_cli.report.markup import el, join, table
from wsss_cli.report.page import page
from wsss_cli.report.read import Row
from wsss_cli.report.results import Result

NONE = "–"
KINDS = {"seeds": "seeds", "pseudo": "pseudo-labels", "infer": "prediction", "refined": "prediction + CRF"}
"""The columns of mIoU, by what is scored."""

Cells = Sequence[Sequence[str]]
"""Of a table, the head first."""


@dataclass(frozen=True)
class Contender:
    """A method and what its runs have reached by seed, of `runs` asked for; full: those that learn from the masks.

    changed: the settings of a variant that are not the method's.
    """

    name: str
    supervision: str
    weak: Mapping[int, Result]
    full: Mapping[int, Result]
    runs: int
    changed: str = ""

    @property
    def finished(self) -> list[Result]:
        """Those whose prediction is scored."""
        return [result for result in self.weak.values() if "infer" in result.scored]

    @property
    def results(self) -> list[Result]:
        """Of all runs, those that learn from the masks last."""
        return [*self.weak.values(), *self.full.values()]


def write_benchmark(path: Path, data: Prepared, contenders: Sequence[Contender], command: str) -> None:
    """Write the table as Markdown to `path` and as a page to the same name with .html."""
    filled = [(head, cell) for head, cell in COLUMNS if any(cell(one) != NONE for one in contenders)]
    head, body = [name for name, _ in filled], [[cell(one) for _, cell in filled] for one in contenders]
    tables: dict[str, Cells] = {"Scores": [head, *body]}
    if seeds := _by_seed(contenders):
        tables["Each seed"] = seeds
    what = "mIoU in %: mean ± standard deviation of runs, or of one run [95 % of other draws of its images]"
    about = f"{data.num_classes} classes, {len(data.samples):,} images; {what}"
    made, notes = f"made by {command}", _notes(contenders)
    write_text(path, _markdown(f"Benchmark on {data.info.name}", [about, made], tables.values(), notes))
    sections = {name: table(cells[0], cells[1:], caption="mIoU") for name, cells in tables.items()}
    sections["How"] = join(el("p", note, cls="note") for note in notes)
    heading = [el("h1", f"Benchmark on {data.info.name}"), *(el("p", text, cls="lead") for text in (about, made))]
    write_text(path.with_suffix(".html"), page(f"Benchmark on {data.info.name}", heading, sections))


def _markdown(title: str, about: Sequence[str], tables: Iterable[Cells], notes: Sequence[str]) -> str:
    return "\n\n".join([f"# {title}", *about, *map(_ruled, tables), "\n".join(f"* {note}" for note in notes)]) + "\n"


def _ruled(cells: Cells) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return "\n".join([lines[0], "|---" * len(cells[0]) + "|", *lines[1:]])


def _by_seed(contenders: Sequence[Contender]) -> Cells:
    """Each run's mIoU in per cent, of what has those of several seeds; empty if nothing has."""
    seeds = range(max((of.runs for of in contenders), default=0))
    rows = [
        [of.name, what, *(f"{100 * found[k].scores['miou']:.1f}" if k in found else NONE for k in seeds)]
        for of in contenders
        for what, scored in SCORED.items()
        if len(found := scored(of)) > 1
    ]
    return [["method", "label map", *(f"seed {k}" for k in seeds)], *rows] if rows else []


def _weak(kind: str, of: Contender) -> dict[int, Row]:
    return _scored(of.weak, kind)


def _upper(of: Contender) -> dict[int, Row]:
    return _scored(of.full, "infer")


def _scored(results: Mapping[int, Result], kind: str) -> dict[int, Row]:
    """What is scored of a kind of label map, by seed."""
    return {seed: one.scored[kind] for seed, one in results.items() if kind in one.scored}


SCORED: Mapping[str, Callable[[Contender], dict[int, Row]]] = {
    **{title: partial(_weak, kind) for kind, title in KINDS.items()},
    "on the masks": _upper,
}
"""What of a contender is scored, as columns name it."""


def _miou(scored: Callable[[Contender], dict[int, Row]], of: Contender) -> str:
    return _over([row.scores for row in scored(of).values()], of.runs)


def _over(scores: Sequence[Mapping[str, Any]], runs: int) -> str:
    """In per cent, "34.8 ± 0.6" of several runs, "34.8 [31.2, 37.0]" of one; how many they are where some lack."""
    if not scores:
        return NONE
    values = [100 * row["miou"] for row in scores]
    between = scores[0].get("interval")
    if len(values) > 1:
        spread = f" ± {statistics.stdev(values):.1f}"
    else:
        spread = f" [{100 * between[0]:.1f}, {100 * between[1]:.1f}]" if between else ""
    some = f" ({len(values)} of {runs})" if len(values) < runs else ""
    return f"{statistics.fmean(values):.1f}{spread}{some}"


def _ratio(of: Contender) -> str:
    """Of the means, if all were scored alike."""
    weak, full = _weak("infer", of).values(), _upper(of).values()
    if not weak or not full or not all(w.protocol.comparable(f.protocol) for w in weak for f in full):
        return NONE
    bound = statistics.fmean(row.scores["miou"] for row in full)
    return f"{statistics.fmean(row.scores['miou'] for row in weak) / bound:.2f}" if bound else NONE


def _minutes(of: Contender) -> str:
    took = [one.seconds / 60 for one in of.finished]
    return f"{statistics.fmean(took):.1f}" if took else NONE


def _memory(of: Contender) -> str:
    most = max((one.memory for one in of.finished), default=0.0)
    return f"{most:.1f} GiB" if most else NONE


def _devices(of: Contender) -> str:
    machines = [record["machine"] for one in of.finished for record in one.records.values()]
    named = ((m["ranks"], m.get("name", m["device"])) for m in machines)  # older versions knew no names
    return _each(f"{ranks} x {name}" if ranks > 1 else name for ranks, name in named) or NONE


COLUMNS: tuple[tuple[str, Callable[[Contender], str]], ...] = (
    ("method", lambda of: of.name),
    ("learns from", lambda of: of.supervision),
    *((title, partial(_miou, scored)) for title, scored in SCORED.items()),
    ("weak / full", _ratio),
    ("minutes", _minutes),
    ("memory", _memory),
    ("device", _devices),
)


def _notes(found: Sequence[Contender]) -> list[str]:
    """What a reader needs to compare the rows."""
    return [
        *(f"{of.name}: {of.changed}." for of in found if of.changed),
        *_protocols(found),
        "on the masks: the same network on the ground truth; weak / full: the share of its mIoU that is reached.",
        "minutes: all stages of one run but scoring, on the mean; stages that are shared count in each run.",
        *(f"{text}." for text in _shared(found)),
        *(f"software: {text}." for text in _software(found)),
    ]


def _protocols(found: Sequence[Contender]) -> list[str]:
    """How each kind of label map was made and scored, those of the same way together."""
    ways: dict[tuple[str, str], list[str]] = {}
    for of in found:
        scored = [(KINDS[kind], row) for one in of.weak.values() for kind, row in one.scored.items()]
        scored += [("upper bound", row) for one in of.full.values() for row in one.scored.values()]
        for what, row in scored:
            how = row.protocol
            where = f"split {how.split}, {how.images:,} images, ground truth: {how.ground_truth or 'unnamed'}"
            ways.setdefault((what, f"{where}; {how.describe()}."), []).append(of.name)
    return [f"{what} of {_each(names)}: {how}" for (what, how), names in ways.items()]


def _shared(found: Sequence[Contender]) -> list[str]:
    """Which stages were taken from whom, those that took the same together."""
    took: dict[tuple[str, str], list[str]] = {}
    for of in found:
        stages: dict[str, list[str]] = {}
        for one in of.results:
            for key, record in one.records.items():
                if source := record.get("shared"):
                    stages.setdefault(source.partition("/")[0], []).append(key)
        for source, keys in stages.items():
            took.setdefault((_each(keys), source), []).append(of.name)
    return [
        f"{keys} of {_each(names)} are those of {source}, whose settings are the same"
        for (keys, source), names in took.items()
    ]


def _software(found: Sequence[Contender]) -> list[str]:
    """The commits of each set of versions."""
    commits: dict[str, list[str]] = {}
    for record in (record for of in found for one in of.results for record in one.records.values()):
        versions = record["versions"]
        told = f"wsss {versions['wsss']}, torch {versions['torch']}, {record['machine']['platform']}"
        commits.setdefault(told, []).append(str(record["git"]))
    return [f"{told}; commits: {'; '.join(dict.fromkeys(of))}" for told, of in commits.items()]


def _each(texts: Iterable[str]) -> str:
    """Each once, in order."""
    return ", ".join(dict.fromkeys(texts))
