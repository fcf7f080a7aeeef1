"""The scores of a run and of those beside it: large figures, then a table that says how each was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wsss_cli.report.markup import EMPTY, Child, Html, el, join, percent, table
from wsss_cli.report.read import Row

LEARNT_FROM = {"pseudo": "pseudo-labels", "seeds": "seeds", "masks": "masks (full supervision)"}


def scores_section(rows: Sequence[Row]) -> Html:
    """Headline figures, the table, and what share of the fully supervised network's mIoU was reached."""
    if not rows:
        return EMPTY
    runs = len({row.run for row in rows})
    columns = [column for column in COLUMNS if runs > 1 or column[0] != "Run"]
    filled = [(head, cell) for head, cell in columns if any(cell(row) for row in rows)]
    body = [[_name(row), *(cell(row) or "–" for _, cell in filled)] for row in rows]
    notes = [*upper_bounds(rows), *_left_out(rows)]
    return join(
        [
            el("div", *(_tile(row, runs > 1) for row in rows), cls="tiles"),
            table(["Label map", *(head for head, _ in filled)], body, "scores", "mIoU and how it was measured"),
            *(el("p", text, cls="note") for text in notes),
        ]
    )


def series_name(row: Row, rows: Sequence[Row]) -> str:
    """The kind of label map, with its run where there are several."""
    return row.name if len({r.run for r in rows}) == 1 else f"{row.name}, {row.run}"


def upper_bounds(rows: Sequence[Row]) -> list[str]:
    """For each prediction, its share of the mIoU of the same network trained on the masks, scored in the same way."""
    bounds = {_comparable(r): r for r in rows if _protocol(r).get("labels") == "masks"}
    texts = []
    for row in rows:
        bound = bounds.get(_comparable(row))
        if bound is not None and _protocol(row).get("labels") != "masks" and bound.scores["miou"]:
            share = percent(row.scores["miou"] / bound.scores["miou"])
            texts.append(
                f"{row.name}: {row.run} reaches {share} % of the mIoU of {bound.run}, which learnt from the masks."
            )
    return texts


def _comparable(row: Row) -> tuple[Any, ...]:
    """What two scores must have in common to be compared."""
    p = _protocol(row)
    how = (str(p.get(name)) for name in ("scales", "flip", "fusion", "resize", "member", "crf", "network"))
    return row.name, row.report["split"], row.report["images"], *how


def _tile(row: Row, named: bool) -> Html:
    below = f"{row.report['split']} · {row.run}" if named else row.report["split"]
    return el(
        "div",
        el("span", row.name, cls="what"),
        el("b", percent(row.scores["miou"])),
        el("span", f"mIoU, % · {below}", cls="where"),
        cls=f"tile s{row.series % 8}" + (" outdated" if row.outdated else ""),
    )


def _name(row: Row) -> Html:
    late = el("small", f"out of date: {row.outdated}", cls="late") if row.outdated else None
    threshold, tried = row.scores.get("threshold"), len(row.report["sweep"])
    swept = f"background score {threshold}, the best of {tried} tried on this split"
    return join([row.name, late, el("small", swept) if threshold is not None else None])


def _left_out(rows: Sequence[Row]) -> list[str]:
    left = {(r.report["split"], r.report["without_mask"]) for r in rows if r.report["without_mask"]}
    return [f"Split {split}: images without a mask, not scored: {n}." for split, n in sorted(left)]


def _protocol(row: Row) -> dict[str, Any]:
    return row.report["protocol"]


def _scales(row: Row) -> str:
    p = _protocol(row)
    scales = ", ".join(f"{s:g}" for s in p.get("scales") or ())
    fusion = f" ({p['fusion']})" if p.get("fusion") and (len(p["scales"]) > 1 or p.get("flip")) else ""
    return scales + (" + flip" if p.get("flip") else "") + fusion


def _size(row: Row) -> str:
    side, short = _protocol(row).get("resize"), _protocol(row).get("short_side")
    if short:
        return f"short side {short}"
    if _protocol(row).get("long_side"):
        return f"long side {_protocol(row)['long_side']}"
    return f"{side} × {side}" if side else "own"


def _crf(row: Row) -> str:
    if not row.name.endswith("CRF"):
        return "no"
    settings = _protocol(row).get("crf") or {}
    return f"yes, {settings['iterations']} iterations" if "iterations" in settings else "yes"


def _labels(row: Row) -> str:
    labels = _protocol(row).get("labels")
    return LEARNT_FROM.get(labels, str(labels)) if labels else ""


def _network(row: Row) -> str:
    return (_protocol(row).get("network") or {}).get("backbone", "")


def _text(name: str) -> Callable[[Row], str]:
    return lambda row: str(_protocol(row).get(name) or "")


COLUMNS: tuple[tuple[str, Callable[[Row], Child]], ...] = (
    ("Run", lambda row: row.run),
    ("mIoU, %", lambda row: el("b", percent(row.scores["miou"]))),
    ("Pixel acc., %", lambda row: percent(row.scores["pixel_accuracy"])),
    ("Mean acc., %", lambda row: percent(row.scores["mean_accuracy"])),
    ("Split", lambda row: row.report["split"]),
    ("Images", lambda row: f"{row.report['images']:,}"),
    ("Ground truth", lambda row: row.report["ground_truth"]),
    ("Trained on", _labels),
    ("Network", _network),
    ("Batch", _text("effective_batch")),
    ("Scales", _scales),
    ("Image size", _size),
    ("CRF", _crf),
    ("Checkpoint selection", _text("selection")),
)
