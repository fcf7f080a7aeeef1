"""The settings that were chosen by data and machine, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from wsss_cli.choices.choice import Choice
from wsss_cli.config import inline
from wsss_cli.report.markup import Html, el, join, table
from wsss_cli.runs import Run

HEAD = ("Setting", "Value", "Because")


def chosen_section(run: Run) -> Html:
    """A row each; "" if the run has a recipe instead."""
    choices = run.settings().chosen
    if not choices:
        return Html("")
    note = "Values that were set on the command line come before these: see the settings of each stage below."
    return join(
        [table(HEAD, rows(choices), "stages", "Settings chosen by data and machine"), el("p", note, cls="note")]
    )


def grouped(choices: Sequence[Choice]) -> list[list[str]]:
    """Stage, its settings of one reason as after --set, the reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for choice in choices:
        stage, _, key = choice.key.partition(".") if "." in choice.key else ("", "", choice.key)
        groups.setdefault((stage, choice.reason), []).append(f"{key}={inline(choice.value)}")
    return [[stage, " ".join(settings), reason] for (stage, reason), settings in groups.items()]


def rows(choices: Sequence[Choice]) -> list[list[str]]:
    """Setting, value as after --set, reason."""
    return [[choice.key, inline(choice.value), choice.reason] for choice in choices]
