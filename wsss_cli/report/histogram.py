"""Bars of counts as inline SVG, in the style of the line charts."""

from __future__ import annotations

from collections.abc import Sequence

from wsss_cli.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, axes, number, ticks
from wsss_cli.report.markup import Html, el


def histogram(title: str, edges: Sequence[float], counts: Sequence[int], x_label: str, says: str) -> Html:
    """A figure of how many lie between each edge and the next; edges (n + 1,) ascending, counts (n,).

    says  what it shows, in words, for those who cannot see it.
    """
    x = Scale(edges[0], edges[-1], LEFT, WIDTH - RIGHT)
    y_ticks = ticks(0, max(counts))
    y = Scale(0, y_ticks[-1], HEIGHT - BOTTOM, TOP)
    x_ticks = [t for t in ticks(edges[0], edges[-1]) if x.low <= t <= x.high]
    bars = [_bar(x, y, *bar) for bar in zip(edges, edges[1:], counts) if bar[2]]
    label = f"{title}: {says}"
    frame = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": label}
    svg = el("svg", axes(x, y, x_ticks, y_ticks, x_label), *bars, attrs=frame)
    return el("figure", el("figcaption", el("b", title), " ", el("span", says)), svg, cls="chart")


def _bar(x: Scale, y: Scale, low: float, high: float, count: int) -> Html:
    left, top = x(low), y(count)
    size = {"x": left, "y": top, "width": max(1.0, round(x(high) - left - 1, 1)), "height": round(y.start - top, 1)}
    said = el("title", f"{number(low)} to {number(high)}: {count:,}")  # under the mouse
    return el("g", said, el("rect", cls="count", attrs=size))
