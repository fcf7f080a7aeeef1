"""The plugin API of data sets: a plugin's whole job is to write the prepared data set that everything else reads.

    # pyproject.toml    [project.entry-points."wsss.datasets"]   mydata = "my_package:DATASET"
    DATASET = Dataset(name="mydata", title="...", prepare="my_package.prepare:prepare", config="my_package.config:Options")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsss_cli.method import load_object

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from wsss_cli.data.prepared import DatasetInfo


@dataclass(frozen=True)
class Dataset:
    """A source of data.

    prepare  "package.module:function", called as function(options, folder) where folder is an empty directory of the
             data set's own (for files it must make: masks, images). Returns (DatasetInfo, iterable of Sample);
             the host checks, writes dataset.yaml and samples.jsonl, and renames the folder into place.
    config   "package.module:Class", a pydantic model; each field is an option of `wsss prepare NAME`.
    """

    name: str
    title: str
    prepare: str
    config: str

    def function(self) -> Callable[[BaseModel, Path], DatasetInfo]:
        return load_object(self.prepare)

    def config_class(self) -> type[BaseModel]:
        return load_object(self.config)
