"""Which instances JSON and folder of images the options mean."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from wsss_cli.errors import WsssError
from wsss_coco.config import Options
from wsss_coco.index import Index
from wsss_coco.stream import read_spans

ANNOTATIONS = "annotations"
LOOKED_FOR = 20  # images


class Source(NamedTuple):
    """An instances JSON and the folder of its images."""

    json: Path
    images: Path


def find_source(options: Options, role: Literal["train", "val"]) -> Source:
    """The JSON and images of a role, absolute.  Raises WsssError telling which is not given or missing."""
    part = f"{role}{options.year}"
    given: dict[str, Path | None] = {
        "json": options.train_json if role == "train" else options.val_json,
        "images": options.train_images if role == "train" else options.val_images,
    }
    usual = {"json": Path(ANNOTATIONS, f"instances_{part}.json"), "images": Path(part)}
    paths = {kind: given[kind] or (options.root and options.root / usual[kind]) for kind in usual}
    for kind, path in paths.items():
        if path is None:
            what = f"it is not said where the {kind} of the {role} images is"
            raise WsssError(what, f"give COCO's folder with --root, or --{role}-{kind}")
        if not (path.is_file() if kind == "json" else path.is_dir()):
            name = "file" if kind == "json" else "folder"
            raise WsssError(f"there is no {name} {path}", _remedy(options, role, kind, given[kind] is None))
    return Source(*(path.absolute() for path in paths.values() if path))


def require_images(source: Source, index: Index) -> None:
    """Find a wrong folder before the masks of 120,000 images are painted.

    Raises WsssError if not one of the first images is there; single ones that are missing are told with the others.
    """
    entries = [read_spans(source.json, index.spans(i)[:1])[0] for i in range(min(len(index), LOOKED_FOR))]
    names = [entry.get("file_name") for entry in entries]
    if not any(isinstance(name, str) and (source.images / name).is_file() for name in names):
        what = f"{source.images} holds none of the first {len(names)} images of {source.json}, such as '{names[0]}'"
        raise WsssError(what, "name the folder that file names start from")


def _remedy(options: Options, role: str, kind: str, usual: bool) -> str:
    if not usual:
        return f"correct --{role}-{kind}"
    return (
        f"--root needs annotations/instances_{role}{options.year}.json and {role}{options.year}/ in it; "
        f"or name it with --{role}-{kind}"
    )
