"""The prepared data set: `dataset.yaml` and `samples.jsonl`, the only thing that methods and commands read.

Class ids: 0 background, 1..C classes, 255 ignore (65535 where C is large: `label_format`). Boxes are 0-based, half-open
x0, y0, x1, y1.
A folder that holds dataset.yaml is complete: it is written last.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import yaml

from wsss_cli import bounds, yaml12
from wsss_cli.data.picture import Reading
from wsss_cli.errors import WsssError
from wsss_cli.files import inode, is_lost, write_text, writing
from wsss_cli.names import fault, inside, one_line, require_part, require_path, require_visible, shown
from wsss_cli.nearest import nearest
from wsss_cli.places import digest_of, file_digest
from wsss_cli.sound import open_text, read_text, require_file, sum_of

INSTANCES = "instances.json"
"""The instance labels of all images of a run, beside those of each."""


WHITE, BLACK, FIRST_PAGE, MEGAPIXELS = "white_level", "black_level", "first_page", "max_megapixels"
"""Of DatasetInfo.pictures.  A white without a black was found, not given: it is of 16 bits of which some are empty."""


class Told:
    """What a plugin tells: pydantic is to look also at one that is made already (`preparation/told.py`)."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {"revalidate_instances": "always"}


@dataclass(frozen=True, slots=True)
class Box(Told):
    """One object: class id 1..C and its half-open pixel box."""

    label: int
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class Original(Told):
    """The photo that a sample's image was made smaller from: its file, size as shown, boxes, digest and stamp."""

    image: Path
    width: int
    height: int
    boxes: tuple[Box, ...] = ()
    digest: str = ""
    stamp: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Sample(Told):
    """One image: size in pixels as shown (EXIF rotation applied), tags as class ids 1..C, mask None if there is none.

    Of a photo larger than the data set's `long_side`, image, width, height and boxes are those of the smaller image
    that stages see; `original` has the photo's, of whose size the mask is.
    Ids and splits become paths: WsssError for one that cannot (`names.fault`).
    The digests are of the files' bytes when they were checked, the stamps their sizes and times; `wsss prepare` fills
    them in.
    """

    id: str
    image: Path
    width: int
    height: int
    tags: tuple[int, ...]
    boxes: tuple[Box, ...] = ()
    mask: Path | None = None
    splits: tuple[str, ...] = ()
    image_digest: str = ""
    mask_digest: str = ""
    stamps: tuple[str, str] = field(default=("", ""), compare=False)
    original: Original | None = None

    @property
    def full(self) -> Sample:
        """It at the photo's own size, at which results are given and scored; itself if it was not made smaller."""
        whole = self.original
        if whole is None:
            return self
        return replace(
            self,
            image=whole.image,
            width=whole.width,
            height=whole.height,
            boxes=whole.boxes,
            image_digest=whole.digest,
            stamps=(whole.stamp, self.stamps[1]),
            original=None,
        )

    def __post_init__(self) -> None:
        require_path(self.id, "the id of an image", "give the image another name")
        for split in self.splits:
            require_part(split, "the split", "give it another name")
        whole = None if self.original is None else self.original.image
        for path in filter(None, (self.image, self.mask, whole)):
            require_visible(path, "the path")


@dataclass(frozen=True)
class BadSample:
    """An image that a plugin could not turn into a Sample, and why; it stands in the Sample's place in the stream."""

    id: str
    error: WsssError


@dataclass(frozen=True)
class DatasetInfo(Told):
    """What dataset.yaml says.

    kind     the plugin that wrote it; it chooses a method's recipe
    classes  names of classes 1..C, background not among them
    splits   the split that plays each role:
             "train"  what a method learns from, and what seeds and pseudo-labels are made for
             "val"    what the trained network is scored on
             "seeds"  the part of "train" that has masks, on which CAMs and pseudo-labels are scored; "train" if a
                      plugin names none
    source   where it came from, for people: command, root, archive
    masks    the folder or field the masks came from, named in every score
    palette  colours of ids 0..C
    notes    what the plugin decided or left out, for people
    warnings  what is doubtful about it as a whole; `wsss check` repeats them
    pictures  settings by which its pictures were read, by option, where they are not the usual ones
    long_side  the most pixels that the longer side of an image has: larger photos were made smaller, once; None: as
             they are.  The host's
    instances  where the true objects are, if the data has them: COCO JSONs, folders of VOC's object maps; see objects
    hash     of everything that can change a result: classes, roles, samples, the bytes of images and masks; not of
             the place where they lie.  The host fills it in.
    lines    the digest of samples.jsonl as it was written; the host's as well
    objects  the digest of each of `instances`, as places.digest_of; the host's as well
    """

    name: str
    kind: str
    classes: tuple[str, ...]
    splits: dict[str, str]
    source: str
    masks: str = ""
    palette: tuple[tuple[int, int, int], ...] = ()
    notes: tuple[str, ...] = ()
    hash: str = ""
    instances: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    pictures: dict[str, float] = field(default_factory=dict)
    long_side: int | None = None
    lines: str = ""
    objects: tuple[str, ...] = ()

    @property
    def reading(self) -> Reading:
        """How its pictures are read as they are now: those that needed more have been made anew."""
        return Reading(megapixels=self.pictures.get(MEGAPIXELS, bounds.MEGAPIXELS))


