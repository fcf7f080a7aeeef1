"""The `evaluate` stages: score predictions, pseudo-labels or CAMs against the masks, and say how they were made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from wsss_cli import ranges
from wsss_cli.cam.label import strongest, with_background
from wsss_cli.cam.merge import upsample
from wsss_cli.cam.store import read_cam
from wsss_cli.config import StageConfig, completed
from wsss_cli.context import Context
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.long_side import at_full_size
from wsss_cli.data.objects import true_objects
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.job import Job
from wsss_cli.method import INSTANCES, Artefact
from wsss_cli.metrics.bootstrap import Bootstrap, interval
from wsss_cli.metrics.confusion import scores_of, sweep, tally
from wsss_cli.places import Place
from wsss_cli.promises import Promises, promised_ids
from wsss_cli.protocol import CRF, FACTS, NO_SELECTION, MeanOver, Protocol
from wsss_cli.ranks.distributed import gather, shard, sum_over_ranks
from wsss_cli.runs import read_record
from wsss_cli.sound import read_text

STEPS = tuple(round(0.01 * i, 2) for i in range(1, 61))


def ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    """Each once, in order, as the sweep needs them."""
    return tuple(sorted(set(values)))


class Evaluate(StageConfig):
    """What is scored."""

    split: str | None = Field(None, description="the split on which seeds and pseudo-labels are scored; the data set's")
    thresholds: Annotated[tuple[ranges.Share, ...], AfterValidator(ascending)] = Field(
        STEPS, min_length=1, description="background scores tried for CAMs"
    )
    mean_over: MeanOver = Field(
        "union",
        description="classes of the mean IoU: union: a class that is only predicted counts as 0 (VOC devkit's "
        "VOCevalseg, mmseg, IRN's evaluation); ground_truth: it is left out (the scorers of ToCo, PUF and BCM)",
    )
    instances: bool = Field(False, description="also score instance labels (of stage pseudo): AP50, AP75, ABO")
    true_instances: Annotated[str | None, Place("any")] = Field(
        None, description="a COCO JSON or a folder of VOC object maps; null: those that the data set names"
    )

    def images(self, context: Context) -> Sequence[Sample] | None:
        """Where the seeds or pseudo-labels of a split are scored; of predictions `infer` says which it is."""
        if "infer" in context.inputs:
            return None
        split = context.data.split_for("seeds", self.split)
        return with_mask(context.data, split)

    def reads(self, context: Context) -> Sequence[str] | None:
        """Of predictions the split that they are of."""
        if "infer" not in context.inputs:
            return super().reads(context)
        split = context.data.covering(_predicted(context))
        return None if split is None else (split,)

    def promises(self, context: Context) -> Promises:
        return {"": ("scores.json",)}

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        predicted = _predicted(context)
        if predicted and not any(sample.mask for sample in predicted):
            yield _no_masks(f"what is predicted of '{context.data.info.name}'")
        promised = context.promised.get("pseudo")
        if self.instances and promised and not promised.get(INSTANCES.folder):
            from wsss_cli.metrics.instances import labels_file, no_instances

            yield no_instances(labels_file(context.inputs["pseudo"]))

    @classmethod
    def recorded(cls, values: dict[str, Any]) -> Evaluate:
        """Versions that had no mean_over left out what is only predicted."""
        return cls.model_validate({"mean_over": "ground_truth"} | values)


def _predicted(context: Context) -> list[Sample]:
    """The images of the stage infer, where predictions are scored."""
    made = promised_ids(context.promised.get("infer", {}), "labels")
    return [sample for sample in context.data.samples if sample.id in made]


def evaluate(job: Job[Evaluate]) -> dict[str, float]:
    """Write scores.json and per_image.jsonl; returns the mIoU of each kind of label map."""
    config = job.config
    source = next(iter(job.inputs))
    record = read_record(job.inputs[source]) or {}
    split = record["metrics"]["split"] if source == "infer" else job.data.split_for("seeds", config.split)
    samples, masked = job.data.split(split), with_mask(job.data, split)
    if cams := job.method.writes(source, "cam"):
        rows, images, curve = _score_cams(job, masked, job.inputs[source] / cams[0].folder)
    else:
        rows, images, curve = _score_labels(job, masked, source)
    protocol = _protocol(job, source, split, len(masked))
    report: dict[str, Any] = {
        "method": job.method.name,
        "run": job.folder.parent.name,
        **{key: getattr(protocol, key) for key in FACTS},
        "without_mask": len(samples) - len(masked),
        "protocol": protocol.written(),
        "scores": rows,
        "sweep": curve,
    }
    if config.instances and source == "pseudo" and job.runtime.main:
        report["instances"] = _score_instances(job, samples, config.true_instances)
    if job.runtime.main:
        write_text(job.folder / "scores.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
        write_text(job.folder / "per_image.jsonl", "".join(json.dumps(row) + "\n" for row in images))
    return {row["name"]: row["miou"] for row in rows} | report.get("instances", {}).get("means", {})


def with_mask(data: Prepared, split: str) -> list[Sample]:
    """The samples of the split that can be scored. Raises WsssError if none can."""
    masked = [s for s in data.split(split) if s.mask is not None]
    if not masked:
        raise _no_masks(f"split '{split}' of '{data.info.name}'")
    return masked


def _no_masks(what: str) -> WsssError:
    remedy = "choose a --split that has some, or prepare the data with masks; without a score: wsss train, wsss infer"
    return WsssError(f"{what} has no masks to score against", remedy)


def read_scores(folder: Path) -> dict[str, Any]:
    """scores.json of an evaluate stage."""
    return json.loads(read_text(folder / "scores.json"))


Counted = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]
"""The rows of scores, each image's own mIoU, and the sweep over background scores."""


