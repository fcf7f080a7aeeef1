"""What was judged of predictions without masks: a table of each evaluation, and what each measure says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_cli.protocol import Protocol
from wsss_cli.report.markup import EMPTY, Html, el, join, late, percent, table


def agreement_section(scored: Mapping[str, Mapping[str, Any]], whys: Mapping[str, str]) -> Html:
    """Per class and in all, of every split that was judged.  whys: why an evaluation is out of date, or ""."""
    parts = [_of(report, whys[key]) for key, report in scored.items() if report.get("agreement")]
    return join(parts) if parts else EMPTY


def _of(report: Mapping[str, Any], outdated: str) -> Html:
    rows = report["agreement"]
    classes = dict.fromkeys(name for row in rows for name, value in row["classes"].items() if value is not None)
    body = [[name, *(percent(row["classes"].get(name)) for row in rows)] for name in classes]
    body.append(["all", *(percent(row["value"]) for row in rows)])
    title = f"Split {report['split']}: what can be judged without masks"
    head = ["%", *(f"{row['name']}, {row['of']}" for row in rows)]
    said = {row["name"]: row for row in rows}.values()
    notes = [f"{row['name']}: {row['says']}; {row['images']:,} images." for row in said]
    made = Protocol.read(report).made()
    return el(
        "div",
        el("h3", title),
        late(outdated),
        table(head, body, "scores", title),
        *(el("p", note, cls="note") for note in [*notes, f"Predictions: {made}."]),
    )
