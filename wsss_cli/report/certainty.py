"""Images of which a network is least certain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wsss_cli.data.certainty import read_certainties
from wsss_cli.data.prepared import Sample
from wsss_cli.report.read import Record
from wsss_cli.report.sheet import Pick
from wsss_cli.runs import Run

HOW = (
    "Least certain first: by the mean over the pixels of the network's largest score, in %; networks may be sure of "
    "what is wrong."
)


def certainties(run: Run, records: Mapping[str, Record]) -> dict[str, float]:
    """How certain the network is of each image that it has predicted."""
    folders = [run.stage(key) for key in records if key.partition("-")[0] == "infer"]
    return {id: row["certainty"] for folder in folders for id, row in read_certainties(folder).items()}


def least_certain(samples: Iterable[Sample], sure: Mapping[str, float], most: int) -> list[Pick]:
    """At most `most` of them, the least certain first."""
    ranked = sorted((s for s in samples if s.id in sure), key=lambda s: (sure[s.id], s.id))
    return [Pick(s, certainty=sure[s.id]) for s in ranked[:most]]
