"""The `evaluate` stages: score predictions, pseudo-labels or CAMs against the masks, and say how they were made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from math import isnan
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import AfterValidator, Field, ValidationError
from torch import Tensor

from wsss_cli import ranges
from wsss_cli.config import StageConfig, completed
from wsss_cli.context import Context
from wsss_cli.data.certainty import read_certainties
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.long_side import at_full_size
from wsss_cli.data.objects import true_objects
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.job import Job
from wsss_cli.method import INSTANCES, Artefact
from wsss_cli.metrics.agreement import against_problem, judged
from wsss_cli.metrics.bootstrap import Bootstrap, interval
from wsss_cli.metrics.calibration import calibration
from wsss_cli.metrics.confusion import IDS, scores_of, summary, tally, with_open
from wsss_cli.metrics.sweep import chosen, swept
from wsss_cli.nets.precision import FIELDS, FLOAT32
from wsss_cli.places import Place
from wsss_cli.promises import Promises, ids_of, promised_ids
from wsss_cli.protocol import CRF, FACTS, NO_SELECTION, MeanOver, Protocol
from wsss_cli.ranks.distributed import gather, shard, sum_over_ranks
from wsss_cli.runs import read_record
from wsss_cli.sound import read_text

CONFUSION = "confusion.json"

STEPS = tuple(round(0.01 * i, 2) for i in range(1, 91))


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
    against: Annotated[str | None, Place("folder")] = Field(
        None, description="a folder of predictions of another run, which those of this one are compared with"
    )
    instances: bool = Field(False, description="also score instance labels (of stage pseudo): AP50, AP75, ABO")
    true_instances: Annotated[str | None, Place("any")] = Field(
        None, description="a COCO JSON or a folder of VOC object maps; null: those that the data set names"
    )

    def images(self, context: Context) -> Sequence[Sample] | None:
        """Where the seeds or pseudo-labels of a split are scored; of predictions `infer` says which it is."""
        if "infer" in context.inputs:
            return None
        split, source = context.data.split_for("seeds", self.split), next(iter(context.inputs))
        masked, made = with_mask(context.data, split), ids_of(context.promised.get(source, {}))
        if made and made.isdisjoint(s.id for s in masked):
            what = f"stage {source} leaves nothing of the {len(masked)} images of split '{split}' that have masks"
            raise WsssError(what, "choose a --split whose images the method learns from")
        return masked

    def reads(self, context: Context) -> Sequence[str] | None:
        """Of predictions the split that they are of; else the one that is scored: a larger one that covers its images
        stays as it is where images are added to it or taken out of it."""
        if "infer" not in context.inputs:
            return (context.data.split_for("seeds", self.split),)
        split = context.data.covering(_predicted(context))
        return None if split is None else (split,)

    def further(self, context: Context) -> Mapping[str, Mapping[str, str]]:
        """The true objects that the data set names: they are of no split."""
        if not self.instances or self.true_instances is not None:
            return {}
        return {"true_instances": {"path": "what the data set names", "digest": " ".join(context.data.info.objects)}}

    def promises(self, context: Context) -> Promises:
        return {"": ("scores.json",)}

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        predicted = _predicted(context)
        if predicted and self.against is None and not any(s.mask or s.tags or s.boxes for s in predicted):
            what = f"what is predicted of '{context.data.info.name}' has neither masks nor tags nor boxes to judge by"
            yield WsssError(what, "choose another --split, or compare with another run: --against METHOD/NAME")
        if self.against is not None and not predicted:
            yield WsssError("--against compares predictions", "leave out --stage, or --against")
        elif self.against is not None and (problem := against_problem(self.against, predicted, context.data)):
            yield problem
        promised = context.promised.get("pseudo")
        if self.instances and promised and not promised.get(INSTANCES.folder):
            from wsss_cli.metrics.instances import labels_file, no_instances

            yield no_instances(labels_file(context.inputs["pseudo"]))
        asked = self.instances and self.true_instances is None and "pseudo" in context.inputs
        if asked and not context.data.info.instances:
            what = f"data set '{context.data.info.name}' names no true objects to score instances against"
            yield WsssError(what, "give a COCO JSON or a folder of VOC object maps: --set evaluate.true_instances=PATH")

    @classmethod
    def recorded(cls, values: dict[str, Any]) -> Evaluate:
        """Versions that had no mean_over left out what is only predicted."""
        return cls.model_validate({"mean_over": "ground_truth"} | values)


def _predicted(context: Context) -> list[Sample]:
    """The images of the stage infer, where predictions are scored."""
    made = promised_ids(context.promised.get("infer", {}), "labels")
    return [sample for sample in context.data.samples if sample.id in made]


def evaluate(job: Job[Evaluate]) -> dict[str, float]:
    """Write scores.json, per_image.jsonl and confusion.json; returns the mIoU of each kind of label map."""
    config = job.config
    source = next(iter(job.inputs))
    record = read_record(job.inputs[source]) or {}
    split = record["metrics"]["split"] if source == "infer" else job.data.split_for("seeds", config.split)
    samples, promised = job.data.split(split), job.promised.get(source, {})
    if source == "infer":
        masked = [s for s in samples if s.mask]
    else:
        masked = worked_on(with_mask(job.data, split), promised, job.method.supervision)
    without_mask = sum(s.mask is None for s in samples)
    tried = swept(job, source, masked) if masked else None
    if not masked:
        job.say("there are no masks: predictions are judged by what there is, tags, boxes or another run")
        scored = Scored()
    elif tried is not None and tried.of.kind == "cam":
        row = _row("CAM", tried.total[tried.best], tried.drawn[:, tried.best], job)
        scored = Scored([row | {"threshold": tried.thresholds[tried.best]}], curve=tried.curve())
    else:
        scored = _score_labels(job, masked, source)
    sure = read_certainties(job.inputs[source]) if source == "infer" else {}
    protocol = _protocol(job, source, split, masked or samples)
    report: dict[str, Any] = {
        "method": job.method.name,
        "run": job.folder.parent.name,
        **{key: getattr(protocol, key) for key in FACTS},
        "without_mask": without_mask,
        "not_made": len(samples) - without_mask - len(masked),
        "protocol": protocol.written(),
        "scores": scored.rows,
        "sweep": scored.curve,
        "background": None if tried is None else chosen(job, tried, source, samples),
    }
    if found := calibration(sure[s.id] for s in masked if s.id in sure):
        report["calibration"] = found
    if source == "infer" and (config.against or not masked):
        other = Path(config.against) if config.against else None
        report["agreement"] = judged(job, samples, label_maps(job, source), other, config.mean_over)
    if config.instances and source == "pseudo" and job.runtime.main:
        report["instances"] = _score_instances(job, samples, config.true_instances)
    if job.runtime.main:
        write_text(job.folder / "scores.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
        write_text(job.folder / "per_image.jsonl", "".join(_line(row, sure) for row in scored.images))
        if scored.matrices:
            names = ["background", *job.data.info.classes]
            write_text(job.folder / CONFUSION, json.dumps({"classes": names, "matrices": scored.matrices}) + "\n")
    told = {row["name"]: row["miou"] for row in scored.rows} | report.get("instances", {}).get("means", {})
    return told | {f"{row['name']}, {row['of']}": row["value"] for row in report.get("agreement", ())}


def worked_on(samples: Sequence[Sample], promised: Promises, supervision: str) -> list[Sample]:
    """Those that a stage was to leave something of, or could not for want of tags or boxes; all if it does not say."""
    ids = ids_of(promised)
    return [s for s in samples if s.id in ids or not getattr(s, supervision)] if ids else list(samples)


def with_mask(data: Prepared, split: str) -> list[Sample]:
    """The samples of the split that can be scored. Raises WsssError if none can."""
    masked = [s for s in data.split(split) if s.mask is not None]
    if not masked:
        raise _no_masks(f"split '{split}' of '{data.info.name}'")
    return masked


def _no_masks(what: str) -> WsssError:
    remedy = (
        "choose a --split that has some, or prepare the data with masks; predictions are judged without: wsss evaluate"
    )
    return WsssError(f"{what} has no masks to score against", remedy)


def read_scores(folder: Path) -> dict[str, Any]:
    """scores.json of an evaluate stage."""
    return json.loads(read_text(folder / "scores.json"))


@dataclass
class Scored:
    """What was found out of the label maps of a stage, plain data.

    rows      of scores, one for each kind of label map
    images    a row for each image, of the last kind: its mIoU, IoU of each class that is somewhere, ids of the truth
    curve     the sweep over background scores
    matrices  of each kind the confusion (K, K + 1), its last column what is left open, which rows do not score where
              they say "ignored"; none of many classes
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    matrices: dict[str, list[list[int]]] = field(default_factory=dict)


