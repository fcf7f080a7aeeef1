"""`wsss runs`: what has been run; one run; how runs differ; take some away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer import Argument, Option

if TYPE_CHECKING:
    from wsss_cli.data.prepared import Prepared
    from wsss_cli.runs import Run

Root = Annotated[Path, Option("--runs-root", help="folder of runs")]
DataRoot = Annotated[Path, Option("--data-root", help="folder of prepared data sets")]
RUNS, DATA = Path("runs"), Path("data")
LATE, APART = "out of date", "data differ"
USUAL = "evaluate"
"""The stage that scores the predictions of the data set's validation split."""


class _Known(NamedTuple):
    """Of one run: scores.json of each evaluate stage and stage.json of each stage, by folder name; its data set as it
    is now, None if no stage was made of another state of it.
    """

    reports: Mapping[str, dict[str, Any]]
    records: Mapping[str, dict[str, Any]]
    data: Prepared | None


def _complete(ctx: typer.Context, incomplete: str) -> list[str]:
    from wsss_cli.runs import all_runs

    named = [f"{run.data}/{run.method}/{run.name}" for run in all_runs(Path(ctx.params.get("runs_root") or RUNS))]
    return [name for name in named if incomplete in name]


Named = Annotated[str, Argument(metavar="RUN", help="METHOD/NAME, or DATA/METHOD/NAME", autocompletion=_complete)]
Several = Annotated[
    list[str], Argument(metavar="RUN...", help="METHOD/NAME, or DATA/METHOD/NAME", autocompletion=_complete)
]


def build() -> typer.Typer:
    """The group."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(runs)
    for command in (show, compare, remove):
        group.command(command.__name__)(command)
    return group


def runs(ctx: typer.Context, runs_root: Root = RUNS, data_root: DataRoot = DATA) -> None:
    """List the runs, the last one first; show one, compare some, remove them."""
    if ctx.invoked_subcommand is not None:
        return
    from wsss_cli import console
    from wsss_cli.runs import all_runs

    rows = sorted((_listed(run, data_root) for run in all_runs(runs_root)), key=lambda row: row[3], reverse=True)
    if not rows:
        console.say(f"there is no run in {runs_root}")
        return
    console.table("", ["run", "up to", "mIoU, %", "last", "MiB"], rows)


def show(run: Named, runs_root: Root = RUNS, data_root: DataRoot = DATA) -> None:
    """Say what a run's stages are, what was set, and its scores."""
    from wsss_cli import console
    from wsss_cli.config import flat
    from wsss_cli.protocol import Protocol
    from wsss_cli.report.chosen import grouped
    from wsss_cli.report.markup import percent
    from wsss_cli.report.read import outdated
    from wsss_cli.report.stages import duration
    from wsss_cli.running.find import find_named

    found = find_named(run, runs_root)
    reports, records, data = _known(found, data_root)
    asked = found.settings()
    stages = [[key, r["status"], r["started"], duration(r.get("seconds") or 0)] for key, r in records.items()]
    console.table(str(found.folder), ["stage", "status", "started", "took"], stages)
    overrides = [f"{key}={value}" for key, value in flat(asked.overrides or {}).items()]
    recipe = asked.recipe or ("none, but chosen by data and machine" if asked.chosen else "the one of the data set")
    console.say(f"recipe: {recipe}; set: {', '.join(overrides) or 'nothing'}")
    if asked.chosen:
        console.table("chosen", ["stage", "settings", "because"], grouped(asked.chosen))
    for key, report in reports.items():
        why = outdated(key, records, data)
        seen = Protocol.read(report).seen_before()
        where = f"on split {report['split']}" + (f", {seen}" if seen else "") + (f", {LATE}: {why}" if why else "")
        for row in report["scores"]:
            console.say(f"{row['name']}: mIoU {percent(row['miou'])} % {where}")
        for row in report.get("agreement", ()):
            console.say(f"{row['name']} ({row['of']}): {percent(row['value'])} % {where}")


def compare(run: Several, runs_root: Root = RUNS, data_root: DataRoot = DATA) -> None:
    """Say which settings of runs differ, and their scores."""
    from wsss_cli import console
    from wsss_cli.errors import WsssError
    from wsss_cli.report.differences import ABSENT, differences
    from wsss_cli.running.find import find_named

    called = {find_named(name, runs_root): name for name in run}
    found = list(called)
    if len(found) < 2:
        raise WsssError("one run is nothing to compare", "name two or more: wsss runs compare METHOD/NAME METHOD/OTHER")
    known = [_known(one, data_root) for one in found]
    rows = [[key, *values] for key, values in differences([one.records for one in known]).items()]
    for what, measured in (("mIoU, %", _scores), ("%", _measures)):
        scores = [measured(one) for one in known]
        for kind in dict.fromkeys(kind for one in scores for kind in one):
            marks = {one[kind].data for one in scores if kind in one and one[kind].data}
            apart = f", {APART}" if len(marks) > 1 else ""
            rows.append([f"{what}: {kind}{apart}", *(one[kind].text if kind in one else ABSENT for one in scores)])
    console.table("", ["", *called.values()], rows)


