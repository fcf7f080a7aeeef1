"""A trained network with all that its use on new images needs: a run's, or one that was exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import nn

from wsss_cli import bounds
from wsss_cli.config import as_dict, resolve
from wsss_cli.data.palette import Colour, colours
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample, read_info
from wsss_cli.engine import checkpoint
from wsss_cli.engine.infer import Infer
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.load_object import load_object
from wsss_cli.method import Method
from wsss_cli.places import file_digest
from wsss_cli.plan import check_sections, recipe_of, stages_of
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.runs import Run, Settings, known_record, read_record

SPLIT = "images"


@dataclass(frozen=True)
class Model:
    """A trained network.

    name        for people and for folders, as "DATA/METHOD/NAME"
    palette     colours of ids 0..C
    config      how it is applied
    checkpoint  the file that the method's predictor reads
    long_side   the most pixels that the longer side of an image has when the network sees it: the data set's that it
                learnt from; None: as it is
    pictures    how the pictures were read that it learnt from: DatasetInfo.pictures
    inputs      the folders of a run's stages that its predictor may read; none of an exported one
    """

    name: str
    method: Method
    classes: tuple[str, ...]
    palette: tuple[Colour, ...]
    config: Infer
    checkpoint: Path
    long_side: int | None = None
    pictures: Mapping[str, float] = field(default_factory=dict)
    inputs: Mapping[str, Path] = field(default_factory=dict)

    def digest(self) -> str:
        """Of its weights."""
        return file_digest(self.checkpoint)

    def beside(self) -> dict[str, str | None]:
        """When each stage was finished that its predictor reads beside the training: a gate's classifier."""
        return {need: known_record(folder).get("made") for need, folder in self.inputs.items() if need != "train"}

    def job(self, samples: Sequence[Sample], runtime: Runtime) -> Job[Infer]:
        """The stage `infer` on these images instead of a data set's."""
        splits = dict.fromkeys(("train", "val", "seeds"), SPLIT)
        info = DatasetInfo(self.name, "", self.classes, splits, "", palette=self.palette)
        folder, inputs = self.checkpoint.parent, dict(self.inputs)
        data = Prepared(folder, info, tuple(samples))
        return Job(data, self.method, "infer", self.config, folder, inputs, runtime)

    def network(self, runtime: Runtime) -> nn.Module:
        """It, ready to predict: a normalised batch (B, 3, H, W) -> logits (B, K, h, w)."""
        job = self.job((), runtime)
        net: nn.Module = load_object(self.method.predictor)(self.checkpoint, job)
        return job.ready(net)


def of_run(run: Run, method: Method, settings: Settings, data_root: Path, trust: bool = False) -> Model:
    """The network that a run has trained; the data set that it learnt from need not be there any more.

    settings  of the run, with what the command asks for
    Raises WsssError if there is none, and for wrong settings.
    """
    record = require_trained(run)
    about = _info(run, record, data_root)
    recipe = recipe_of(method, settings, about["kind"])
    check_sections(recipe, settings, stages_of(method), method)
    stage = method.stage("infer")
    assert stage is not None
    config = resolve(stage.config_class(), "infer", recipe.get("infer") or {}, settings.of("infer"))
    assert isinstance(config, Infer)
    file, meta = checkpoint.used(run.stage("train") / "checkpoint.pt", trust)
    classes = tuple(meta["classes"])
    info = DatasetInfo(run.data, "", classes, {}, "", palette=tuple(map(tuple, about["palette"])))
    palette = tuple(colours(Prepared(run.folder, info, ())))
    name = f"{run.data}/{run.method}/{run.name}"
    inputs = {need: run.stage(need) for need in stage.needs if need not in config.unneeded()}
    return Model(name, method, classes, palette, config, file, about["long_side"], about["pictures"], inputs)


def require_trained(run: Run) -> dict[str, Any]:
    """The record of the run's training.  Raises WsssError if it was never started, or has not reached its end."""
    record = read_record(run.stage("train")) or {}
    if record.get("status") == "finished":
        return record
    what = "its training has not reached its end" if record else "it was never trained"
    command = f"wsss train {run.method} --data {run.data} --name {run.name}"
    raise WsssError(f"run {run.data}/{run.method}/{run.name} has no network: {what}", f"train it first: {command}")


def _info(run: Run, record: Mapping[str, Any], data_root: Path) -> dict[str, Any]:
    """Kind and palette of the data set, as it is or as the training has noted them; how that saw its pictures."""
    folder, noted = data_root / run.data, dict(record.get("about", {}))
    known: dict[str, Any] = {"kind": "", "palette": (), "long_side": None, "pictures": {}} | noted
    if (folder / "dataset.yaml").is_file():
        info = read_info(folder)
        known |= {"kind": info.kind, "palette": info.palette, "pictures": noted.get("pictures", info.pictures)}
    return known


def with_long_side(model: Model, asked: int | None) -> Model:
    """The model that sees photos at that longer side at most; 0: as they are, None: as it would.

    Raises WsssError for one in which no network sees anything.
    """
    if asked is not None and 0 < asked < bounds.SMALLEST:
        raise WsssError(
            f"--long-side {asked} leaves nothing to see", f"give {bounds.SMALLEST} or more, or 0: as they are"
        )
    return model if asked is None else replace(model, long_side=asked or None)


def with_settings(model: Model, overrides: Mapping[str, Any]) -> Model:
    """The model applied with these settings of stage infer changed.  Raises WsssError for wrong ones."""
    if not overrides:
        return model
    return replace(model, config=resolve(type(model.config), "infer", as_dict(model.config), overrides))
