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
from wsss_cli.data.objects import true_objects
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.job import Job
from wsss_cli.metrics.confusion import Scores, scores_of, sweep, tally
from wsss_cli.ranks.distributed import gather, shard, sum_over_ranks
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
    instances: bool = Field(False, description="also score instance labels (of stage pseudo): AP50, AP75, ABO")
    true_instances: str | None = Field(
        None, description="a COCO JSON or a folder of VOC object maps; null: those that the data set names"
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
    if source == "seeds" and (job.inputs[source] / "cam").is_dir():
        rows, images, curve = _score_cams(job, masked, config.thresholds)
    else:
        rows, images, curve = _score_labels(job, masked, job.inputs[source], source)
    report: dict[str, Any] = {
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
    if config.instances and source == "pseudo" and job.runtime.main:
        report["instances"] = _score_instances(job, samples, config.true_instances)
    if job.runtime.main:
        write_text(job.folder / "scores.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
        write_text(job.folder / "per_image.jsonl", "".join(json.dumps(row) + "\n" for row in images))
    return {row["name"]: row["miou"] for row in rows} | report.get("instances", {}).get("means", {})


def read_scores(folder: Path) -> dict[str, Any]:
    """scores.json of an evaluate stage."""
    return json.loads((folder / "scores.json").read_text(encoding="utf-8"))


def _score_labels(job: Job, samples: Sequence[Sample], folder: Path, source: str) -> tuple[list, list, list]:
    """Each label-map folder that the stage left: plain; with CRF, or sure parts alone, where they were made."""
    name = {"infer": "prediction", "pseudo": "pseudo-label", "seeds": "seed"}[source]
    kinds = {name: folder / "labels"}
    if (folder / "labels_crf").is_dir() and (read_record(folder) or {}).get("config", {}).get("crf"):
        kinds[f"{name} + CRF"] = folder / "labels_crf"
    if (folder / "labels_prob").is_dir():
        kinds[f"{name}, seeds where unsure"] = folder / "labels_prob"
    rows: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for kind, labels in kinds.items():
        total, images, ignored = _count(job, samples, partial(_labels_of, labels), kind, undecided=source != "infer")
        rows.append(_row(kind, scores_of(total), job) | ({"ignored": ignored} if ignored else {}))
    return rows, images, []


def _labels_of(folder: Path, sample: Sample) -> np.ndarray:
    """The label map of a sample: all background where the stage made none, for want of tags."""
    path = folder / f"{sample.id}.png"
    if not path.exists() and not sample.tags:
        return np.zeros((sample.height, sample.width), np.uint8)
    return read_labels(path)


def _count(
    job: Job, samples: Sequence[Sample], labels: Callable[[Sample], np.ndarray], title: str, undecided: bool
) -> tuple[torch.Tensor, list[dict[str, Any]], float]:
    """The tally (3, K) over all ranks, each image's own mIoU, and the share of the pixels that are not scored.

    undecided  pixels that the label maps themselves ignore are left out; otherwise they are an error
    """
    k = job.data.num_classes + 1
    total = torch.zeros(3, k, dtype=torch.int64)
    known = torch.zeros(2, dtype=torch.int64)  # pixels of the ground truth: all, and ignored by the label maps
    images: list[dict[str, Any]] = []
    mine = shard(samples, job.runtime)
    with job.track(f"score {title}", len(mine)) as tick:
        for sample in mine:
            truth, made = read_labels(sample.mask), labels(sample)  # type: ignore[arg-type]
            if undecided and made.shape == truth.shape:
                truth, left_out = _without(truth, made, label_format(k - 1).ignore)
                known += torch.tensor(left_out)
            one = tally(truth, made, k)
            total += one
            images.append({"id": sample.id, "miou": scores_of(one).miou})
            tick(1)
    together, known = (sum_over_ranks(x.to(job.runtime.device)).cpu() for x in (total, known))
    rows = sorted((i for part in gather(images) for i in part), key=lambda i: i["id"])
    return together, rows, int(known[1]) / max(1, int(known[0]))


def _without(truth: np.ndarray, made: np.ndarray, ignore: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The truth where the label map says something, and how many pixels it had, and how many of them are gone."""
    silent = (made == ignore) & (truth != ignore)
    counts = int((truth != ignore).sum()), int(silent.sum())
    return np.where(silent, ignore, truth).astype(truth.dtype), counts


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


def _score_instances(job: Job, samples: Sequence[Sample], given: str | None) -> dict[str, Any]:
    """The instance labels of the images that have both them and true objects."""
    from wsss_cli.metrics.instances import instance_scores, labels_file, read_instances  # pycocotools: only if asked

    found = read_instances(labels_file(job.inputs["pseudo"]), job.data)
    truth = true_objects(job.data, samples, given)
    ids = [s.id for s in samples if s.id in found and s.id in truth]
    if not ids:
        raise WsssError("no image has both instance labels and true objects", "choose another --split")
    scores = instance_scores([truth[i] for i in ids], [found[i] for i in ids], job.data.num_classes)
    columns = zip(job.data.info.classes, scores.ap50, scores.ap75, scores.abo, scores.objects)
    return {
        "ground_truth": Path(given).name if given else "the data set's",
        "images": len(ids),
        "without": len(samples) - len(ids),
        "instances": sum(len(found[i]) for i in ids),
        "objects": int(scores.objects.sum()),
        "means": scores.means(),
        "classes": {name: {"AP50": a, "AP75": b, "ABO": c, "objects": int(n)} for name, a, b, c, n in columns if n},
    }


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
    learnt, told = record.get("config", {}), record.get("metrics") or {}
    return {
        "scales": config["scales"],
        "flip": config["flip"],
        "fusion": config["fusion"],
        "resize": config["resize"],
        "short_side": config.get("short_side"),
        "long_side": config.get("long_side"),
        "window": config.get("window"),
        "member": config.get("member"),  # of methods that train several networks
        "weights": config.get("weights"),  # of those that keep a teacher
        "crf": config["crf_settings"] if config["crf"] else None,
        "labels": learnt.get("labels", "image tags"),  # which single-stage methods make labels of as they train
        "network": learnt.get("net"),
        "effective_batch": told.get("effective_batch", learnt.get("loop", {}).get("batch")),
        "selection": told.get("selection", NO_SELECTION),
    }
