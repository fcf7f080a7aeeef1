"""The plugin API of data sets: a plugin's whole job is to write the prepared data set that everything else reads.

# pyproject.toml    [project.entry-points."wsss.datasets"]   mydata = "my_package:DATASET"
DATASET = Dataset(name="mydata", title="...", prepare="my_package.prepare:prepare", config="my_package.config:Options")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wsss_cli.load_object import load_class, load_object

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from wsss_cli.data.prepared import BadSample, DatasetInfo, Sample


@dataclass(frozen=True)
class Dataset:
    """A source of data.

    prepare  "package.module:function", called as function(options, folder), returns (DatasetInfo, samples).
             options  an instance of `config`
             folder   an empty directory of the data set's own, for files it must make (images, masks); files that
                      exist already are referenced where they are
             samples  an iterable of Sample, or of BadSample for an image that cannot be used. It is read once, in
                      order, as a stream (a generator will do; what has a length gets a progress bar with an end).
             The host then checks every sample, sets the info's name and hash, writes dataset.yaml and samples.jsonl
             and renames the folder into place; on any failure it removes the folder.
             What is wrong as a whole (a folder missing) is raised as WsssError.
    config   "package.module:Class", a pydantic model; each field is an option of `wsss prepare NAME`.
    resumes  the folder is not removed on a failure or kill: at the next try its subfolders are as they were left, so
             that what takes long is made once. The plugin must see to it that they fit the options
             (`wsss_cli.files.keep_if_made_from`) and write files whole (`wsss_cli.files.writing`).
    own      "package.module:function", called as function(folder), of a plugin that reads a user's own images; returns
             the options by which it prepares the folder. Methods choose their settings for such a data set
             (`Method.propose`), and `wsss auto` prepares folders with it.
    """

    name: str
    title: str
    prepare: str
    config: str
    resumes: bool = field(default=False, kw_only=True)
    own: str = field(default="", kw_only=True)

    def function(self) -> Callable[[Any, Path], tuple[DatasetInfo, Iterable[Sample | BadSample]]]:
        return load_object(self.prepare)

    def own_options(self, folder: Path) -> BaseModel:
        """The options of a folder of which nothing more is said."""
        options: BaseModel = load_object(self.own)(folder)
        return options

    def config_class(self) -> type[BaseModel]:
        return load_class(self.config, "pydantic:BaseModel", f"the class of the options of '{self.name}'")
