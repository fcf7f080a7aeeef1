"""`wsss check --html`: what was found in a data set, the balance of its classes, sizes of images and objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from wsss_cli.checks.balance import STEPS, Balance, Counts
from wsss_cli.checks.finding import Finding
from wsss_cli.data.palette import colours
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.files import write_text
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.report.contact import annotated, choose
from wsss_cli.report.histogram import histogram
from wsss_cli.report.markup import EMPTY, Child, Html, el, join, swatch, table
from wsss_cli.report.page import page
from wsss_cli.report.pictures import data_uri

SIZES = 8  # most frequent sizes that are named
BINS = 24
LEVELS = {"error": 0, "warning": 1, "ok": 2}


def write_check(
    path: Path, prepared: Prepared, balance: Balance, findings: Sequence[Finding], leave_out: Collection[str] = ()
) -> None:
    """Write the page, one file that fetches nothing.

    leave_out  ids not to show as pictures, for want of a file that can be read
    """
    sections = {
        "Findings": _findings(findings),
        "Class balance": _balance(prepared, balance),
        "Sizes": _sizes(prepared, balance),
        "Examples": _examples(prepared, set(leave_out)),
    }
    info = prepared.info
    about = f"{len(info.classes)} classes · {len(prepared.samples):,} images · {info.source}"
    heading = [el("h1", "Check", el("span", " of "), info.name), el("p", about, cls="lead")]
    write_text(path, page(f"Check of {info.name}", heading, {name: body for name, body in sections.items() if body}))


def _findings(findings: Sequence[Finding]) -> Html:
    """Errors first."""
    counts = Counter(finding.level for finding in findings)
    told = f"{counts['error']} error(s), {counts['warning']} warning(s)"
    rows: list[list[Child]] = [
        [el("span", f.level, cls=f"level {f.level}"), f.what, f.remedy]
        for f in sorted(findings, key=lambda f: LEVELS[f.level])
    ]
    found = table(("", "What", "Remedy"), rows, "findings", "What was found")
    return join([el("p", told, cls="note"), found])


def _balance(prepared: Prepared, balance: Balance) -> Html:
    """A table of images, boxes and pixels of each class in the split to learn from and the one to score on."""
    named = dict.fromkeys(balance.info.splits.get(role, "") for role in ("train", "val"))
    splits = [name for name in named if name in balance.splits and balance.splits[name].images[1:].any()]
    if not splits:
        return el("p", "No image has a tag.", cls="note")
    top = max(int(balance.splits[name].images[1:].max()) for name in splits)
    counted = [(name, *column) for name in splits for column in _columns(balance.splits[name])]
    head = ["Class", *(f"{name}: {what}" for name, what, _ in counted)]
    rows = [_class_row(c, prepared, counted, top) for c in range(1, prepared.num_classes + 1)]
    return table(head, rows, "scores balance", "Images, boxes and pixels of each class")


def _columns(counts: Counts) -> list[tuple[str, list[float]]]:
    """What is counted of a split, and the number of each class id."""
    share = 100 * counts.pixels / max(1, counts.pixels.sum())
    return [
        ("images", counts.images.tolist()),
        *([("boxes", counts.boxes.tolist())] if counts.boxes.any() else []),
        *([("% of pixels", share.tolist())] if counts.masks else []),
    ]


def _class_row(c: int, prepared: Prepared, counted: Sequence[tuple[str, str, list[float]]], top: int) -> list[Child]:
    name = el("span", swatch(colours(prepared)[c]), prepared.info.classes[c - 1], cls="key")
    return [name, *(_count(what, values[c], top) for _, what, values in counted)]


def _count(what: str, value: float, top: int) -> Child:
    if what != "images":
        return f"{value:,}" if what == "boxes" else f"{value:.2f}"
    bar = el("i", cls="s2", attrs={"style": f"width:{100 * value / top:.1f}%"})
    track = el("span", bar, cls="track", attrs={"aria-hidden": "true"})
    return el("div", track, el("span", f"{value:,}", cls="value"), cls="bar")


def _sizes(prepared: Prepared, balance: Balance) -> Html:
    """Of images, of objects, and how many classes an image has."""
    samples = [sample.full for sample in prepared.samples]
    figures = [_longer_sides(samples), _objects(balance), _tags(samples)]
    return join([el("div", *filter(None, figures), cls="charts"), _frequent(samples)])


def _longer_sides(samples: Sequence[Sample]) -> Html:
    sides = np.array([max(s.width, s.height) for s in samples])
    low, high = int(sides.min()), int(sides.max())
    counts, edges = np.histogram(sides, BINS, (low, high) if low < high else (low - 1, high + 1))
    says = f"{low:,} to {high:,} pixels, half of them up to {np.median(sides):,.0f}"
    return histogram("Longer side of the images", edges.tolist(), counts.tolist(), "pixels", says)


def _objects(balance: Balance) -> Html | None:
    sides = np.sum([counts.sides for counts in balance.splits.values()], 0)
    if not np.any(sides):
        return None
    small = 100 * sides[: STEPS // 10].sum() / sides.sum()
    edges = np.linspace(0, 100, STEPS + 1)
    says = f"side of the objects' area, {small:.0f} % of them under a tenth of the image's"
    return histogram("Size of the objects", edges.tolist(), sides.tolist(), "% of the image's side", says)


def _tags(samples: Sequence[Sample]) -> Html | None:
    counts = np.bincount([len(s.tags) for s in samples])
    if len(counts) < 2:
        return None
    says = f"{counts[0]:,} images without, {counts[2:].sum():,} with several"
    edges = [n - 0.5 for n in range(len(counts) + 1)]
    return histogram("Tags of an image", edges, counts.tolist(), "tags", says)


def _frequent(samples: Sequence[Sample]) -> Html:
    counts = Counter((s.width, s.height) for s in samples)
    rows: list[list[Child]] = [
        [f"{w:,} x {h:,}", f"{n:,}", f"{100 * n / len(samples):.1f}"] for (w, h), n in counts.most_common(SIZES)
    ]
    note = f"{len(counts):,} sizes in all; the {len(rows)} most frequent:"
    head = ("Width x height", "Images", "%")
    return join([el("p", note, cls="note"), table(head, rows, "sizes", "The most frequent sizes of images")])


def _examples(prepared: Prepared, leave_out: set[str]) -> Html:
    """An image of each class, as on the contact sheet."""
    shown = list(ParallelMap(lambda sample: _example(sample, prepared), choose(prepared, leave_out)))
    return el("ul", *shown, cls="shots examples") if shown else EMPTY


def _example(sample: Sample, prepared: Prepared) -> Html:
    palette, classes = colours(prepared), prepared.info.classes
    drawn = np.array(annotated(sample, palette))  # (h, w, 3)
    tags = [tag for tag in sample.tags if 0 < tag <= len(classes)]
    alt = f"{sample.id}: {', '.join(classes[tag - 1] for tag in tags) or 'no tags'}"
    size = {"width": drawn.shape[1], "height": drawn.shape[0], "loading": "lazy"}
    return el(
        "li",
        el("img", attrs={"src": data_uri(drawn), "alt": alt, **size}),
        el("span", sample.id, cls="id"),
        el("span", *(el("span", swatch(palette[tag]), classes[tag - 1], cls="key") for tag in tags), cls="keys"),
    )
