"""Prepared data sets: made, opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from wsss_cli import console, ranges
from wsss_cli.api.arguments import checked
from wsss_cli.checks.finding import Finding
from wsss_cli.config import resolve
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.dataset import Dataset
from wsss_cli.plugins import dataset as find_dataset
from wsss_cli.preparation import prepare as host
from wsss_cli.running.find import require_data


@checked
def prepare(
    source: str,
    options: Mapping[str, Any] | None = None,
    name: str | None = None,
    *,
    data_root: str | Path = "data",
    force: bool = False,
    skip_bad: bool = False,
    long_side: ranges.LongSide | None = None,
) -> Prepared:
    """Read a data set once, check every file of it, and keep what was found in `data_root/name`; as `wsss prepare`.

    source    "folder", "coco", "voc", "shapes", or an installed plugin's
    options   those of the source as `wsss prepare SOURCE --help` tells them, with _ for -: {"images": "photos"}
    name      of the data set; the source's, if not given
    force     replace a data set of that name; skip_bad, leave out images that cannot be used
    long_side  pixels of the longer side, 32 or more, at which stages see photos that are larger; None: as they are
    Raises WsssError with all that is wrong with the data, or for such an argument, nothing written.
    """
    plugin = find_dataset(source)
    given = resolve(plugin.config_class(), source, options or {}, remedy=f"see: wsss prepare {source} --help")
    return read_prepared(made(plugin, given, name or source, Path(data_root), force, skip_bad, long_side))


def made(
    plugin: Dataset, options: BaseModel, name: str, root: Path, force: bool, skip_bad: bool, long_side: int | None
) -> Path:
    """The folder of a data set that a plugin makes with its options, made as `prepare` says."""
    with console.counter(f"prepare {plugin.name}") as count:
        return host.prepare(plugin, options, name, root, force, skip_bad, count, _tell, long_side)


@checked
def open_data(name: str, *, data_root: str | Path = "data") -> Prepared:
    """A data set that was prepared before.  Raises WsssError naming the nearest one if there is none of that name."""
    require_data(name, Path(data_root))
    return read_prepared(Path(data_root) / name)


def _tell(found: Finding) -> None:
    (console.warn if found.level != "ok" else console.say)(found.line)
