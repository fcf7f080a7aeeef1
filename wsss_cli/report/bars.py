"""IoU per class as bars: one group per class, one bar per kind of label map; one table per split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wsss_cli.data.palette import colours_of
from wsss_cli.data.prepared import Prepared
from wsss_cli.report.markup import EMPTY, Html, el, key, percent, swatch
from wsss_cli.report.read import Row
from wsss_cli.report.scores import series_name


def bars_section(rows: Sequence[Row], data: Prepared) -> Html:
    """The per-class tables of all splits, side by side where the page is wide enough."""
    splits = dict.fromkeys(row.report["split"] for row in rows)
    parts = [_split(split, rows, data) for split in splits]
    return el("div", *parts, cls="columns") if parts else EMPTY


def _split(split: str, rows: Sequence[Row], data: Prepared) -> Html:
    """Each class that the split's ground truth holds, also such as the data set had when it was scored."""
    shown = {series_name(row, rows): row for row in rows if row.report["split"] == split}
    names = list(
        dict.fromkeys(("background", *data.info.classes, *(n for row in shown.values() for n in row.scores["iou"])))
    )
    bars = [
        _class_row(name, colour, shown)
        for name, colour in zip(names, colours_of(names, data))
        if any(row.scores["iou"].get(name) is not None for row in shown.values())
    ]
    legend = el("div", *(key(row.series, name) for name, row in shown.items()), cls="keys")
    head = el("tr", el("th", "class", attrs={"scope": "col"}), el("th", "IoU, %", attrs={"scope": "col"}))
    body = el("table", el("thead", head, cls="hidden"), el("tbody", *bars), cls="bars")
    return el("div", el("h3", f"Split {split}"), legend, body)


def _class_row(name: str, colour: Sequence[int], shown: Mapping[str, Row]) -> Html:
    bars = [_bar(kind, row.series, row.scores["iou"].get(name)) for kind, row in shown.items()]
    return el("tr", el("th", el("span", swatch(colour), name), attrs={"scope": "row"}), el("td", *bars))


def _bar(kind: str, series: int, iou: float | None) -> Html:
    """A bar with its number; the kind of label map is written for screen readers."""
    bar = el("i", cls=f"s{series % 8}", attrs={"style": f"width:{100 * (iou or 0):.1f}%"})
    track = el("span", bar, cls="track", attrs={"aria-hidden": "true"})
    return el("div", track, el("span", f"{kind} ", cls="hidden"), el("span", percent(iou), cls="value"), cls="bar")
