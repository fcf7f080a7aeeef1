"""Which run is meant, by what is named of it."""

from __future__ import annotations

from pathlib import Path

from wsss_cli.data.holding import recover
from wsss_cli.data.prepared import read_latest
from wsss_cli.errors import WsssError
from wsss_cli.nearest import nearest
from wsss_cli.plugins import method as find_method
from wsss_cli.runs import RECORD, Run, all_runs, latest_run


def find_run(method: str | None, data: str | None, name: str | None, data_root: Path, runs_root: Path) -> Run:
    """The run that is meant: what is not named is that of the last run; of a method that is named, 'default' on the
    data set that was prepared last.  Raises WsssError for unknown names.
    """
    if method is None:
        run = latest_run(runs_root)
        data, method, name = data or run.data, run.method, name or run.name
        find_method(method)
    else:
        find_method(method)
        data, name = data or read_latest(data_root), name or "default"
    require_data(data, data_root)
    return Run(runs_root, data, method, name)


def find_trained(method: str | None, data: str | None, name: str | None, runs_root: Path) -> Run:
    """The run whose network is meant: as `find_run`, but the data set that it learnt from need not be there.

    Raises WsssError naming the nearest one if there is no such run.
    """
    if method is None:
        run = latest_run(runs_root)
        data, method, name = data or run.data, run.method, name or run.name
    find_method(method)
    name = name or "default"
    known = [run for run in all_runs(runs_root) if (run.stage("train") / RECORD).exists()]
    fitting = [run for run in known if (run.method, run.name) == (method, name) and data in (None, run.data)]
    if not fitting:
        names = sorted({f"{run.method}/{run.name}" for run in known})
        where = f"on data set '{data}' " if data else ""
        what = f"there is no trained run {method}/{name} {where}in {runs_root}"
        raise WsssError(f"{what}{nearest(f'{method}/{name}', names)}", f"train it first: wsss train {method}")
    if len(fitting) > 1:
        what = f"run {method}/{name} is trained on several data sets: {', '.join(run.data for run in fitting)}"
        raise WsssError(what, "say which one with --data")
    return fitting[0]


def find_named(name: str, root: Path) -> Run:
    """The run that METHOD/NAME or DATA/METHOD/NAME means.

    Raises WsssError with the nearest one if there is none, and if there are several.
    """
    there = {f"{run.data}/{run.method}/{run.name}": run for run in all_runs(root)}
    fitting = [run for full, run in there.items() if full == name or full.partition("/")[2] == name]
    if not fitting:
        short = [full.partition("/")[2] for full in there]
        what = f"there is no run '{name}' in {root}{nearest(name, [*there, *short])}"
        raise WsssError(what, "`wsss runs` lists them; they are called METHOD/NAME")
    if len(fitting) > 1:
        raise WsssError(f"run {name} is there for several data sets", f"say which one: {fitting[0].data}/{name}")
    return fitting[0]


def find_donor(named: str, method: str | None, data: str | None, name: str | None, root: Path) -> Run:
    """The run that another one, of the method, data set and name, is to begin with: NAME, METHOD/NAME or in full.

    Raises WsssError if there is none, it is of another method, or no new name is given.
    """
    owner = method or latest_run(root).method
    full = named if "/" in named else f"{owner}/{named}"
    if data is not None and full.count("/") == 1:
        full = f"{data}/{full}"
    found = find_named(full, root)
    if method not in (None, found.method):
        raise WsssError(f"--from: run {found.method}/{found.name} is of another method", f"name one of {method}")
    if name is None or (name, data or found.data) == (found.name, found.data):
        raise WsssError("--from begins another run", "say what it is called: --name NEW")
    return found


def require_data(name: str, root: Path) -> None:
    """Raises WsssError naming the nearest ones if there is no prepared data set of that name."""
    recover(root / name)
    if not (root / name / "dataset.yaml").is_file():
        known = sorted(p.parent.name for p in root.glob("*/dataset.yaml"))
        raise WsssError(f"no prepared data set '{name}' in {root}{nearest(name, known)}", "`wsss prepare` makes one")
