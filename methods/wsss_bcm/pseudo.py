"""The `pseudo` stage: the trained network's label maps of the images it learnt from, and a mask for each box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wsss_bcm.boxes import clip_to_boxes
from wsss_bcm.config import Pseudo
from wsss_bcm.instances import box_annotations
from wsss_bcm.training import predictor
from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.transforms import normalise
from wsss_cli.data.images import read_image
from wsss_cli.data.instances import merge_rows, write_rows
from wsss_cli.data.label_format import Labels, label_format
from wsss_cli.data.labels import label_path, read_labels, write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.nets.precision import computing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.promises import promised_ids


def pseudo(job: Job[Pseudo]) -> dict[str, Any]:
    """Images, boxes and seeds -> `labels/`, `labels_prob/`, `instances/instances.json`; one image in memory at a time.

    labels       the likeliest class of every pixel
    labels_prob  the seed, but the likeliest class where its score is above `confident`; what the released code means
                 for further training
    """
    config = job.config
    samples = job.data.split(job.data.split_for("train", config.split))
    seeded = promised_ids(job.promised.get("seeds", {}), "labels")
    todo = job.todo(samples, lambda s: outputs(job.folder, s, config, s.id in seeded))
    job.each("make pseudo-labels", write_pseudo_label, _tasks(job, todo, seeded), len(todo))
    counts = {"labels": len(samples)}
    if config.instances.enabled:
        folder, boxed = job.folder / "instances", [s for s in samples if s.boxes]
        counts["instances"] = merge_rows(folder, boxed, job.data.info.classes, job.runtime.main)
    return counts


def winner(logits: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The likeliest class of each pixel and its softmax score: (K, h, w) -> (H, W) int64, (H, W) in [0, 1]."""
    grown = F.interpolate(logits[None].float(), tuple(size), mode="bilinear", align_corners=False)[0]  # (K, H, W)
    score, label = grown.softmax(0).max(0)
    return label, score


def confident_labels(seed: Labels, label: Labels, score: NDArray[np.float32], least: float = 0.95) -> Labels:
    """The seed, but the network's class where its score is above `least`: (H, W) each -> (H, W)."""
    mixed = seed.copy()
    sure = score > least
    mixed[sure] = label[sure]
    return mixed


def outputs(folder: Path, sample: Sample, config: Pseudo, seeded: bool) -> list[Path]:
    """All that is made of one image, which has a seed or none."""
    paths = [label_path(folder, sample)]
    if config.confident is not None and seeded:
        paths.append(folder / "labels_prob" / f"{sample.id}.png")
    if config.instances.enabled and sample.boxes:
        paths.append(folder / "instances" / f"{sample.id}.json")
    return paths


def write_pseudo_label(
    folder: Path,
    sample: Sample,
    label: Labels,
    score: NDArray[np.float32],
    seed: Path | None,
    config: Pseudo,
    palette: Sequence[tuple[int, int, int]],
) -> None:
    """All that is made of one image."""
    if config.clip:
        label = clip_to_boxes(label, sample.boxes)
    if config.instances.enabled and sample.boxes:
        write_rows(folder / "instances", sample, box_annotations(label, sample.boxes, config.instances, score))
    if config.confident is not None and seed is not None:
        mixed = confident_labels(read_labels(seed), label, score, config.confident)
        write_labels(folder / "labels_prob" / f"{sample.id}.png", mixed, palette)
    write_labels(label_path(folder, sample), label, palette)


@torch.inference_mode()
def _tasks(job: Job[Pseudo], todo: Sequence[Sample], seeded: set[str]) -> Iterator[tuple[Any, ...]]:
    """The arguments of write_pseudo_label for each image: the network runs here."""
    config = job.config
    net = job.ready(predictor(job.inputs["train"] / "checkpoint.pt", job))
    form, palette = label_format(job.data.num_classes), job.data.info.palette
    images = ParallelMap(lambda s: read_image(s.image), todo)
    for group, arrays in equal_shapes(todo, images, config.batch):
        x = normalise(torch.from_numpy(np.stack(arrays)).to(job.runtime.device))  # (B, 3, H, W)
        with computing(config, x.device):
            every = net(x)  # (B, K, h, w)
        for sample, logits in zip(group, every):
            label, score = winner(logits, x.shape[2:])
            made = form.tensor(label).cpu().numpy(), score.cpu().numpy()
            seed = label_path(job.inputs["seeds"], sample) if sample.id in seeded else None
            yield job.folder, sample, *made, seed, config, palette
