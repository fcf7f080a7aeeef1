"""The `evaluate` stages: score predictions, pseudo-labels or CAMs against the masks, and say how they were made."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from wsss_cli.cam.label import strongest, with_background
from wsss_cli.cam.store import read_cam
from wsss_cli.config import StageConfig
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.distributed import gather, shard, sum_over_ranks
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.job import Job
from wsss_cli.metrics.confusion import Scores, scores_of, sweep, tally
from wsss_cli.runs import read_record

NO_SELECTION = "none: the last iteration"
"""Of checkpoints; a training that does select says by what, in its metrics."""

STEPS = tuple(round(0.01 * i, 2) for i in range(1, 61))


class Evaluate(StageConfig):
    """What is scored."""

    split: str | None = Field(None, description="the split on which seeds and pseudo-labels are scored; the data set's")
    thresholds: tuple[float, ...] = Field(
        STEPS, min_length=1, description="background scores tried for CAMs, ascending"
    )


def evaluate(job: Job) -> dict[str, float]:
    """Write scores.json and per_image.jsonl; returns the mIoU of each kind of label map."""
    config: Evaluate = job.config
    source = next(iter(job.inputs))
    record = read_record(job.inputs[source]) or {}
    split = record["metrics"]["split"] if source == "infer" else job.data.split_for("seeds", config.split)
    samples = job.data.split(split)
    masked = [s for s in samples if s.mask is not None]
    if not masked:
        raise WsssError(f"split '{split}' of '{job.data.info.name}' has no masks to score against", "choose another")
    if source == "seeds":
        rows, images, curve = _score_cams(job, masked, config.thresholds)
    else:
        rows, images, curve = _score_labels(job, masked, job.inputs[source], source)
    report = {
        "stage": source,
        "method": job.method.name,
        "data": job.data.info.name,
        "run": job.folder.parent.name,
        "split": split,
        "ground_truth": job.data.info.masks,
        "images": len(masked),
        "without_mask": len(samples) - len(masked),
        "protocol": _protocol(job.inputs[source], source),
        "scores": rows,
        "sweep": curve,
    }
    if job.runtime.main:
        write_text(job.folder / "scores.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
        write_text(job.folder / "per_image.jsonl", "".join(json.dumps(row) + "\n" for row in images))
    return {row["name"]: row["miou"] for row in rows}


def read_scores(folder: Path) -> dict[str, Any]:
    """scores.json of an evaluate stage."""
    return json.loads((folder / "scores.json").read_text(encoding="utf-8"))


def _score_labels(job: Job, samples: Sequence[Sample], folder: Path, source: str) -> tuple[list, list, list]:
    """Each label-map folder that the stage left: plain, and with CRF where it was made."""
    name = {"infer": "prediction", "pseudo": "pseudo-label"}[source]
    kinds = {name: folder / "labels"}
    if (folder / "labels_crf").is_dir() and (read_record(folder) or {}).get("config", {}).get("crf"):
        kinds[f"{name} + CRF"] = folder / "labels_crf"
    rows: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for kind, labels in kinds.items():
        total, images = _count(job, samples, partial(_labels_of, labels), kind)
        rows.append(_row(kind, scores_of(total), job))
    return rows, images, []


def _labels_of(folder: Path, sample: Sample) -> np.ndarray:
    """The label map of a sample: all background where the stage made none, for want of tags."""
    path = folder / f"{sample.id}.png"
    if not path.exists() and not sample.tags:
        return np.zeros((sample.height, sample.width), np.uint8)
    return read_labels(path)


def _count(
    job: Job, samples: Sequence[Sample], labels: Callable[[Sample], np.ndarray], title: str
) -> tuple[torch.Tensor, list[dict[str, Any]]]:
    """The tally (3, K) over all ranks, and each image's own mIoU."""
    k = job.data.num_classes + 1
    total = torch.zeros(3, k, dtype=torch.int64)
    images = []
    mine = shard(samples, job.runtime)
    with job.track(f"score {title}", len(mine)) as tick:
        for sample in mine:
            one = tally(read_labels(sample.mask), labels(sample), k)  # type: ignore[arg-type]
            total += one
            images.append({"id": sample.id, "miou": scores_of(one).miou})
            tick(1)
    together = sum_over_ranks(total.to(job.runtime.device)).cpu()
    return together, sorted((i for part in gather(images) for i in part), key=lambda i: i["id"])


def _score_cams(job: Job, samples: Sequence[Sample], thresholds: Sequence[float]) -> tuple[list, list, list]:
    """The sweep over background scores, and the best one's row in full."""
    k = job.data.num_classes + 1
    folder = job.inputs["seeds"] / "cam"
    total = torch.zeros(len(thresholds), 3, k, dtype=torch.int64)
    tried = torch.tensor(thresholds)
    mine = shard(samples, job.runtime)
    with job.track("score CAMs", len(mine)) as tick:
        for sample in mine:
            labels, best = _strongest(folder / f"{sample.id}.npz", sample, label_format(k - 1))
            total += sweep(torch.from_numpy(read_labels(sample.mask)), best, labels, tried, k)  # type: ignore[arg-type]
            tick(1)
    total = sum_over_ranks(total.to(job.runtime.device)).cpu()
    every = [scores_of(t) for t in total]
    at = max(range(len(thresholds)), key=lambda i: every[i].miou)
    curve = [{"threshold": t, "miou": s.miou} for t, s in zip(thresholds, every)]
    row = _row("CAM", every[at], job) | {"threshold": thresholds[at]}
    return [row], [], curve


def _strongest(path: Path, sample: Sample, form: LabelFormat) -> tuple[Tensor, Tensor]:
    """The strongest class of each pixel and its score; nothing where the image has no tags."""
    if not path.exists() and not sample.tags:
        nothing = torch.zeros(sample.height, sample.width)
        return form.tensor(nothing), nothing
    cam = read_cam(path)
    best, index = strongest(cam.full())  # (H, W)
    return form.tensor(with_background(torch.from_numpy(cam.keys))[index]), best


def _row(name: str, s: Scores, job: Job) -> dict[str, Any]:
    """Scores as plain data, classes by name; None where a class is not in the ground truth."""
    names = ("background", *job.data.info.classes)
    iou = {n: None if v != v else v for n, v in zip(names, s.iou)}  # NaN is no JSON
    rest = {key: value for key, value in asdict(s).items() if key != "iou"}
    return {"name": name, **rest, "iou": iou}


def _protocol(folder: Path, source: str) -> dict[str, Any]:
    """How the label maps were made: what a score must name to be compared."""
    config = (read_record(folder) or {})["config"]
    if source != "infer":
        return {"selection": NO_SELECTION}
    train = folder.parent / "train"
    record = read_record(train) or {}
    learnt = record.get("config", {})
    return {
        "scales": config["scales"],
        "flip": config["flip"],
        "fusion": config["fusion"],
        "resize": config["resize"],
        "short_side": config.get("short_side"),
        "window": config.get("window"),
        "member": config.get("member"),  # of methods that train several networks
        "weights": config.get("weights"),  # of those that keep a teacher
        "crf": config["crf_settings"] if config["crf"] else None,
        "labels": learnt.get("labels"),
        "network": learnt.get("net"),
        "effective_batch": learnt.get("loop", {}).get("batch"),
        "selection": (record.get("metrics") or {}).get("selection", NO_SELECTION),
    }
