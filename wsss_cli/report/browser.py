"""The image browser: predictions beside their masks, to be filtered and sorted in the page itself.

Everything stands in the page already, worst first: without a script it is a list. What `browser.js` needs of an image
are its attributes: data-miou, data-certainty, data-iou ("3:0.512 5:0") and data-truth ("0 3").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from wsss_cli.data.images import read_image
from wsss_cli.data.labels import read_labels
from wsss_cli.data.palette import colours
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.protocol import CRF
from wsss_cli.report.markup import EMPTY, Html, el, join, percent, swatch
from wsss_cli.report.pictures import Picture, data_uri, overlay, thumbnail
from wsss_cli.report.read import Record, image_rows
from wsss_cli.runs import Run

MOST = 300
"""Images with pictures, unless the command says otherwise."""
LISTED = 2_000
"""Images of the list; of more the worst."""
SMALL, LARGE, FEW = 160, 256, 100
"""Pixels of a picture's longer side; the larger where there are few images."""
MOST_BYTES = {SMALL: 5_000, LARGE: 10_000}
"""Of one picture: three an image, so 300 images take 6 MB at most."""

SORTS = {
    "worst": "worst first",
    "best": "best first",
    "unsure": "least certain first",
    "sure": "most certain first",
    "fooled": "certain and wrong first",
    "name": "by name",
}
ERRORS = {"": "all images", "missed": "a class is missed", "made-up": "a class is only predicted"}
KEYS = "Arrow keys go from image to image, Enter enlarges, Escape closes."


@dataclass(frozen=True)
class Entry:
    """An image of the list.

    miou       of the image, None where it has no mask
    iou        of each class id that is in its mask or its prediction; None where it has no mask
    truth      ids of its mask, or without one of its tags
    certainty  mean of the network's largest scores, None of earlier versions
    """

    sample: Sample
    miou: float | None
    iou: Mapping[int, float | None]
    truth: tuple[int, ...]
    certainty: float | None


def script() -> str:
    """What makes the list a browser."""
    return files("wsss_cli.report").joinpath("browser.js").read_text(encoding="utf-8")


def browser_section(
    run: Run,
    records: Mapping[str, Record],
    scored: Mapping[str, Mapping[str, Any]],
    data: Prepared,
    most: int = MOST,
) -> Html:
    """The images of the first scored predictions, or of the first predictions if none are; at most `most` as pictures.

    Images that cannot be read any more are listed without pictures.
    """
    key = min((k for k, report in scored.items() if report["stage"] == "infer" and report["scores"]), default=None)
    infer = key.replace("evaluate", "infer") if key else next((k for k in records if k.startswith("infer")), None)
    if infer is None or infer not in records:
        return EMPTY
    kind = scored[key]["scores"][-1]["name"] if key else "prediction"
    entries = listed(_entries(data, image_rows(run.stage(key or infer))))
    if not entries:
        return EMPTY
    drawn = with_pictures(entries, most)
    side = LARGE if len(drawn) <= FEW else SMALL
    folder = run.stage(infer) / ("labels_crf" if kind.endswith(CRF) else "labels")
    made = ParallelMap(lambda entry: _pictures(entry, folder, kind, side, data), drawn)
    pictures = dict(zip((entry.sample.id for entry in drawn), made))
    items = [_item(entry, pictures.get(entry.sample.id, EMPTY), data) for entry in entries]
    return join([_intro(entries, drawn, kind), _controls(entries, data), el("ul", *items, cls="shots"), VIEWER])


def listed(entries: Sequence[Entry]) -> list[Entry]:
    """The worst first, what has no score by certainty; LISTED at most."""
    return sorted(entries, key=_badness)[:LISTED]