def remove(
    run: Several,
    yes: Annotated[bool, Option("--yes", "-y", help="do not ask")] = False,
    runs_root: Root = RUNS,
) -> None:
    """Delete runs: their CAMs, labels, networks and scores."""
    from wsss_cli import console
    from wsss_cli.running.find import find_named
    from wsss_cli.runs import delete

    found = [find_named(name, runs_root) for name in run]
    for one in found:
        if not yes and not typer.confirm(f"delete {one.folder} ({_mebibytes(one.folder)} MiB)?"):
            continue
        left = delete(one)
        console.say(f"deleted {one.folder}{', a link' if one.folder in left else ''}")
        for link, target in left.items():
            console.say(f"left: {target}, which {link} led to")


def _known(run: Run, data_root: Path) -> _Known:
    """Raises WsssError for a damaged run."""
    from wsss_cli.report.read import evaluations, stage_records

    records = stage_records(run)
    return _Known(evaluations(run, records), records, _changed(records, data_root / run.data))


def _changed(records: Mapping[str, Mapping[str, Any]], folder: Path) -> Prepared | None:
    """The data set, if a stage was made of another state of it; images are read for that alone."""
    from wsss_cli.data.prepared import read_info, read_prepared
    from wsss_cli.errors import WsssError

    try:
        now = read_info(folder).hash
        return read_prepared(folder) if any(record["data_hash"] != now for record in records.values()) else None
    except WsssError:  # it is gone, or damaged: whether it has changed is not known
        return None


def _listed(run: Run, data_root: Path = DATA) -> list[str]:
    """Its line of the list; of a damaged one what is known."""
    from wsss_cli.errors import WsssError

    name, size = f"{run.data}/{run.method}/{run.name}", _mebibytes(run.folder)
    try:
        known = _known(run, data_root)
        score = _score(known) or _judged(known)
    except WsssError as error:
        return [name, error.what, "", "", size]
    records = known.records
    finished = [key for key, record in records.items() if record["status"] == "finished" and "evaluate" not in key]
    last = max(record["started"] for record in records.values())[:16]
    return [name, finished[-1] if finished else "", score, last, size]


def _score(known: _Known) -> str:
    """The last mIoU of those that say most of the run: of predictions, on the usual split if there is one."""
    reports = known.reports
    order = sorted(reports, key=lambda key: (key == USUAL, reports[key].get("stage") == "infer"))
    scored = [(key, row) for key in order for row in reports[key]["scores"]]
    if not scored:
        return ""
    key, row = scored[-1]
    return f"{_figure(key, row['miou'], known)} {row['name']}{_where(key, reports)}"


def _judged(known: _Known) -> str:
    """In place of a mIoU, the first measure that needs no masks."""
    reports = known.reports
    order = sorted(reports, key=lambda key: key != USUAL)
    judged = [(key, row) for key in order for row in reports[key].get("agreement", ())]
    if not judged:
        return ""
    key, row = judged[0]
    return f"({_figure(key, row['value'], known)} {row['name']}{_where(key, reports)})"


def _where(key: str, reports: Mapping[str, dict[str, Any]]) -> str:
    """The split, where it is not the one that predictions are usually scored on."""
    return "" if key == USUAL else f" ({reports[key]['split']})"


class _Score(NamedTuple):
    """What is shown of it, and the mark of the split's data that it is of, if that is known."""

    text: str
    data: str | None


def _measures(known: _Known) -> dict[str, _Score]:
    """What was judged without masks, by measure, kind of label map and split."""
    return {
        f"{row['name']}, {row['of']} ({report['split']})": _scored(key, row["value"], known)
        for key, report in known.reports.items()
        for row in report.get("agreement", ())
    }


def _scores(known: _Known) -> dict[str, _Score]:
    """By kind of label map and split, the mIoU."""
    return {
        f"{row['name']} ({report['split']})": _scored(key, row["miou"], known)
        for key, report in known.reports.items()
        for row in report["scores"]
    }


def _scored(key: str, value: float, known: _Known) -> _Score:
    marks = known.records[key].get("splits") or {}
    return _Score(_figure(key, value, known), marks.get(known.reports[key]["split"]))


def _figure(key: str, value: float, known: _Known) -> str:
    """In per cent, of an evaluate stage; said where the run has other results, settings or data by now than were
    scored, and where the network has learnt from the images."""
    from wsss_cli.protocol import Protocol
    from wsss_cli.report.markup import percent
    from wsss_cli.report.read import outdated

    seen = Protocol.read(known.reports[key]).seen_before()
    said = LATE if outdated(key, known.records, known.data) else "", seen
    return percent(value) + "".join(f" ({text})" for text in said if text)


def _mebibytes(folder: Path) -> str:
    return f"{sum(path.lstat().st_size for path in folder.rglob('*') if path.is_file()) / 2**20:,.0f}"