@dataclass
class Counts:
    """Over all ranks: the tally (3, K) and those of draws, the confusion (K, K + 1) or nothing of many classes, a row
    for each image, the share of the pixels that the label maps leave open."""

    tally: Tensor
    draws: Tensor
    matrix: Tensor
    images: list[dict[str, Any]]
    ignored: float


def label_maps(job: Job, source: str) -> dict[str, Path]:
    """The folder of each kind of label map that the stage left, by what scores call it."""
    folder, promised = job.inputs[source], job.promised.get(source)
    declared = job.method.writes(source, "labels")
    there = [a for a in declared if (promised.get(a.folder) if promised else (folder / a.folder).is_dir())]
    return {_called(a, source): folder / a.folder for a in there or declared[:1]}


def _called(artefact: Artefact, source: str) -> str:
    name = {"infer": "prediction", "pseudo": "pseudo-label", "seeds": "seed"}[source]
    return name + (f", {artefact.title}" if artefact.title else "") + (CRF if artefact.refined else "")


def _score_labels(job: Job, samples: Sequence[Sample], source: str) -> Scored:
    """Each kind of label map that the stage left."""
    scored = Scored()
    for kind, labels in label_maps(job, source).items():
        made = promised_ids(job.promised.get(source, {}), labels.name)
        found = _count(job, samples, partial(_labels_of, labels, made), kind, undecided=source != "infer")
        row = _row(kind, found.tally, found.draws, job)
        scored.rows.append(row | ({"ignored": found.ignored} if found.ignored else {}))
        scored.images = found.images
        if len(found.matrix):
            scored.matrices[kind] = found.matrix.tolist()
    return scored