def reading_as(pictures: Mapping[str, float]) -> Reading:
    """How those pictures were read of which DatasetInfo.pictures tells: for others of their kind."""
    white, given = pictures.get(WHITE), BLACK in pictures
    return Reading(
        white if given else None,
        pictures.get(BLACK, 0.0),
        bool(pictures.get(FIRST_PAGE)),
        megapixels=pictures.get(MEGAPIXELS, bounds.MEGAPIXELS),
        sparse=None if given else white,
    )


def size_limit(megapixels: float) -> dict[str, float]:
    """Of DatasetInfo.pictures: the limit, if it is not the usual one."""
    return {} if megapixels == bounds.MEGAPIXELS else {MEGAPIXELS: megapixels}


def class_id(name: str, classes: tuple[str, ...], unknown: str = "unknown class") -> int:
    """1..C of a class name.  Raises WsssError, which begins with `unknown`, with the nearest name."""
    if name in classes:
        return classes.index(name) + 1
    known = f"the classes are: {', '.join(classes)}" if len(classes) <= 25 else f"there are {len(classes)} classes"
    raise WsssError(f"{unknown} '{name}'{nearest(name, classes)}", known)


@dataclass(frozen=True)
class Prepared:
    """A prepared data set on disk."""

    folder: Path
    info: DatasetInfo
    samples: tuple[Sample, ...] = field(repr=False)
    _marks: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def num_classes(self) -> int:
        """C, without background."""
        return len(self.info.classes)

    def split_for(self, role: str, asked: str | None = None) -> str:
        """The name of the split that plays `role` (see DatasetInfo), unless another was asked for.

        Raises WsssError if none does, as an older version let plugins say.
        """
        if not asked and role not in self.info.splits:
            raise WsssError(f"data set '{self.info.name}' names no {role} split", "run `wsss prepare` again")
        return asked or self.info.splits[role]

    def split(self, name: str) -> list[Sample]:
        """The samples of the split of that name. Raises WsssError if there is none."""
        chosen = [s for s in self.samples if name in s.splits]
        if not chosen:
            known = sorted({x for s in self.samples for x in s.splits})
            raise WsssError(
                f"data set '{self.info.name}' has no image in split '{name}'", f"its splits are: {', '.join(known)}"
            )
        return chosen

    def has_masks(self, role: str) -> bool:
        """Whether any image of the split that plays `role` has a mask."""
        return any(s.mask is not None for s in self.samples if self.info.splits.get(role) in s.splits)

    def covering(self, samples: Collection[Sample], asked: str | None = None) -> str | None:
        """The split that samples are of: the one asked for, the training split, or else the smallest that has all."""
        ids = {s.id for s in samples}
        sizes = Counter(split for s in self.samples if s.id in ids for split in s.splits)
        whole = [split for split, n in sizes.items() if n == len(ids)]
        first = [split for split in (asked, self.info.splits.get("train"), self.info.splits.get("val")) if split]
        every = Counter(split for s in self.samples for split in s.splits)
        return next((s for s in first if s in whole), min(whole, key=lambda s: (every[s], s), default=None))

    def mark(self, split: str = "") -> str:
        """The digest of a split's samples, of all that can change a result; without a split, of the classes alone.

        Not of the places of files, nor of the other splits that a sample is in.
        """
        if split not in self._marks:
            self._marks[split] = self._digest(split)
        return self._marks[split]

    def _digest(self, split: str) -> str:
        digest = hashlib.blake2b(repr(self.info.classes).encode(), digest_size=8)
        for s in self.samples if split else ():
            if split in s.splits:
                boxes = [(b.label, b.x0, b.y0, b.x1, b.y1) for b in s.boxes]
                mask = s.mask is not None and s.mask_digest
                whole = () if s.original is None else (s.original.width, s.original.height)
                shown = s.full.image_digest  # of a smaller image the bytes depend on who packed them
                digest.update(repr((s.id, s.width, s.height, s.tags, boxes, shown, mask, *whole)).encode())
        return digest.hexdigest()

    def changed(self, data_hash: str, marks: Mapping[str, str] | None) -> list[str]:
        """What is not as it was: splits, or the data set.

        data_hash, marks  of then: `info.hash`, and of each split that was read its mark; None: not known which
        """
        if data_hash == self.info.hash:
            return []
        if marks is None:
            return ["the data set"]
        return [
            f"split '{split}' of the data set" if split else "the classes"
            for split, mark in marks.items()
            if self.mark(split) != mark
        ]

    def tagged(self, asked: str | None = None) -> list[Sample]:
        """The samples of the training split, or of the one asked for, that have tags. Raises WsssError if none has."""
        split = self.split_for("train", asked)
        chosen = [s for s in self.split(split) if s.tags]
        if not chosen:
            what = f"data set '{self.info.name}' has no tags in split '{split}', and the method learns from tags"
            raise WsssError(what, "prepare data with tags, or choose another split")
        return chosen


