"""The sweep over background scores: of CAMs, or of scores that label maps are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_cli.cam.label import strongest_label
from wsss_cli.cam.merge import upsample
from wsss_cli.cam.store import Cam
from wsss_cli.config import flat
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.method import Artefact
from wsss_cli.metrics.bootstrap import Bootstrap
from wsss_cli.metrics.confusion import scores_of, sweep
from wsss_cli.promises import absent, each
from wsss_cli.ranks.distributed import shard, sum_over_ranks
from wsss_cli.runs import known_record


@dataclass(frozen=True)
class Sweep:
    """The tallies of label maps by each background score, and the mean IoU that each gives.

    total (T, 3, K); drawn (N, T, 3, K), those of draws; mious (T,)
    """

    of: Artefact
    thresholds: tuple[float, ...]
    total: Tensor
    drawn: Tensor
    mious: list[float]

    @property
    def best(self) -> int:
        """The first one of the highest mean IoU."""
        return max(range(len(self.mious)), key=lambda i: self.mious[i])

    def curve(self) -> list[dict[str, float]]:
        return [{"threshold": t, "miou": miou} for t, miou in zip(self.thresholds, self.mious)]


def swept(job: Job, source: str, samples: Sequence[Sample]) -> Sweep | None:
    """The sweep over background scores; None where the stage left nothing to sweep over, or not of every image."""
    for artefact in (*job.method.writes(source, "cam"), *job.method.writes(source, "scores")):
        folder = job.inputs[source] / artefact.folder
        if artefact.kind == "cam" or not absent(folder, each((s for s in samples if s.tags), ".npz")):
            return _sweep(job, samples, artefact, folder)
    return None


def _sweep(job: Job, samples: Sequence[Sample], of: Artefact, folder: Path) -> Sweep:
    k, thresholds, read = job.data.num_classes + 1, job.config.thresholds, of.reader()
    total, draws = torch.zeros(len(thresholds), 3, k, dtype=torch.int64), Bootstrap(len(thresholds), 3, k)
    tried = torch.tensor(thresholds)
    mine = shard(samples, job.runtime)
    with job.track("score CAMs" if of.kind == "cam" else "try background scores", len(mine)) as tick:
        for sample in mine:
            labels, best = _strongest(folder / f"{sample.id}.npz", sample, label_format(k - 1), read)
            one = sweep(torch.from_numpy(read_labels(sample.mask)), best, labels, tried, k)  # type: ignore[arg-type]
            total += one
            draws.add(sample.id, one)
            tick(1)
    total, drawn = (sum_over_ranks(x.to(job.runtime.device)).cpu() for x in (total, draws.tallies))
    return Sweep(of, thresholds, total, drawn, [scores_of(t, job.config.mean_over).miou for t in total])


def _strongest(path: Path, sample: Sample, form: LabelFormat, read: Callable[[Path], Cam]) -> tuple[Tensor, Tensor]:
    """The strongest class of each pixel of the photo and its score; nothing where the image has no tags."""
    size = sample.full.height, sample.full.width
    if not path.exists() and not sample.tags:
        nothing = torch.zeros(size)
        return form.tensor(nothing), nothing
    cam = read(path)
    maps = cam.full() if sample.original is None else upsample(cam.full(), size)
    score, label = strongest_label(maps, torch.from_numpy(cam.class_ids))
    return form.tensor(label), score


def chosen(job: Job, best: Sweep, source: str, samples: Sequence[Sample]) -> dict[str, Any]:
    """The best background score, which setting it is, its value now, and the command that sets it.

    None of an image that predictions are scored on: a score would no longer be of images that nothing was chosen on.
    """
    found: dict[str, Any] = {"best": best.thresholds[best.best], "miou": best.mious[best.best]}
    stage, _, key = best.of.background.partition(".")
    if not key:
        elsewhere = [s.name for s in job.method.stages if any(a.background for a in s.writes) and s.name != source]
        return found | {"setting": None, "elsewhere": elsewhere}
    now = flat(known_record(job.inputs[source].with_name(stage)).get("config", {})).get(key)
    final = {sample.id for sample in job.data.split(job.data.split_for("val"))}
    run = job.inputs[source].parent.name
    name = "" if run == "default" else f" --name {run}"
    words = f"wsss {stage} {job.method.name} --data {job.data.folder.name}{name} {key}={found['best']:g}"
    scored = any(sample.id in final for sample in samples)
    return found | {"setting": best.of.background, "now": now, "command": None if scored else words}