def _labels_of(folder: Path, made: set[str], sample: Sample) -> np.ndarray:
    """The label map of a sample at its photo's size: all background where the stage was to make none, for want of tags
    or boxes."""
    path = folder / f"{sample.id}.png"
    if (sample.id not in made if made else not sample.tags) and not path.exists():
        return np.zeros((sample.full.height, sample.full.width), np.uint8)
    return at_full_size(read_labels(path), sample)


def _count(
    job: Job, samples: Sequence[Sample], labels: Callable[[Sample], np.ndarray], title: str, undecided: bool
) -> Counts:
    """What the label maps of the samples have in common with their masks.

    undecided  pixels that the label maps themselves ignore are left out; otherwise they are an error
    Raises WsssError naming the image whose map is of another size or holds other ids.
    """
    k = job.data.num_classes + 1
    total, draws = torch.zeros(3, k, dtype=torch.int64), Bootstrap(3, k)
    matrix = torch.zeros(*((k, k + 1) if k < IDS else (0, 0)), dtype=torch.int64)
    known = torch.zeros(2, dtype=torch.int64)  # pixels of the ground truth: all, and ignored by the label maps
    images: list[dict[str, Any]] = []
    mine = shard(samples, job.runtime)
    with job.track(f"score {title}", len(mine)) as tick:
        for sample in mine:
            truth, made = read_labels(sample.mask), labels(sample)  # type: ignore[arg-type]
            try:
                pairs = with_open(truth, made, k) if len(matrix) else None  # of all pixels: what is left open is told
                if undecided and made.shape == truth.shape:
                    truth, left_out = _without(truth, made, label_format(k - 1).ignore)
                    known += torch.tensor(left_out)
                one = tally(truth, made, k) if pairs is None else summary(pairs[:, :k] if undecided else pairs)
            except ValueError as error:
                what = f"the {title} of {sample.id} cannot be scored: {error}"
                raise WsssError(what, "label maps have the image's own size and the classes' ids") from error
            matrix += 0 if pairs is None else pairs
            total += one
            draws.add(sample.id, one)
            images.append(_of_image(sample, one))
            tick(1)
    parts = (total, draws.tallies, matrix, known)
    together, drawn, matrix, known = (sum_over_ranks(x.to(job.runtime.device)).cpu() for x in parts)
    rows = sorted((i for part in gather(images) for i in part), key=lambda i: i["id"])
    return Counts(together, drawn, matrix, rows, int(known[1]) / max(1, int(known[0])))


def _of_image(sample: Sample, counts: Tensor) -> dict[str, Any]:
    """Its own mIoU, in which what is only predicted is no success; IoU of each class that is somewhere; the truth's.

    None for an image of which no pixel is scored.
    """
    found = scores_of(counts)
    iou = {str(c): round(found.iou[c], 4) for c in (counts[1] + counts[2]).nonzero().flatten().tolist()}
    miou = None if isnan(found.miou) else found.miou
    return {"id": sample.id, "miou": miou, "iou": iou, "truth": counts[1].nonzero().flatten().tolist()}


def _line(row: dict[str, Any], sure: Mapping[str, dict[str, Any]]) -> str:
    """Of per_image.jsonl."""
    return json.dumps(row | ({"certainty": sure[row["id"]]["certainty"]} if row["id"] in sure else {})) + "\n"


