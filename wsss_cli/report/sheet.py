"""Contact sheets: image | CAM | pseudo-label | prediction | prediction + CRF | ground truth of telling images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsss_cli.cam.store import read_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.palette import Colour, colours
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.report.boxes import outlined
from wsss_cli.report.markup import EMPTY, Html, el, join, percent, swatch
from wsss_cli.report.pictures import Picture, data_uri, heat, overlay, thumbnail

FileOf = Callable[[Sample], Path | None]


@dataclass(frozen=True)
class Pick:
    """An image of a sheet and why it was chosen: "best", "median", "worst", or "" with no mIoU to choose by.

    certainty  of the network, where images were chosen by that
    """

    sample: Sample
    rank: str = ""
    miou: float | None = None
    certainty: float | None = None


@dataclass(frozen=True)
class Shown:
    """One picture of a sheet and the class ids it shows."""

    picture: Picture
    ids: tuple[int, ...] = ()


def pick(samples: Iterable[Sample], mious: Mapping[str, float], most: int) -> list[Pick]:
    """`most` of the best, of the middle and of the worst images by mIoU; all of them, unranked, if under three."""
    ranked = sorted((s for s in samples if s.id in mious), key=lambda s: -mious[s.id])
    n = min(most, len(ranked) // 3)
    middle = (len(ranked) - n) // 2
    groups = {"best": ranked[:n], "median": ranked[middle : middle + n], "worst": ranked[len(ranked) - n :]}
    if n == 0:
        groups = {"": ranked}
    return [Pick(s, rank, mious[s.id]) for rank, group in groups.items() for s in group]


def spread(samples: Sequence[Sample], most: int) -> list[Pick]:
    """At most `most` samples, evenly spaced."""
    n = min(most, len(samples))
    return [Pick(samples[i * len(samples) // n]) for i in range(n)]


def sheet(
    title: str, intro: str, picks: Sequence[Pick], columns: Mapping[str, FileOf], data: Prepared, boxed: bool = False
) -> Html:
    """A table of pictures, one image a row; columns of which no image has a file are left out.

    columns  where a picture's label map or class maps (.npz) lie, by its name; boxed, draw boxes into the images
    Raises WsssError for damaged files.
    """
    shown = [_pictures(p.sample, columns, colours(data), boxed) for p in picks]
    names = [name for name in ("image", *columns) if any(name in pictures for pictures in shown)]
    if len(names) < 2:
        return EMPTY
    head = el("thead", el("tr", *(el("th", name, attrs={"scope": "col"}) for name in ("", *names))))
    rows = [_row(p, pictures, names, data) for p, pictures in zip(picks, shown)]
    ids = {id for pictures in shown for one in pictures.values() for id in one.ids}
    return el(
        "div",
        el("h3", title),
        el("p", intro, cls="note") if intro else None,
        _legend(sorted(ids - {0}), data),
        el("table", head, el("tbody", *rows), cls="sheet"),
    )


def _pictures(
    sample: Sample, columns: Mapping[str, FileOf], palette: Sequence[Colour], boxed: bool
) -> dict[str, Shown]:
    """The image and what has been made of it, by column."""
    small = thumbnail(read_image(sample.image))
    shown = {"image": Shown(outlined(small, sample, palette) if boxed else small)}
    for name, file_of in columns.items():
        path = file_of(sample)
        picture = _draw(path, small, palette) if path and path.exists() else None
        if picture is not None:
            shown[name] = picture
    return shown


def _draw(path: Path, small: Picture, palette: Sequence[Colour]) -> Shown | None:
    if path.suffix != ".npz":
        labels = read_labels(path)
        return Shown(overlay(small, labels, palette), tuple(np.unique(labels).tolist()))
    cam = read_cam(path)
    ids = tuple(int(k) for k in cam.class_ids)
    maps = cam.full().numpy()  # (n, H, W)
    return Shown(heat(small, maps, [palette[k] for k in ids]), ids) if ids else None


def _row(pick: Pick, pictures: Mapping[str, Shown], names: Sequence[str], data: Prepared) -> Html:
    cells = [_cell(name, pick.sample, pictures.get(name), data) for name in names]
    return el("tr", el("th", *_about(pick, data), attrs={"scope": "row"}), *cells, cls=pick.rank)


def _about(pick: Pick, data: Prepared) -> list[Html]:
    """The image's id, its mIoU, its tags."""
    score = "" if pick.miou is None else f"mIoU {percent(pick.miou)}"
    score = score if pick.certainty is None else f"certainty {percent(pick.certainty)}"
    rank = f"{pick.rank} · {score}" if pick.rank else score
    tags = [el("span", swatch(colours(data)[t]), data.info.classes[t - 1], cls="key") for t in pick.sample.tags]
    return [
        el("span", pick.sample.id, cls="id"),
        el("span", rank, cls="rank") if rank else EMPTY,
        el("span", *tags, cls="keys") if tags else el("span", "no tags", cls="rank"),
    ]


def _cell(name: str, sample: Sample, shown: Shown | None, data: Prepared) -> Html:
    if shown is None:
        return el("td", cls="nothing")
    height, width = shown.picture.shape[:2]
    attrs = {
        "src": data_uri(shown.picture),
        "alt": _alt(name, sample, shown, data),
        "width": width,
        "height": height,
        "loading": "lazy",
    }
    return el("td", el("span", name, cls="name", attrs={"aria-hidden": "true"}), el("img", attrs=attrs))


def _alt(name: str, sample: Sample, shown: Shown, data: Prepared) -> str:
    ids, ignore = shown.ids if name != "image" else sample.tags, label_format(data.num_classes).ignore
    names = ", ".join(_name(id, data) for id in ids if id not in (0, ignore))
    return f"{name} of {sample.id}: {names or 'background only'}"


def _name(id: int, data: Prepared) -> str:
    return data.info.classes[id - 1] if 1 <= id <= data.num_classes else f"id {id}"


def _legend(ids: Sequence[int], data: Prepared) -> Html:
    """The classes that the sheet shows; ignored pixels last."""
    ignore = label_format(data.num_classes).ignore
    palette = [*colours(data), *[(224, 224, 224)] * (ignore - data.num_classes)]
    names = [(id, "ignored" if id == ignore else _name(id, data)) for id in ids]
    return el("div", *(join([el("span", swatch(palette[id]), name, cls="key")]) for id, name in names), cls="keys")
