"""Scores of instance labels: a table for each run that has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsss_cli.report.markup import EMPTY, Html, el, percent, table
from wsss_cli.report.read import Row


def instances_section(rows: Sequence[Row]) -> Html:
    """Per class and in the mean, with what they were measured on."""
    found = {(row.run, row.report["split"]): row.report["instances"] for row in rows if "instances" in row.report}
    named = len({run for run, _ in found}) > 1
    parts = [_run(f"Split {split}" + (f", {run}" if named else ""), scores) for (run, split), scores in found.items()]
    return el("div", *parts, cls="columns") if parts else EMPTY


def _run(title: str, scores: dict[str, Any]) -> Html:
    measures = list(scores["means"])  # AP50, AP75, ABO
    mean = scores["means"] | {"objects": scores["objects"]}
    named = [*scores["classes"].items(), ("mean", mean)]
    body = [[name, *(percent(row[m]) for m in measures), f"{row['objects']:,}"] for name, row in named]
    caption = f"Instance labels, {title}"
    note = (
        f"{scores['instances']:,} instance labels and {scores['objects']:,} true objects ({scores['ground_truth']}) of "
        f"{scores['images']:,} images; {scores['without']:,} images without either are not scored."
    )
    head = ["Class", *(f"{measure}, %" for measure in measures), "True objects"]
    return el("div", el("h3", title), table(head, body, "scores", caption), el("p", note, cls="note"))