def with_pictures(entries: Sequence[Entry], most: int) -> list[Entry]:
    """At most `most`, in turn of the worst, the least certain, and the whole range; in the order of the list."""
    n = len(entries)
    unsure = sorted(range(n), key=lambda i: entries[i].certainty or 0.0)
    spread = [i * n // most for i in range(most)] if n > most else range(n)
    turns = chain.from_iterable(zip_longest(range(n), unsure, spread))
    chosen = set(islice(dict.fromkeys(i for i in turns if i is not None), most))
    return [entry for i, entry in enumerate(entries) if i in chosen]


def _badness(entry: Entry) -> tuple[bool, float]:
    score = entry.certainty if entry.miou is None else entry.miou
    return entry.miou is None, 1.0 if score is None else score


def _entries(data: Prepared, rows: Mapping[str, Mapping[str, Any]]) -> list[Entry]:
    return [_entry(sample, rows[sample.id]) for sample in data.samples if sample.id in rows]


def _entry(sample: Sample, row: Mapping[str, Any]) -> Entry:
    iou: dict[int, float | None] = {int(id): value for id, value in row.get("iou", {}).items()}
    tagged = dict.fromkeys(sample.tags)
    return Entry(sample, row.get("miou"), iou or tagged, tuple(row.get("truth", sample.tags)), row.get("certainty"))


def _intro(entries: Sequence[Entry], drawn: Sequence[Entry], kind: str) -> Html:
    shown = f"{len(entries):,} images: the image, its {kind}, its mask."
    some = len(drawn) < len(entries)
    limit = f" {len(drawn):,} of them have pictures here, the worst, the least certain and some of all others;" * some
    more = join([" ", el("code", "wsss report --pictures N"), " shows more."]) if some else None
    cut = f" Of the split, the worst {LISTED:,} are listed." * (len(entries) == LISTED)
    return el("p", shown + limit, more, cut, cls="note")


def _controls(entries: Sequence[Entry], data: Prepared) -> Html:
    """Shown by the script alone."""
    present = sorted({id for entry in entries for id in entry.iou if 0 < id <= data.num_classes})
    classes = {"": "any class"} | {str(id): data.info.classes[id - 1] for id in present}
    scored = any(entry.miou is not None for entry in entries)
    sorts = SORTS if scored else {key: SORTS[key] for key in ("unsure", "sure", "name")}
    search = el("input", attrs={"type": "search", "name": "search", "placeholder": "part of a name"})
    parts = [
        _select("class", "Class", classes),
        _select("error", "Error", ERRORS) if scored else None,
        _select("sort", "Order", sorts),
        el("label", "Name ", search),
        el("output", "", attrs={"aria-live": "polite"}),
        el("p", KEYS, cls="note"),
    ]
    return el("form", *parts, cls="browser", attrs={"hidden": "", "aria-label": "Which images are shown"})


def _select(name: str, title: str, options: Mapping[str, str]) -> Html:
    listed = [el("option", text, attrs={"value": value}) for value, text in options.items()]
    return el("label", f"{title} ", el("select", *listed, attrs={"name": name}))


def _item(entry: Entry, pictures: Html, data: Prepared) -> Html:
    attrs = {
        "data-id": entry.sample.id,
        "data-miou": "" if entry.miou is None else f"{entry.miou:.4f}",
        "data-certainty": "" if entry.certainty is None else f"{entry.certainty:.4f}",
        "data-iou": " ".join(f"{id}:{'' if value is None else f'{value:.4f}'}" for id, value in entry.iou.items()),
        "data-truth": " ".join(map(str, entry.truth)),
    }
    figures = {"mIoU": entry.miou, "certainty": entry.certainty}
    text = " · ".join(f"{name} {percent(value)}" for name, value in figures.items() if value is not None)
    classes = [_class(id, value, entry, data) for id, value in entry.iou.items() if 0 < id <= data.num_classes]
    return el(
        "li",
        el("span", entry.sample.id, cls="id"),
        el("span", text, cls="rank"),
        pictures,
        el("span", *classes, cls="keys") if classes else None,
        attrs=attrs,
    )


def _class(id: int, iou: float | None, entry: Entry, data: Prepared) -> Html:
    """A class with its IoU in the image, or what went wrong with it altogether."""
    what = "" if iou is None else percent(iou) if iou else "missed" if id in entry.truth else "only predicted"
    return el("span", swatch(colours(data)[id]), f"{data.info.classes[id - 1]} {what}".strip(), cls="key")


def _pictures(entry: Entry, folder: Path, kind: str, side: int, data: Prepared) -> Html:
    """The image, what was predicted of it and its mask, side by side; nothing if they cannot be read."""
    sample = entry.sample
    files = {kind: folder / f"{sample.id}.png", "mask": sample.mask}
    try:
        small = thumbnail(read_image(sample.image, data.info.reading), side)
        maps = {name: read_labels(path) for name, path in files.items() if path is not None and path.exists()}
    except WsssError:
        return EMPTY
    drawn = {"image": small} | {name: overlay(small, labels, colours(data)) for name, labels in maps.items()}
    said = {name: _names(np.unique(labels).tolist(), data) for name, labels in maps.items()}
    said["image"] = _names(sample.tags, data)
    images = [_img(picture, f"{name} of {sample.id}: {said[name]}", side) for name, picture in drawn.items()]
    return el("span", *images, cls="trio")


def _img(picture: Picture, alt: str, side: int) -> Html:
    height, width = picture.shape[:2]
    uri = data_uri(picture, MOST_BYTES[side])
    return el("img", attrs={"src": uri, "alt": alt, "width": width, "height": height, "loading": "lazy"})


def _names(ids: Iterable[int], data: Prepared) -> str:
    named = [data.info.classes[id - 1] for id in ids if 0 < id <= data.num_classes]
    return ", ".join(named) or "background only"


VIEWER = el(
    "dialog",
    el("div", cls="large"),
    el(
        "p",
        el("button", "← previous", attrs={"type": "button", "value": "-1"}),
        el("button", "next →", attrs={"type": "button", "value": "1", "autofocus": ""}),
        el("button", "close", attrs={"type": "button", "value": "close"}),
    ),
    cls="viewer",
    attrs={"aria-label": "An image, enlarged"},
)
"""Opened by the script alone."""
