"""The classes of a YOLO data set: classes.txt or data.yaml, by whatever name, and what else the latter tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wsss_cli.errors import WsssError
from wsss_folder.documents import read_text, read_yaml

NAMES = ("classes.txt", "obj.names", "names.txt", "data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
YAML = (".yaml", ".yml")


def find_names(folder: Path, near: Iterable[Path] = ()) -> Path:
    """The file of class names in or near `folder`.  Raises WsssError if there is none, or several could be meant."""
    for path in (*_near(folder, near), *_others(folder, near)):
        return path
    raise WsssError(
        f"the class names of the YOLO labels in {folder} are missing", "give classes.txt or data.yaml with --names"
    )


def find_yaml(folder: Path, near: Iterable[Path] = ()) -> Path | None:
    """The data.yaml in or near `folder`, by whatever name."""
    return next((path for path in (*_near(folder, near), *_others(folder, near)) if is_yaml(path)), None)


def _near(folder: Path, near: Iterable[Path]) -> Iterator[Path]:
    return (place / name for place in _places(folder, near) for name in NAMES if (place / name).is_file())


def _others(folder: Path, near: Iterable[Path]) -> Iterator[Path]:
    """A YAML of another name that tells of classes, in the nearest folder that has one.

    Raises WsssError if there are two of different classes.
    """
    for place in _places(folder, near):
        told = {path: _tells(path) for path in sorted(place.glob("*.y*ml")) if is_yaml(path)}
        found = [path for path, key in told.items() if key == ("names" if "names" in told.values() else "nc")]
        if len({tuple(read_names(path).items()) for path in found}) > 1:
            shown = ", ".join(path.name for path in found)
            raise WsssError(f"{place} holds several YAMLs of classes: {shown}", "give the one to use with --names")
        yield from found[:1]


def _places(folder: Path, near: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((folder, folder.parent, folder.parent.parent, *near)))


def _tells(path: Path) -> str:
    """ "names" or "nc", by which a YAML tells its classes; "" if it does not."""
    try:
        content = read_yaml(path)
    except WsssError:
        return ""
    if not isinstance(content, dict):
        return ""
    return "names" if isinstance(content.get("names"), list | dict) else "nc" if "nc" in content else ""


def is_yaml(path: Path) -> bool:
    return path.suffix.lower() in YAML


def read_names(path: Path) -> dict[int, str]:
    """Class names by number: one per line, or `names` of a YAML as list or mapping.  Raises WsssError.

    Where a YAML has only their number `nc`, they are class_0, class_1, ... as Ultralytics calls them.
    """
    if not is_yaml(path):
        lines = [line.strip() for line in read_text(path).rstrip().splitlines()]
        return _require(path, dict(enumerate(lines)))
    content = read_yaml(path)
    names: Any = content.get("names") if isinstance(content, dict) else content
    if names is None and isinstance(content, dict) and _is_count(content.get("nc")):
        names = [f"class_{n}" for n in range(int(content["nc"]))]
    if isinstance(names, list):
        return _require(path, {n: _name(name, n, path) for n, name in enumerate(names)})
    if isinstance(names, dict) and all(map(_is_count, names)):
        return _require(path, {int(n): _name(names[n], int(n), path) for n in sorted(names, key=int)})
    raise WsssError(f"{path} has no list or mapping 'names'", "write names: [cat, dog], or names: {0: cat, 1: dog}")


def _is_count(value: Any) -> bool:
    """Whether it is the text of 0, 1, ..."""
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _name(value: Any, number: int, path: Path) -> str:
    """As it stands in the file; null is nothing.  Raises WsssError for a list or a mapping."""
    if isinstance(value, list | dict):
        raise WsssError(
            f"{path}: the name of class {number} is {value}", "a name is one word or several: 'traffic light'"
        )
    return "" if value is None else value.strip()


def _require(path: Path, names: dict[int, str]) -> dict[int, str]:
    seen: set[str] = set()
    for number, name in names.items():
        if not name or name in seen:
            what = f"the name of class {number} is empty" if not name else f"the class '{name}' is there twice"
            raise WsssError(f"{path}: {what}", "give each class its own name, in the order of the numbers")
        seen.add(name)
    if not names:
        raise WsssError(f"{path} holds no class name", "write one name per line, in the order of the numbers")
    return names


def read_key_points(path: Path) -> int:
    """How many numbers of key points follow a box: the product of kpt_shape, 0 without it.  Raises WsssError."""
    content = read_yaml(path)
    shape = content.get("kpt_shape") if isinstance(content, dict) else None
    if shape is None:
        return 0
    if not (isinstance(shape, list) and len(shape) == 2 and all(_is_count(n) and int(n) for n in shape)):
        raise WsssError(f"{path}: kpt_shape is {shape}, not [number, 2 or 3]", "for example kpt_shape: [17, 3]")
    return int(shape[0]) * int(shape[1])


def read_task(path: Path) -> str:
    """`task` of a data.yaml: "segment", "obb", ...; "" without it."""
    content = read_yaml(path)
    return str(content.get("task") or "").strip().lower() if isinstance(content, dict) else ""
