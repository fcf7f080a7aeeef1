"""Scores of instance labels: a table for each run that has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsss_cli.report.markup import EMPTY, Html, el, join, percent, table
from wsss_cli.report.read import Row

MEASURES = ("AP50", "AP75", "ABO")


def instances_section(rows: Sequence[Row]) -> Html:
    """Per class and in the mean, with what they were measured on."""
    found = {(row.run, row.report["split"]): row.report["instances"] for row in rows if "instances" in row.report}
    named = len({run for run, _ in found}) > 1
    parts = [_run(f"Split {split}" + (f", {run}" if named else ""), scores) for (run, split), scores in found.items()]
    return el("div", *parts, cls="columns") if parts else EMPTY


def _run(title: str, scores: dict[str, Any]) -> Html:
    body = [_row(name, row, row["objects"]) for name, row in scores["classes"].items()]
    body.append(_row("mean", scores["means"], scores["objects"]))
    caption = f"Instance labels, {title}"
    note = (
        f"{scores['instances']:,} instance labels and {scores['objects']:,} true objects ({scores['ground_truth']}) of "
        f"{scores['images']:,} images; {scores['without']:,} images without either are not scored."
    )
    head = ["Class", *(f"{name}, %" for name in MEASURES), "True objects"]
    return el("div", join([el("h3", title), table(head, body, "scores", caption), el("p", note, cls="note")]))


def _row(name: str, scores: dict[str, Any], objects: int) -> list[str]:
    return [name, *(percent(scores[measure]) for measure in MEASURES), f"{objects:,}"]
