"""What a data set plugin returns, with the types that its API names: what is of another is told with plugin and field,
before a stage an hour later trips over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from wsss_cli.data.prepared import BadSample, DatasetInfo, Sample
from wsss_cli.dataset import Dataset
from wsss_cli.errors import WsssError, lowered
from wsss_cli.names import shown

T = TypeVar("T")
INFO, SAMPLE = TypeAdapter(DatasetInfo), TypeAdapter(Sample)  # 10 us a sample; its image takes milliseconds


def asked(plugin: Dataset, options: BaseModel, folder: Path) -> tuple[DatasetInfo, Iterable[object]]:
    """The info and the stream of samples, not looked at yet.  Raises WsssError if it returns anything else."""
    answer = plugin.function()(options, folder)
    match answer:
        case (DatasetInfo() as info, Iterable() as samples):
            return with_roles(_typed(INFO, info, plugin, "DatasetInfo"), plugin), samples
    kinds = [type(part).__name__ for part in (answer if isinstance(answer, tuple) else (answer,))]
    what = f"plugin '{plugin.name}': {plugin.prepare} returned {', '.join(kinds)}"
    raise WsssError(what, "it is to return two things, a DatasetInfo and an iterable of Sample: mend the plugin")


def with_roles(info: DatasetInfo, plugin: Dataset) -> DatasetInfo:
    """Seeds are scored on the train split where the plugin names no other.  Raises WsssError for a role without a split
    that every method asks for."""
    for role in ("train", "val"):
        if role not in info.splits:
            what = f"plugin '{plugin.name}': its DatasetInfo.splits names no split for the role '{role}'"
            raise WsssError(what, "for example splits={'train': 'train', 'val': 'val'}: mend the plugin")
    return replace(info, splits={**info.splits, "seeds": info.splits.get("seeds", info.splits["train"])})


def typed(sample: object, plugin: Dataset) -> Sample | BadSample:
    """A sample of the stream; NumPy's numbers and lists become what JSON and sets can hold.  Raises WsssError."""
    if isinstance(sample, BadSample):
        return sample
    if not isinstance(sample, Sample):
        what = f"plugin '{plugin.name}': among the samples of {plugin.prepare} is a {type(sample).__name__}"
        raise WsssError(what, "give each image as a Sample, or a BadSample: mend the plugin")
    return _typed(SAMPLE, sample, plugin, f"Sample {shown(str(sample.id))}")


def _typed(adapter: TypeAdapter[T], value: T, plugin: Dataset, what: str) -> T:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        said = f"plugin '{plugin.name}', {what}: {field} = {first['input']!r:.80}: {lowered(first['msg'])}"
        raise WsssError(said, "the types stand in wsss_cli.data.prepared: mend the plugin") from error