def _without(truth: np.ndarray, made: np.ndarray, ignore: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The truth where the label map says something, and how many pixels it had, and how many of them are gone."""
    silent = (made == ignore) & (truth != ignore)
    counts = int((truth != ignore).sum()), int(silent.sum())
    return np.where(silent, ignore, truth).astype(truth.dtype), counts


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
    """Scores as plain data, classes by name; None where a class is left out of the mean.

    Raises WsssError if there is no pixel to score.
    """
    if not total[1].any():
        what = f"{name}: no pixel can be scored, for each is void in its mask or left open by the label map"
        raise WsssError(what, "look at the masks: wsss check")
    s, between = scores_of(total, job.config.mean_over), interval(drawn, job.config.mean_over)
    names = ("background", *job.data.info.classes)
    right, truth, predicted = total.double()
    shares = {"iou": s.iou, "precision": (right / predicted).tolist(), "recall": (right / truth).tolist()}
    of_class = {key: {n: None if v != v else v for n, v in zip(names, values)} for key, values in shares.items()}
    rest = {key: value for key, value in asdict(s).items() if key != "iou"}
    return {"name": name, **rest, "interval": between, **of_class}  # None: NaN is no JSON


def _protocol(job: Job, source: str, split: str, judged: Sequence[Sample]) -> Protocol:
    """How the label maps were made and are scored."""
    config: Evaluate = job.config
    head = {
        "stage": source,
        "data": job.data.info.name,
        "split": split,
        "ground_truth": job.data.info.masks,
        "images": len(judged),
        "mean_over": config.mean_over,
        "data_long_side": job.data.info.long_side,
    }
    if source == "infer":
        made = _prediction(job.inputs[source]) | _training(job) | {"learnt_from": _learnt_from(job, judged)}
    else:
        made = {"thresholds": len(config.thresholds) if job.method.writes(source, "cam") else None}
    unset = {key: field.default for key, field in Protocol.model_fields.items()}
    return Protocol(**unset | head | made)


def _prediction(folder: Path) -> dict[str, Any]:
    """The settings of an infer stage that change what it predicts, a method's own among them."""
    record = read_record(folder) or {}
    config, computed = record["config"], record.get("precision", {}).get("", FLOAT32)
    apart = {"seed", "split", "batch", "crf_settings", *FIELDS}
    made = {key: value for key, value in config.items() if key not in apart}
    crf = config["crf_settings"] if config["crf"] else None
    return made | {"crf": crf, "precision": None if computed == FLOAT32 else computed}


def _training(job: Job) -> dict[str, Any]:
    """What was trained, and from what."""
    record = read_record(job.inputs["infer"].parent / "train") or {}
    stage, recorded = job.method.stage("train"), record.get("config", {})
    learnt, told = completed(stage.config_class(), recorded) if stage else recorded, record.get("metrics") or {}
    labels = learnt.get("labels", "image tags")  # of which single-stage methods make labels as they train
    if learnt.get("masks") == "prefer" and labels != "masks":
        labels += ", masks where there are some"
    network = learnt.get("net")
    if isinstance(network, dict) and "normalise" in network:  # what "auto" stood for; of older versions ImageNet's
        network = network | {"normalise": record.get("normalise", {}).get("net", "imagenet")}
    return {
        "labels": labels,
        "network": network,
        "effective_batch": told.get("effective_batch", learnt.get("loop", {}).get("batch")),
        "selection": told.get("selection", NO_SELECTION),
    }


def _learnt_from(job: Job, judged: Sequence[Sample]) -> int | None:
    """How many of the images the predicting network has learnt from; None where its training does not tell."""
    try:
        config, context = _as_made(job, "train")
        learnt = config.images(context)
    except (WsssError, ValidationError):  # of settings or files that are gone
        return None
    return None if learnt is None else len({s.id for s in learnt} & {s.id for s in judged})


def _as_made(job: Job, name: str) -> tuple[StageConfig, Context]:
    """The settings of a stage before the prediction, and what they were checked against, as they are recorded.

    Raises WsssError and ValidationError where they cannot be had any more.
    """
    folder, stage = job.inputs["infer"].parent / name, job.method.stage(name)
    record = read_record(folder)
    if stage is None or record is None:
        raise WsssError(f"there is no record of stage {name}")
    below = {need: _as_made(job, need) for need in record["inputs"]}
    context = Context(
        job.data,
        inputs={need: folder.parent / need for need in below},
        promised={need: config.promises(known) for need, (config, known) in below.items()},
        configs={need: config for need, (config, _) in below.items()},
    )
    return stage.config_class().recorded(record["config"]), context
