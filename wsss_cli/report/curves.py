"""The sections of curves: the sweep over background scores, and every training that the run's stages did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from wsss_cli.report.charts import Point, Series, line_chart, number, smooth, thin
from wsss_cli.report.markup import EMPTY, Html, el, join, key, percent
from wsss_cli.report.read import Row
from wsss_cli.report.scores import series_name

Lines = Sequence[Mapping[str, Any]]

NOT_CURVES = ("iteration", "epoch", "time")
SMOOTH_FROM = 40  # points from which a curve is drawn as a mean of neighbours over the faint original


def sweep_section(rows: Sequence[Row]) -> Html:
    """mIoU of the CAMs over the background score, of each run that has swept it."""
    swept = [row for row in rows if row.report["sweep"]]
    if not swept:
        return EMPTY
    curves = [Series(series_name(row, rows), _sweep(row), row.series) for row in swept]
    best = max(curves[0].points, key=lambda p: p[1])
    says = f"best {best[1]:.1f} % at {number(best[0])}, split {swept[0].report['split']}"
    chart = line_chart("mIoU of CAMs, %", curves, "background score", says, best)
    return el("div", chart, cls="charts")


def training_section(journals: Mapping[str, Lines]) -> Html:
    """Losses, learning rate, validation and time of each training."""
    return join(_training(name, lines) for name, lines in journals.items())


def _sweep(row: Row) -> list[Point]:
    return [(p["threshold"], 100 * p["miou"]) for p in row.report["sweep"]]


def _training(name: str, lines: Lines) -> Html:
    keys = dict.fromkeys(k for line in lines for k in line if k not in NOT_CURVES)
    curves = {k: points(lines, k) for k in sorted(keys, key=lambda k: k == "lr")}  # the learning rate stands last
    charts = [_curve(k, values) for k, values in curves.items() if values]
    if not charts:
        return EMPTY
    last = lines[-1]
    length = f"{last['iteration']:,} iterations, {last['epoch']:.3g} epochs"
    return el("div", el("h3", name, " ", el("small", length)), el("div", *charts, cls="charts"), _time(lines))


def points(lines: Lines, key: str) -> list[Point]:
    """(iteration, value) of the rows that have a finite number under `key`."""
    found = [(float(line["iteration"]), line.get(key)) for line in lines]
    return [(k, float(v)) for k, v in found if isinstance(v, int | float) and math.isfinite(v)]


def _curve(name: str, values: Sequence[Point]) -> Html:
    drawn = thin(values)
    says = f"{number(values[0][1])} to {number(values[-1][1])}"
    title = "learning rate" if name == "lr" else name
    if name == "lr" or len(drawn) < SMOOTH_FROM:
        return line_chart(title, [Series(title, drawn)], "iteration", says)
    mean = smooth(drawn, len(drawn) // 20)
    return line_chart(title, [Series(title, drawn, faint=True), Series(title, mean)], "iteration", says)


def _time(lines: Lines) -> Html:
    """Where the logged iterations spent their time."""
    timed = [line["time"] for line in lines if line.get("time")]
    parts = dict.fromkeys(part for time in timed for part in time)
    seconds = {part: sum(time.get(part, 0.0) for time in timed) for part in parts}
    total = sum(seconds.values())
    if not total:
        return EMPTY
    shares = {part: value / total for part, value in seconds.items()}
    bar = [
        el("i", cls=f"s{i % 8}", attrs={"style": f"width:{100 * share:.2f}%"})
        for i, share in enumerate(shares.values())
    ]
    names = [key(i, f"{part} {percent(share)} %") for i, (part, share) in enumerate(shares.items())]
    mean = f"{total / len(timed):.3g} s per iteration:"
    return el(
        "div",
        el("div", *bar, cls="stack", attrs={"aria-hidden": "true"}),
        el("div", mean, *names, cls="keys"),
        cls="time",
    )
