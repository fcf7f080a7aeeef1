"""Line charts as inline SVG, coloured by the page's style, drawn so small that their text stays legible on a phone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wsss_cli.report.markup import Html, el, join, key

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 10, 36  # margins around the plotted area
MOST_POINTS = 300

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One curve; `colour` is the number of its colour in the style, `faint` draws it as a background to another."""

    name: str
    points: Sequence[Point]
    colour: int = 2
    faint: bool = False


@dataclass(frozen=True)
class Scale:
    """Maps values in [low, high] to pixels in [start, end]; its ticks are round numbers."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


def line_chart(title: str, series: Sequence[Series], x_label: str, says: str, mark: Point | None = None) -> Html:
    """A figure of curves over one x axis.

    says  what the chart shows, in words, for those who cannot see it; mark, a point to ring and to lead to the x axis.
    """
    points = [p for s in series for p in s.points]
    x_ticks = ticks(min(x for x, _ in points), max(x for x, _ in points))
    y_ticks = ticks(min(y for _, y in points), max(y for _, y in points))
    x = Scale(min(p[0] for p in points), max(max(p[0] for p in points), x_ticks[1]), LEFT, WIDTH - RIGHT)
    y = Scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    svg = el(
        "svg",
        axes(x, y, [t for t in x_ticks if x.low <= t <= x.high], y_ticks, x_label),
        *(_curve(s, x, y) for s in series),
        _ring(x(mark[0]), x_start=y.start, y=y(mark[1])) if mark else None,
        attrs={"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": f"{title}: {says}"},
    )
    named = [s for s in series if not s.faint]
    legend = el("div", *(key(s.colour, s.name) for s in named), cls="keys") if len(named) > 1 else None
    return el("figure", el("figcaption", el("b", title), " ", el("span", says)), svg, legend, cls="chart")


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """At least two round numbers that enclose [low, high], their step 1, 2 or 5 times a power of 10."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(power * m for m in (1, 2, 5, 10) if span / (power * m) <= about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, max(last, first + 1) + 1)]  # 0.6, not 0.6000000000000001


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most `most` points, each the mean of neighbours."""
    size = math.ceil(len(points) / most) or 1
    return [_mean(points[i : i + size]) for i in range(0, len(points), size)]


def smooth(points: Sequence[Point], reach: int) -> list[Point]:
    """Each point's y averaged over those up to `reach` points away on both sides, fewer at the ends."""
    near = ((x, min(reach, i, len(points) - 1 - i), i) for i, (x, _) in enumerate(points))
    return [(x, _mean(points[i - r : i + r + 1])[1]) for x, r, i in near]


def number(value: float) -> str:
    """A short number: 0.25, 1200, 1e-05."""
    return f"{value:.4g}"


def _mean(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def axes(x: Scale, y: Scale, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str) -> Html:
    grid = [_line(x.start, y(t), x.end, y(t), "grid") for t in y_ticks[1:]]
    left = [_text(x.start - 6, y(t) + 4, number(t), "end") for t in y_ticks]
    below = [_text(x(t), y.start + 16, number(t), "middle") for t in x_ticks]
    name = _text(x.end, HEIGHT - 3, x_label, "end")
    return join([*grid, _line(x.start, y.start, x.end, y.start, "axis"), *left, *below, name])


def _curve(series: Series, x: Scale, y: Scale) -> Html:
    steps = " L".join(f"{x(a)} {y(b)}" for a, b in series.points)
    weight = "faint" if series.faint else "curve"
    if len(series.points) == 1:  # a line needs two points
        (a, b) = series.points[0]
        return el("circle", cls=f"{weight} s{series.colour % 8}", attrs={"cx": x(a), "cy": y(b), "r": 3})
    return el("path", cls=f"{weight} s{series.colour % 8}", attrs={"d": f"M{steps}"})


def _ring(x: float, x_start: float, y: float) -> Html:
    return join([_line(x, y, x, x_start, "drop"), el("circle", cls="ring", attrs={"cx": x, "cy": y, "r": 4})])


def _line(x1: float, y1: float, x2: float, y2: float, cls: str) -> Html:
    return el("line", cls=cls, attrs={"x1": x1, "y1": y1, "x2": x2, "y2": y2})


def _text(x: float, y: float, text: str, at: str) -> Html:
    return el("text", text, attrs={"x": x, "y": round(y, 1), "text-anchor": at})