def label_maps(job: Job, source: str) -> dict[str, Path]:
    """The folder of each kind of label map that the stage left, by what scores call it."""
    folder, promised = job.inputs[source], job.promised.get(source)
    declared = job.method.writes(source, "labels")
    there = [a for a in declared if (promised.get(a.folder) if promised else (folder / a.folder).is_dir())]
    return {_called(a, source): folder / a.folder for a in there or declared[:1]}


def _called(artefact: Artefact, source: str) -> str:
    name = {"infer": "prediction", "pseudo": "pseudo-label", "seeds": "seed"}[source]
    return name + (f", {artefact.title}" if artefact.title else "") + (CRF if artefact.refined else "")


def _score_labels(job: Job, samples: Sequence[Sample], source: str) -> Counted:
    """Each kind of label map that the stage left."""
    rows: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for kind, labels in label_maps(job, source).items():
        made = promised_ids(job.promised.get(source, {}), labels.name)
        total, draws, images, ignored = _count(
            job, samples, partial(_labels_of, labels, made), kind, undecided=source != "infer"
        )
        rows.append(_row(kind, total, draws, job) | ({"ignored": ignored} if ignored else {}))
    return rows, images, []


def _labels_of(folder: Path, made: set[str], sample: Sample) -> np.ndarray:
    """The label map of a sample at its photo's size: all background where the stage was to make none, for want of tags
    or boxes."""
    path = folder / f"{sample.id}.png"
    if (sample.id not in made if made else not sample.tags) and not path.exists():
        return np.zeros((sample.full.height, sample.full.width), np.uint8)
    return at_full_size(read_labels(path), sample)


def _count(
    job: Job, samples: Sequence[Sample], labels: Callable[[Sample], np.ndarray], title: str, undecided: bool
) -> tuple[Tensor, Tensor, list[dict[str, Any]], float]:
    """The tally (3, K) over all ranks, those of draws, each image's own mIoU, the share of the pixels not scored.

    undecided  pixels that the label maps themselves ignore are left out; otherwise they are an error
    """
    k = job.data.num_classes + 1
    total, draws = torch.zeros(3, k, dtype=torch.int64), Bootstrap(3, k)
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
            draws.add(sample.id, one)
            images.append({"id": sample.id, "miou": scores_of(one).miou})  # what is only predicted is no success
            tick(1)
    together, drawn, known = (sum_over_ranks(x.to(job.runtime.device)).cpu() for x in (total, draws.tallies, known))
    rows = sorted((i for part in gather(images) for i in part), key=lambda i: i["id"])
    return together, drawn, rows, int(known[1]) / max(1, int(known[0]))