def write_prepared(folder: Path, info: DatasetInfo, samples: Iterable[Sample]) -> str:
    """Write samples.jsonl, as the samples come, then dataset.yaml into `folder`; returns the data set's hash."""
    digest = hashlib.sha256(json.dumps([info.classes, info.splits], sort_keys=True).encode())
    with writing(folder / "samples.jsonl") as aside, aside.open("w", encoding="utf-8") as file:
        for sample in samples:
            row = _to_json(sample, folder)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            row = {**row, "image": "", "mask": sample.mask is not None}
            if "original" in row:
                row["original"] = {**row["original"], "image": ""}
            digest.update(json.dumps({key: value for key, value in row.items() if key != "stamps"}).encode())
    head = {
        "name": info.name,
        "kind": info.kind,
        "classes": list(info.classes),
        "splits": info.splits,
        "source": info.source,
        "masks": info.masks,
        "palette": [list(c) for c in info.palette],
        "notes": list(info.notes),
        **({"warnings": list(info.warnings)} if info.warnings else {}),
        **({"pictures": info.pictures} if info.pictures else {}),
        **({"long_side": info.long_side} if info.long_side else {}),
        **_instances(info, folder),
        "hash": digest.hexdigest()[:16],
        "lines": file_digest(folder / "samples.jsonl"),
    }
    head["sum"] = sum_of(head)
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    write_text(folder / "dataset.yaml", text)
    return digest.hexdigest()[:16]


def _instances(info: DatasetInfo, folder: Path) -> dict[str, list[str]]:
    there = [path for path in info.instances if path.exists()]
    paths = {"instances": [_relative(path, folder) for path in info.instances]} if info.instances else {}
    return paths | (
        {"objects": [digest_of(path) for path in there]} if there and len(there) == len(info.instances) else {}
    )


def read_prepared(folder: Path) -> Prepared:
    """The prepared data set in `folder`. Raises WsssError naming the file that is missing or damaged.

    One that is put in its place meanwhile is read anew: what was read is of two data sets.
    """
    before = inode(folder)
    try:
        info = read_info(folder)
        return Prepared(folder, info, tuple(read_samples(folder, info.lines)))
    except WsssError:
        if inode(folder) == before:
            raise
    return read_prepared(folder)


def read_samples(folder: Path, digest: str = "") -> Iterator[Sample]:
    """Only samples.jsonl, as a stream. Raises WsssError, also if it is not the one of that digest."""
    path = folder / "samples.jsonl"
    try:
        require_file(path)
        if digest and file_digest(path) != digest:
            raise ValueError("it was changed after it was written")
        for line in _lines(path):
            yield _from_json(line, folder)
    except WsssError as error:  # of a sample
        raise WsssError(f"{folder / 'samples.jsonl'}: {error.what}", "run `wsss prepare` again") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WsssError(f"{folder / 'samples.jsonl'} cannot be read: {error}", "run `wsss prepare` again") from error


