"""Which settings of runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wsss_cli.config import flat
from wsss_cli.report.markup import EMPTY, Html, table
from wsss_cli.report.read import Record

ABSENT = "–"


def differences(runs: Sequence[Mapping[str, Record]]) -> dict[str, list[str]]:
    """By setting "train.optimiser.lr" its value in each run where they are not all the same.

    Of a stage that some of them lack only that; of methods that differ only the settings that all have.

    runs  the records of each run's stages; how they were scored stands with the scores
    """
    methods = {record["method"] for records in runs for record in records.values()}
    found: dict[str, list[str]] = {}
    for stage in dict.fromkeys(key for records in runs for key in records if not key.startswith("evaluate")):
        if not all(stage in records for records in runs):
            found[stage] = [records[stage]["status"] if stage in records else ABSENT for records in runs]
            continue
        settings = [flat(records[stage]["config"]) for records in runs]
        for key in dict.fromkeys(key for one in settings for key in one):
            if all(one.get(key, {}) == {} for one in settings):  # what stands in it elsewhere has rows of its own
                continue
            values = [str(one.get(key, ABSENT)) for one in settings]
            if len(set(values)) > 1 and (len(methods) == 1 or all(key in one for one in settings)):
                found[f"{stage}.{key}"] = values
    return found


def differences_section(named: Mapping[str, Mapping[str, Record]]) -> Html:
    """A table of them, by the names of the runs; nothing for one run."""
    found = differences(list(named.values()))
    rows = [[key, *values] for key, values in found.items()]
    return table(["Setting", *named], rows, caption="Settings that differ") if rows else EMPTY
