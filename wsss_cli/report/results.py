"""What a run of `wsss benchmark` has reached: read from its folder, or from the file that another one has written."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.protocol import CRF
from wsss_cli.report.read import Record, Row, all_outdated, evaluations, rows, stage_records
from wsss_cli.runs import Run
from wsss_cli.sound import read_text, sum_of

Name = tuple[str, str]
"""Method and name of a run."""

KEPT = (
    *("config", "data_hash", "splits", "files", "made", "machine", "versions", "git", "shared"),
    *("seconds", "peak_memory_gib"),
)
"""Of a stage's record, what tells how it was made and what that took."""


@dataclass(frozen=True)
class Result:
    """What a run has reached so far.

    scored   the first label map of each kind that is scored and up to date: "seeds", "pseudo", "infer", "refined"
    records  of each stage by its key, the fields KEPT, as far as there are any
    """

    scored: dict[str, Row]
    records: dict[str, Record]

    @property
    def seconds(self) -> float:
        """Of all stages but scoring."""
        return sum(record["seconds"] for key, record in self.records.items() if not key.startswith("evaluate"))

    @property
    def memory(self) -> float:
        """GiB, the largest of any stage but scoring."""
        made = [record for key, record in self.records.items() if not key.startswith("evaluate")]
        return max((record.get("peak_memory_gib", 0.0) for record in made), default=0.0)


def result_of(run: Run, data: Prepared, finished: Collection[str]) -> Result | None:
    """None if nothing has been run.

    finished  the keys of the stages that are what is asked for: a run may hold others, of settings that it had before,
              or of another split
    """
    if not any(run.folder.glob("*/stage.json")):
        return None
    records = stage_records(run)
    reports = {key: report for key, report in evaluations(run, records).items() if key in finished}
    scored: dict[str, Row] = {}
    for row in rows(run, reports, all_outdated(records, data)):
        if not row.outdated:
            row = replace(row, report={key: value for key, value in row.report.items() if key != "scores"})
            scored.setdefault("refined" if row.name.endswith(CRF) else row.report["stage"], row)
    return Result(scored, {key: _kept(record) for key, record in records.items() if key in finished})


def _kept(record: Record) -> Record:
    """Of the platform the system alone: a table that is published need not tell which kernel a machine has."""
    kept = {key: record[key] for key in KEPT if key in record}
    return kept | {"machine": record["machine"] | {"platform": record["machine"].get("platform", "").partition("-")[0]}}


def write_results(path: Path, data: Prepared, results: Mapping[Name, Result]) -> None:
    """Write what `read_results` reads: JSON, with a sum by which it is known that nobody has changed it."""
    runs = [{"method": method, "name": name} | asdict(result) for (method, name), result in results.items()]
    plain = json.loads(json.dumps({"data": data.info.name, "runs": runs}))
    write_text(path, json.dumps(plain | {"sum": sum_of(plain)}, indent=1, ensure_ascii=False) + "\n")


def read_results(path: Path) -> dict[Name, Result]:
    """Raises WsssError if the file is not there, or not as `wsss benchmark` has written it."""
    try:
        content = json.loads(read_text(path))
        if content.pop("sum") != sum_of(content):
            raise ValueError("it was changed after it was written")
        return {(run["method"], run["name"]): _result(run) for run in content["runs"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"{path} is not a table that `wsss benchmark` has written: {type(error).__name__}: {error}"
        raise WsssError(what, "give the .json beside the Markdown file") from error


def _result(run: Mapping[str, Any]) -> Result:
    return Result({kind: Row(**row) for kind, row in run["scored"].items()}, run["records"])
