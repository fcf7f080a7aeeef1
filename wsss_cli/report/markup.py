"""HTML that cannot forget to escape: every string but markupsafe's is text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup, escape

Attributes = Mapping[str, str | int | float]


Html = Markup
Child = str | None

EMPTY = Html("")
VOID = frozenset({"img", "input", "meta", "line", "path", "circle", "rect"})


def el(tag: str, *children: Child, cls: str = "", attrs: Attributes | None = None) -> Html:
    """One element: `children` in order, None left out, text escaped; attribute values always escaped."""
    given: dict[str, str | int | float] = {"class": cls} if cls else {}
    given.update(attrs or {})
    head = tag + "".join(f' {name}="{escape(str(value))}"' for name, value in given.items())
    return Html(f"<{head}/>" if tag in VOID else f"<{head}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Html:
    """Children side by side."""
    return EMPTY.join(c for c in children if c is not None)


def table(head: Sequence[str], rows: Iterable[Sequence[Child]], cls: str = "", caption: str = "") -> Html:
    """A table that scrolls sideways where it is too wide; each row's first cell is its header."""
    return el(
        "div",
        el(
            "table",
            el("caption", caption, cls="hidden") if caption else None,
            el("thead", el("tr", *(el("th", h, attrs={"scope": "col"}) for h in head))),
            el("tbody", *(_table_row(row) for row in rows)),
            cls=cls,
        ),
        cls="scroll",
        attrs={"tabindex": "0", "role": "region", "aria-label": caption},  # keyboards scroll what has the focus
    )


def swatch(colour: Sequence[int]) -> Html:
    """A small square of a class's palette colour."""
    red, green, blue = colour
    return el("i", cls="swatch", attrs={"style": f"background:rgb({red},{green},{blue})", "aria-hidden": "true"})


def key(series: int, name: str) -> Html:
    """A legend's entry: the colour of a series and its name."""
    return el("span", el("i", cls=f"swatch s{series % 8}", attrs={"aria-hidden": "true"}), name, cls="key")


def late(why: str) -> Html | None:
    """A mark of what is out of date; none where there is no reason."""
    return el("small", f"out of date: {why}", cls="late") if why else None


def percent(value: float | None) -> str:
    """A share in [0, 1] as per cent with one decimal; a dash for None and NaN."""
    return "–" if value is None or value != value else f"{100 * value:.1f}"


def _table_row(cells: Sequence[Child]) -> Html:
    return el("tr", el("th", cells[0], attrs={"scope": "row"}), *(el("td", c) for c in cells[1:]))
