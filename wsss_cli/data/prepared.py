"""The prepared data set: `dataset.yaml` and `samples.jsonl`, the only thing that methods and commands read.

Class ids: 0 background, 1..C classes, 255 ignore. Boxes are 0-based, half-open x0, y0, x1, y1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from wsss_cli.errors import WsssError
from wsss_cli.files import write_text

IGNORE = 255


@dataclass(frozen=True)
class Box:
    """One object: class id 1..C and its half-open pixel box."""

    label: int
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class Sample:
    """One image: size in pixels as shown (EXIF rotation applied), tags as class ids 1..C, mask None where there is none."""

    id: str
    image: Path
    width: int
    height: int
    tags: tuple[int, ...]
    boxes: tuple[Box, ...] = ()
    mask: Path | None = None
    splits: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetInfo:
    """What dataset.yaml says.

    kind     the plugin that wrote it; it chooses a method's recipe
    classes  names of classes 1..C, background not among them
    splits   the split that each stage uses: {"train": ..., "val": ..., "seeds": ...}; see Prepared.split
    source   where it came from, for people: command, root, archive
    masks    the folder or field the masks came from, named in every score
    """

    name: str
    kind: str
    classes: tuple[str, ...]
    splits: dict[str, str]
    source: str
    masks: str = ""
    palette: tuple[tuple[int, int, int], ...] = ()
    hash: str = ""


@dataclass(frozen=True)
class Prepared:
    """A prepared data set on disk."""

    folder: Path
    info: DatasetInfo
    samples: tuple[Sample, ...] = field(repr=False)

    @property
    def num_classes(self) -> int:
        """C, without background."""
        return len(self.info.classes)

    def split_name(self, role: str) -> str:
        """The split that plays `role` ("train": learnt from, "val": scored on), or role itself if it is a split."""
        return self.info.splits.get(role, role)

    def split(self, role: str) -> list[Sample]:
        """The samples of a split, or of the split that plays a role. Raises WsssError if there is none."""
        name = self.split_name(role)
        chosen = [s for s in self.samples if name in s.splits]
        if not chosen:
            known = sorted({x for s in self.samples for x in s.splits})
            raise WsssError(
                f"data set '{self.info.name}' has no image in split '{name}'", f"its splits are: {', '.join(known)}"
            )
        return chosen


def write_prepared(folder: Path, info: DatasetInfo, samples: Iterable[Sample]) -> str:
    """Write dataset.yaml and samples.jsonl into `folder`; returns the data set's hash (of classes and samples)."""
    text = "".join(json.dumps(_to_json(s, folder), ensure_ascii=False) + "\n" for s in samples)
    digest = hashlib.sha256(("\n".join(info.classes) + "\n" + text).encode()).hexdigest()[:16]
    write_text(folder / "samples.jsonl", text)
    head = {
        "name": info.name,
        "kind": info.kind,
        "classes": list(info.classes),
        "splits": info.splits,
        "source": info.source,
        "masks": info.masks,
        "palette": [list(c) for c in info.palette],
        "hash": digest,
    }
    write_text(folder / "dataset.yaml", yaml.safe_dump(head, sort_keys=False, allow_unicode=True))
    return digest


def read_prepared(folder: Path) -> Prepared:
    """The prepared data set in `folder`. Raises WsssError naming the file that is missing or damaged."""
    head = read_info(folder)
    try:
        samples = tuple(_from_json(line, folder) for line in _lines(folder / "samples.jsonl"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WsssError(f"{folder / 'samples.jsonl'} cannot be read: {error}", "run `wsss prepare` again") from error
    return Prepared(folder, head, samples)


def read_info(folder: Path) -> DatasetInfo:
    """Only dataset.yaml. Raises WsssError."""
    path = folder / "dataset.yaml"
    try:
        head: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return DatasetInfo(
            name=head["name"],
            kind=head["kind"],
            classes=tuple(head["classes"]),
            splits=dict(head["splits"]),
            source=head["source"],
            masks=head["masks"],
            palette=tuple((r, g, b) for r, g, b in head["palette"]),
            hash=head["hash"],
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise WsssError(f"{path} cannot be read: {error}", "run `wsss prepare` again") from error


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from (line for line in file if line.strip())


def _to_json(sample: Sample, folder: Path) -> dict[str, Any]:
    return {
        "id": sample.id,
        "image": _relative(sample.image, folder),
        "width": sample.width,
        "height": sample.height,
        "tags": list(sample.tags),
        "boxes": [[b.label, b.x0, b.y0, b.x1, b.y1] for b in sample.boxes],
        "mask": None if sample.mask is None else _relative(sample.mask, folder),
        "splits": list(sample.splits),
    }


def _from_json(line: str, folder: Path) -> Sample:
    row = json.loads(line)
    return Sample(
        id=row["id"],
        image=folder / row["image"],  # an absolute path stays as it is
        width=row["width"],
        height=row["height"],
        tags=tuple(row["tags"]),
        boxes=tuple(Box(*b) for b in row["boxes"]),
        mask=None if row["mask"] is None else folder / row["mask"],
        splits=tuple(row["splits"]),
    )


def _relative(path: Path, folder: Path) -> str:
    """Files inside the data set's folder are named relative to it, so that the folder can be moved."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path.absolute())
