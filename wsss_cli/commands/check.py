"""`wsss check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from wsss_cli.commands.options import RunOptions, Words, stage_command

if TYPE_CHECKING:
    from wsss_cli.checks.finding import Finding
    from wsss_cli.commands.run_checks import Data
    from wsss_cli.preparation.mend import Mending


@stage_command
def check(
    words: Words = None,
    as_json: Annotated[bool, Option("--json", help="print the findings and the class balance as JSON")] = False,
    fix: Annotated[bool, Option("--fix", help="put right in the data set what is safe to")] = False,
    sheet: Annotated[
        Path | None, Option("--sheet", help="a PNG to draw an image of each class in, with masks, boxes and tags")
    ] = None,
    html: Annotated[
        Path | None, Option("--html", help="a page to write: findings, class balance, sizes, an image of each class")
    ] = None,
    *,
    options: RunOptions,
) -> None:
    """Check the environment, a prepared data set, a run's settings and weights; each finding with its remedy.

    Exits with 0 if there is no error, else with 2.
    """
    import logging

    from wsss_cli import console
    from wsss_cli.commands.environment import environment
    from wsss_cli.commands.run_checks import check_meant, check_run
    from wsss_cli.files import require_makeable

    for option, path in (("--sheet", sheet), ("--html", html)):
        if path is not None:
            require_makeable(path, option, folder=False)
    if as_json:
        console.log.setLevel(logging.WARNING)
    surroundings, data = environment(options.runs_root), check_meant(options)
    data, mending = _fix(data, options) if fix else (data, None)
    found = [*surroundings, *data.found, *check_run(words, options)]
    if as_json:
        _print_json(found, data, mending)
    else:
        _print_tables(found, data, mending)
    if sheet is not None:
        _draw(sheet, data)
    if html is not None:
        _write_page(html, found, data)
    if any(f.level == "error" for f in found):
        raise typer.Exit(2)


def _fix(data: Data, options: RunOptions) -> tuple[Data, Mending | None]:
    """Mend the data set and look at it again; with --dry-run, only tell."""
    from wsss_cli import console
    from wsss_cli.commands.run_checks import check_data
    from wsss_cli.preparation.mend import plan_mending, write_mended

    if data.prepared is None or data.checked is None:
        return data, None
    mending = plan_mending(data.prepared, data.checked.findings)
    if not mending.changes or options.dry_run:
        return data, mending
    previous = write_mended(data.prepared, mending)
    console.say(f"what was there is kept as {previous}; stages that were made from it are stale now")
    return check_data(data.prepared.folder.name, data.prepared.folder.parent), mending


def _print_tables(found: list[Finding], data: Data, mending: Mending | None) -> None:
    from wsss_cli import console
    from wsss_cli.commands.balance import balance_table

    if data.checked is not None:
        console.table(*balance_table(data.checked.balance))
    console.table("", ["", "what", "remedy"], _rows(found))
    if mending is not None:
        for change in mending.changes:
            console.say(f"--fix: {change}")
        for refused in mending.refused:
            console.warn(f"not fixed: {refused.what} ({refused.remedy})")
        if not mending.changes:
            console.say("--fix: nothing that is safe to change")


def _rows(found: list[Finding]) -> list[list[str]]:
    """A row each; of a kind with very many, the first and their number."""
    from collections import Counter

    from wsss_cli.checks.finding import SHOWN

    seen: Counter[str] = Counter()
    rows = []
    total = Counter(f.kind for f in found)
    for f in found:
        seen[f.kind] += 1
        if not f.kind or seen[f.kind] <= SHOWN:
            rows.append([f.level, f.what, f.remedy])
        elif seen[f.kind] == SHOWN + 1:
            rows.append([f.level, f"... and {total[f.kind] - SHOWN} more of this kind ({f.kind})", "--json lists all"])
    return rows


def _print_json(found: list[Finding], data: Data, mending: Mending | None) -> None:
    """The structure that docs/checking.md describes."""
    import json
    from dataclasses import asdict

    content: dict[str, Any] = {"findings": [asdict(f) for f in found], "data": None}
    if data.prepared is not None and data.checked is not None:
        content["data"] = {
            "name": data.prepared.info.name,
            "folder": str(data.prepared.folder),
            "images": len(data.prepared.samples),
            "splits": data.checked.balance.as_dict(),
        }
    if mending is not None:
        content["fix"] = {"changes": list(mending.changes), "refused": [asdict(f) for f in mending.refused]}
    print(json.dumps(content, indent=2, ensure_ascii=False))


def _draw(path: Path, data: Data) -> None:
    from wsss_cli import console
    from wsss_cli.errors import WsssError
    from wsss_cli.report.contact import contact_sheet

    if data.prepared is None:
        raise WsssError(f"there is no data set to draw {path} of", "prepare one, or name one with --data")
    shown = contact_sheet(path, data.prepared, _unreadable(data))
    console.say(f"sheet of {len(shown)} images: {path}")


def _write_page(path: Path, found: list[Finding], data: Data) -> None:
    from wsss_cli import console
    from wsss_cli.errors import WsssError
    from wsss_cli.report.checked import write_check

    if data.prepared is None or data.checked is None:
        raise WsssError(f"there is no data set to write {path} of", "prepare one, or name one with --data")
    write_check(path, data.prepared, data.checked.balance, found, _unreadable(data))
    console.say(f"page: {path}")


def _unreadable(data: Data) -> set[str]:
    """The ids of images of which a file cannot be shown."""
    return {id for f in data.found if f.kind.startswith("unreadable") for id in f.images}
