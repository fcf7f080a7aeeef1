"""How far a network can be believed: the share of right pixels over how sure it is, and the calibration error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_cli.report.charts import Series, line_chart
from wsss_cli.report.markup import EMPTY, Child, Html, el, join, late, percent, table

NOTE = (
    "Of the network's own scores, before any CRF: pixels by the score of their class. On the faint line it is as "
    "often right as it is sure; below it, it is too sure. The error (ECE) is the mean distance from that line."
)


def calibration_section(scored: Mapping[str, Mapping[str, Any]], whys: Mapping[str, str]) -> Html:
    """Of each split whose predictions were scored.  whys: why an evaluation is out of date, or ""."""
    parts = [
        join([late(whys[key]), _split(report["split"], report["calibration"])])
        for key, report in scored.items()
        if report.get("calibration")
    ]
    return join([el("p", NOTE, cls="note"), *parts]) if parts else EMPTY


def _split(split: str, found: Mapping[str, Any]) -> Html:
    points = [(100 * part["confidence"], 100 * part["accuracy"]) for part in found["bins"]]
    ideal = Series("as sure as right", [(0.0, 0.0), (100.0, 100.0)], faint=True)
    says = f"split {split}, ECE {percent(found['ece'])} %"
    chart = line_chart("Right pixels, %", [ideal, Series("network", points)], "certainty, %", says)
    pixels = sum(part["pixels"] for part in found["bins"])
    rows: list[list[Child]] = [
        [percent(part["confidence"]), percent(part["accuracy"]), percent(part["pixels"] / pixels)]
        for part in found["bins"]
    ]
    head = ("Certainty, %", "Right, %", "Pixels, %")
    return el("div", chart, table(head, rows, "scores", f"Calibration, split {split}"), cls="columns")