def _without(truth: np.ndarray, made: np.ndarray, ignore: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The truth where the label map says something, and how many pixels it had, and how many of them are gone."""
    silent = (made == ignore) & (truth != ignore)
    counts = int((truth != ignore).sum()), int(silent.sum())
    return np.where(silent, ignore, truth).astype(truth.dtype), counts


def _score_cams(job: Job[Evaluate], samples: Sequence[Sample], folder: Path) -> Counted:
    """The sweep over background scores, and the best one's row in full."""
    k, thresholds = job.data.num_classes + 1, job.config.thresholds
    total, draws = torch.zeros(len(thresholds), 3, k, dtype=torch.int64), Bootstrap(len(thresholds), 3, k)
    tried = torch.tensor(thresholds)
    mine = shard(samples, job.runtime)
    with job.track("score CAMs", len(mine)) as tick:
        for sample in mine:
            labels, best = _strongest(folder / f"{sample.id}.npz", sample, label_format(k - 1))
            one = sweep(torch.from_numpy(read_labels(sample.mask)), best, labels, tried, k)  # type: ignore[arg-type]
            total += one
            draws.add(sample.id, one)
            tick(1)
    total, drawn = (sum_over_ranks(x.to(job.runtime.device)).cpu() for x in (total, draws.tallies))
    every = [scores_of(t, job.config.mean_over) for t in total]
    at = max(range(len(thresholds)), key=lambda i: every[i].miou)
    curve = [{"threshold": t, "miou": s.miou} for t, s in zip(thresholds, every)]
    row = _row("CAM", total[at], drawn[:, at], job) | {"threshold": thresholds[at]}
    return [row], [], curve


def _strongest(path: Path, sample: Sample, form: LabelFormat) -> tuple[Tensor, Tensor]:
    """The strongest class of each pixel of the photo and its score; nothing where the image has no tags."""
    size = sample.full.height, sample.full.width
    if not path.exists() and not sample.tags:
        nothing = torch.zeros(size)
        return form.tensor(nothing), nothing
    cam = read_cam(path)
    maps = cam.full()
    best, index = strongest(maps if sample.original is None else upsample(maps, size))  # (H, W)
    return form.tensor(with_background(torch.from_numpy(cam.class_ids))[index]), best


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


def _row(name: str, total: Tensor, drawn: Tensor, job: Job[Evaluate]) -> dict[str, Any]:
    """Scores as plain data, classes by name; None where a class is left out of the mean."""
    s, between = scores_of(total, job.config.mean_over), interval(drawn, job.config.mean_over)
    names = ("background", *job.data.info.classes)
    iou = {n: None if v != v else v for n, v in zip(names, s.iou)}  # NaN is no JSON
    rest = {key: value for key, value in asdict(s).items() if key != "iou"}
    return {"name": name, **rest, "interval": between, "iou": iou}


def _protocol(job: Job, source: str, split: str, images: int) -> Protocol:
    """How the label maps were made and are scored."""
    config: Evaluate = job.config
    head = {
        "stage": source,
        "data": job.data.info.name,
        "split": split,
        "ground_truth": job.data.info.masks,
        "images": images,
        "mean_over": config.mean_over,
        "data_long_side": job.data.info.long_side,
    }
    if source == "infer":
        made = _prediction(job.inputs[source]) | _training(job)
    else:
        made = {"thresholds": len(config.thresholds) if job.method.writes(source, "cam") else None}
    unset = {key: field.default for key, field in Protocol.model_fields.items()}
    return Protocol(**unset | head | made)


def _prediction(folder: Path) -> dict[str, Any]:
    """The settings of an infer stage that change what it predicts, a method's own among them."""
    config = (read_record(folder) or {})["config"]
    made = {key: value for key, value in config.items() if key not in ("seed", "split", "batch", "crf_settings")}
    return made | {"crf": config["crf_settings"] if config["crf"] else None}


def _training(job: Job) -> dict[str, Any]:
    """What was trained, and from what."""
    record = read_record(job.inputs["infer"].parent / "train") or {}
    stage, recorded = job.method.stage("train"), record.get("config", {})
    learnt, told = completed(stage.config_class(), recorded) if stage else recorded, record.get("metrics") or {}
    network = learnt.get("net")
    if isinstance(network, dict) and "normalise" in network:  # what "auto" stood for; of older versions ImageNet's
        network = network | {"normalise": record.get("normalise", {}).get("net", "imagenet")}
    return {
        "labels": learnt.get("labels", "image tags"),  # which single-stage methods make labels of as they train
        "network": network,
        "effective_batch": told.get("effective_batch", learnt.get("loop", {}).get("batch")),
        "selection": told.get("selection", NO_SELECTION),
    }
