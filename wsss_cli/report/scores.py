"""The scores of a run and of those beside it: large figures, then a table that says how each was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wsss_cli.protocol import CONVENTIONS, CRF, FEW, Protocol
from wsss_cli.report.markup import EMPTY, Child, Html, el, join, late, percent, table
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
    notes = [*upper_bounds(rows), *_left_out(rows), *_draws(rows)]
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
    bounds = [row for row in rows if row.protocol.labels == "masks" and row.scores["miou"]]
    texts = []
    for row in rows:
        bound = next((b for b in bounds if b.name == row.name and b.protocol.comparable(row.protocol)), None)
        if bound is not None and row.protocol.labels != "masks":
            share = percent(row.scores["miou"] / bound.scores["miou"])
            texts.append(
                f"{row.name}: {row.run} reaches {share} % of the mIoU of {bound.run}, which learnt from the masks."
            )
    return texts


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
    threshold, tried = row.scores.get("threshold"), len(row.report["sweep"])
    swept = f"background score {threshold}, the best of {tried} tried on this split"
    seen = row.protocol.seen_before()
    notes = [el("small", text) for text in (swept if threshold is not None else "", seen) if text]
    return join([row.name, late(row.outdated), *notes])


def _left_out(rows: Sequence[Row]) -> list[str]:
    left = {(r.report["split"], r.report["without_mask"]) for r in rows if r.report["without_mask"]}
    made = {(r.report["split"], r.report["stage"], n) for r in rows if (n := r.report.get("not_made"))}
    return [
        *(f"Split {split}: images without a mask, not scored: {n}." for split, n in sorted(left)),
        *(f"Split {split}: images that {stage} were not made of, not scored: {n}." for split, stage, n in sorted(made)),
    ]


def between(interval: Sequence[float] | None) -> str:
    """Where the mIoU of 95 % of other draws of the images lies, in %."""
    return " to ".join(map(percent, interval)) if interval else ""


def _draws(rows: Sequence[Row]) -> list[str]:
    said = "95 % of draws: between them lies the mIoU of 95 of 100 draws, with replacement, from the scored images."
    few = sorted({(r.report["split"], r.report["images"]) for r in rows if r.report["images"] < FEW})
    drawn = [said] if any(row.scores.get("interval") for row in rows) else []
    return [*drawn, *(f"Split {split} has {n} images: others may well give another mIoU." for split, n in few)]


def _size(protocol: Protocol) -> str:
    return protocol.size() if protocol.scales else ""


def _crf(row: Row) -> str:
    if not row.name.endswith(CRF):
        return "no"
    settings = row.protocol.crf or {}
    return f"yes, {settings['iterations']} iterations" if "iterations" in settings else "yes"


def _labels(protocol: Protocol) -> str:
    labels = protocol.labels
    return LEARNT_FROM.get(labels, labels) if labels else ""


def _network(protocol: Protocol) -> str:
    return (protocol.network or {}).get("backbone", "")


COLUMNS: tuple[tuple[str, Callable[[Row], Child]], ...] = (
    ("Run", lambda row: row.run),
    ("mIoU, %", lambda row: el("b", percent(row.scores["miou"]))),
    ("95 % of draws", lambda row: between(row.scores.get("interval"))),
    ("Pixel acc., %", lambda row: percent(row.scores["pixel_accuracy"])),
    ("Mean acc., %", lambda row: percent(row.scores["mean_accuracy"])),
    ("Split", lambda row: row.report["split"]),
    ("Images", lambda row: f"{row.report['images']:,}"),
    ("Ground truth", lambda row: row.report["ground_truth"]),
    ("Trained on", lambda row: _labels(row.protocol)),
    ("Network", lambda row: _network(row.protocol)),
    ("Batch", lambda row: str(row.protocol.effective_batch or "")),
    ("Scales", lambda row: row.protocol.fused_scales()),
    ("Image size", lambda row: _size(row.protocol)),
    ("Further settings", lambda row: ", ".join(row.protocol.further())),
    ("CRF", _crf),
    ("Mean over classes", lambda row: CONVENTIONS[row.protocol.mean_over]),
    ("Checkpoint selection", lambda row: row.protocol.selection),
)
