"""A folder of results of photos: what it was made with, which photos it has, the area of each class."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wsss_cli.data.georeference import lay
from wsss_cli.data.unchanged import stamp
from wsss_cli.errors import WsssError
from wsss_cli.files import append_text, followed, is_taken, sweep, write_text, writing, writing_allowed
from wsss_cli.photos.find import RESULTS, Photo, results_of
from wsss_cli.sound import fault

JOURNAL, AREAS = "photos.jsonl", "areas.csv"
KINDS = {"labels": ".png", "labels_crf": ".png", "overlay": ".jpg", "probabilities": ".npz"}
"""The kinds of results, which are sub-folders, and the endings of their files."""


@dataclass(frozen=True)
class Results:
    """A folder of results.

    kinds  those that are wanted of every photo
    rows   what is known of the photos that it has, by id
    """

    folder: Path
    kinds: tuple[str, ...]
    rows: dict[str, dict[str, Any]]

    def named(self, photos: Iterable[Photo]) -> list[Photo]:
        """The photos by the names that their results have here: one that is done keeps its own, and none takes that of
        another file that is still there (b.png, where b.jpg was predicted as "b"): it keeps its ending.
        """
        known = {row["image"]: id for id, row in self.rows.items()}
        taken = {id.casefold(): row["image"] for id, row in self.rows.items() if Path(row["image"]).is_file()}

        def own(photo: Photo) -> str:
            path, ending = str(photo.path), photo.path.suffix
            if path in known:
                return known[path]
            free = taken.get(photo.id.casefold(), path) == path or photo.id.endswith(ending)
            return photo.id if free else photo.id + ending

        return [replace(photo, id=own(photo)) for photo in photos]

    def places(self, photo: Photo) -> dict[str, Path]:
        """Where the results of a photo are written, by kind."""
        return {kind: self._place(kind, photo) for kind in self.kinds}

    def has(self, photo: Photo) -> bool:
        """Whether all that is wanted of the photo, as it is now, is there and sound."""
        row = self.rows.get(photo.id)
        return row is not None and row["stamp"] == stamp(photo.path) and all(map(_sound, self.places(photo).values()))

    def add(self, photo: Photo, before: str, areas: Sequence[int], shape: Sequence[int]) -> None:
        """Note that a photo is done.  before: its stamp when it was read.

        What there is of other kinds goes, unless it is known to be of the same photo: it would be taken for that.
        """
        if self._is_other(photo, before):
            self._take_away(photo, KINDS.keys() - self.kinds)
        row = {"id": photo.id, "image": str(photo.path), "stamp": before, "width": shape[1], "height": shape[0]}
        self.rows[photo.id] = row = row | {"areas": list(areas)}
        append_text(self.folder / JOURNAL, _line(row))

    def fail(self, photo: Photo) -> None:
        """Note that nothing could be made of a photo: what there is of an earlier one in its place goes."""
        if self._is_other(photo, stamp(photo.path)):
            self._take_away(photo, KINDS)

    def write_areas(self, classes: Sequence[str]) -> Path:
        """areas.csv: for each photo that is there and has a label map its size and the pixels of background and of each
        class.  Whatever was asked for this time: label maps of the others lie here, too.
        """
        path = self.folder / AREAS
        with writing(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["image", "width", "height", "background", *classes])
            images = {row["image"]: row for row in filter(self._is_there, self.rows.values())}
            for row in sorted(images.values(), key=lambda row: row["id"]):
                table.writerow([row["image"], row["width"], row["height"], *row["areas"]])
        return path

    def _is_other(self, photo: Photo, now: str) -> bool:
        """Whether what there is of it is not known to be of the file whose stamp is `now`."""
        return self.rows.get(photo.id, {}).get("stamp") != now

    def _take_away(self, photo: Photo, kinds: Iterable[str]) -> None:
        for kind in kinds:
            lay(self._place(kind, photo), None)
            self._place(kind, photo).unlink(missing_ok=True)

    def _place(self, kind: str, photo: Photo) -> Path:
        return self.folder / kind / f"{photo.id}{KINDS[kind]}"

    def _is_there(self, row: Mapping[str, Any]) -> bool:
        return Path(row["image"]).is_file() and (self.folder / "labels" / f"{row['id']}.png").is_file()


def open_results(folder: Path, made_with: Mapping[str, Any], kinds: Sequence[str], anew: bool = False) -> Results:
    """The results that the folder has already, if they were made with the same; else it begins, others set aside.

    made_with  model, settings and the photos' folder, plain data
    anew       begin again in any case
    Raises WsssError if the folder has other things in it, or results of photos of another folder.
    """
    folder = followed(folder)
    before = results_of(folder)
    if before is None and is_taken(folder):
        raise WsssError(f"{folder} is there, and holds no results of photos", "choose another folder with --output")
    if before is not None and before.get("photos") != made_with["photos"] and not anew:
        what = f"{folder} holds results of the photos in {before.get('photos')}"
        raise WsssError(what, "choose another folder with --output, or replace what is there with --force")
    wanted = json.loads(json.dumps(made_with))
    if before is not None and (before != wanted or anew):
        set_aside(folder)
    sweep(folder)
    write_text(folder / RESULTS, json.dumps(wanted, indent=2, ensure_ascii=False) + "\n")
    rows = {row["id"]: row for row in _rows(folder / JOURNAL)}
    write_text(folder / JOURNAL, "".join(map(_line, rows.values())))  # without a line that was cut short
    return Results(folder, tuple(kinds), rows)


def set_aside(folder: Path) -> None:
    """Keep earlier results, one generation of them, as `<folder>.previous`.

    Raises WsssError if something else is called so.
    """
    previous = folder.with_name(f"{folder.name}.previous")
    if previous.exists() and results_of(previous) is None:
        what = f"{folder} would be kept as {previous}, which is there, and holds no results of photos"
        raise WsssError(what, "move that away, or choose another folder with --output")
    with writing_allowed(previous):
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)


def _rows(path: Path) -> list[dict[str, Any]]:
    """Of the journal, without a line that was cut short."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.keys() >= {"id", "image", "stamp", "width", "height", "areas"}:
            rows.append(row)
    return rows


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _sound(path: Path) -> bool:
    try:
        return path.stat().st_size > 0 and not fault(path)
    except OSError:
        return False