def read_info(folder: Path) -> DatasetInfo:
    """Only dataset.yaml. Raises WsssError."""
    path = folder / "dataset.yaml"
    try:
        head: dict[str, Any] = yaml12.load_dumped(read_text(path))
        if "sum" in head and head.pop("sum") != sum_of(head):
            raise ValueError("it was changed after it was written")
        _require_plain(head["classes"])
        return DatasetInfo(
            name=head["name"],
            kind=head["kind"],
            classes=tuple(head["classes"]),
            splits=dict(head["splits"]),
            source=head["source"],
            masks=head["masks"],
            palette=tuple((r, g, b) for r, g, b in head["palette"]),
            notes=tuple(head["notes"]),
            hash=head["hash"],
            instances=tuple(folder / path for path in head.get("instances", ())),
            warnings=tuple(head.get("warnings", ())),
            pictures={str(key): float(value) for key, value in head.get("pictures", {}).items()},
            long_side=head.get("long_side"),
            lines=head.get("lines", ""),
            objects=tuple(map(str, head.get("objects", ()))),
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise WsssError(f"{path} cannot be read: {error}", "run `wsss prepare` again") from error


def _require_plain(classes: list[str]) -> None:
    if wrong := [name for name in classes if name != one_line(name)]:
        raise ValueError(f"the class {shown(wrong[0])} is not on one line")


def read_latest(root: Path) -> str:
    """The name of the data set under `root` that was prepared last.  Raises WsssError if there is none."""
    path = root / "latest"
    name = path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""
    if fault(name) or not ((root / name / "dataset.yaml").is_file() or is_lost(root / name)):
        raise WsssError(
            f"no data set is prepared in {root}", "run `wsss prepare shapes`, or another; see `wsss datasets`"
        )
    return name


def _lines(path: Path) -> Iterator[str]:
    with open_text(path) as file:
        yield from (line for line in file if line.strip())


def _to_json(sample: Sample, folder: Path) -> dict[str, Any]:
    whole = sample.original
    return {
        "id": sample.id,
        "image": _relative(sample.image, folder),
        "width": sample.width,
        "height": sample.height,
        "tags": list(sample.tags),
        "boxes": _corners(sample.boxes),
        "mask": None if sample.mask is None else _relative(sample.mask, folder),
        "splits": list(sample.splits),
        "digests": [sample.image_digest, sample.mask_digest],
        **({} if whole is None else {"original": _original_to_json(whole, folder)}),
        "stamps": [*sample.stamps, *([] if whole is None else [whole.stamp])],
    }


def _original_to_json(whole: Original, folder: Path) -> dict[str, Any]:
    return {
        "image": _relative(whole.image, folder),
        "width": whole.width,
        "height": whole.height,
        "boxes": _corners(whole.boxes),
        "digest": whole.digest,
    }


def _corners(boxes: Iterable[Box]) -> list[list[int]]:
    return [[b.label, b.x0, b.y0, b.x1, b.y1] for b in boxes]


def _from_json(line: str, folder: Path) -> Sample:
    row = json.loads(line)
    return Sample(
        id=row["id"],
        image=_place(row["image"], folder),
        width=row["width"],
        height=row["height"],
        tags=tuple(row["tags"]),
        boxes=tuple(Box(*b) for b in row["boxes"]),
        mask=None if row["mask"] is None else _place(row["mask"], folder),
        splits=tuple(row["splits"]),
        image_digest=row["digests"][0],
        mask_digest=row["digests"][1],
        stamps=tuple(row.get("stamps", ("", ""))[:2]),
        original=_original_from_json(row, folder) if "original" in row else None,
    )


def _original_from_json(row: Mapping[str, Any], folder: Path) -> Original:
    whole = row["original"]
    return Original(
        image=_place(whole["image"], folder),
        width=whole["width"],
        height=whole["height"],
        boxes=tuple(Box(*b) for b in whole["boxes"]),
        digest=whole["digest"],
        stamp=row["stamps"][2],
    )


def _place(path: str, folder: Path) -> Path:
    """An absolute path as it is: images lie anywhere; another one below the data set's folder."""
    return Path(path) if Path(path).is_absolute() else inside(folder, path, "the file", "prepare again")


def _relative(path: Path, folder: Path) -> str:
    """Files inside the data set's folder are named relative to it, so that the folder can be moved."""
    if not path.is_relative_to(folder):
        return str(path.absolute())
    return require_path(path.relative_to(folder).as_posix(), "the file", "give it another name")
