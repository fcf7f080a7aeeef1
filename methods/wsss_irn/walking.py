"""Pseudo-labels, confidence masks and instance labels: the random walk from the CAMs between IRN's boundaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.store import Cam, cam_path, read_cam, write_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.instances import merge_rows, write_rows
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import label_path, write_labels, write_mask01
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.nets.precision import computing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_irn import WALKED
from wsss_irn.config import Instances, Pseudo, Walk
from wsss_irn.instances import centroids, clusters, coco_annotations, detect, instance_cams
from wsss_irn.labels import confidence_mask, semantic_label, walked_scores
from wsss_irn.nets import edge_displacement
from wsss_irn.relations import trained_irn
from wsss_irn.walk import random_walk


def make_pseudo_labels(job: Job[Pseudo]) -> int:
    """Write labels/ and confidence/ of every tagged image, from walked/; returns how many images have them.

    The walk's scores stay on disk, so that another background score is only another threshold.
    """
    config = job.config
    samples = job.tagged(config.split)
    todo = job.todo(samples, lambda s: [confidence_path(job.folder, s), label_path(job.folder, s)])
    wanted = {sample.id for sample in todo}
    walk = job.todo(samples, lambda s: to_walk(job.folder, s, config, s.id in wanted))
    palette, form, device = job.data.info.palette, label_format(job.data.num_classes), job.runtime.device
    labels = {sample.id: (job.folder, sample, config, form, palette, device) for sample in todo}
    tasks = ((task, labels.pop(task[1].id, None)) for task in _tasks(job, config, walk))
    job.each("random walk", walk_and_label, tasks, len(walk), on_device=True)
    job.each("pseudo-labels", write_pseudo_label, labels.values(), len(labels), on_device=True)  # whose walk was there
    return len(samples)


def to_walk(folder: Path, sample: Sample, config: Pseudo, labels: bool) -> list[Path]:
    """What one image's walk is to leave; labels: whether its label map is to be made of it."""
    rows = [rows_path(folder, sample)] if config.instances.enabled else []
    return [*rows, walked_path(folder, sample)] if labels else rows


def confidence_path(folder: Path, sample: Sample) -> Path:
    return folder / "confidence" / f"{sample.id}.png"


def rows_path(folder: Path, sample: Sample) -> Path:
    return folder / "instances" / f"{sample.id}.json"


def walked_path(folder: Path, sample: Sample) -> Path:
    return folder / WALKED.folder / f"{sample.id}.npz"


def walk_and_label(walk: tuple[Any, ...], label: tuple[Any, ...] | None) -> None:
    """What one image's walk gives, and its label map if that is wanted: processes for this start once."""
    write_walk(*walk)
    if label is not None:
        write_pseudo_label(*label)


def write_walk(
    folder: Path, sample: Sample, cam_file: Path, edge: Tensor, displacement: Tensor, config: Pseudo
) -> None:
    """What one image's walk gives and is not there: its scores before any background, its instances.

    edge (h, w) in [0, 1], displacement (2, h, w), on the device where the walk is to run.
    """
    cam = read_cam(cam_file)
    maps = torch.from_numpy(cam.cam).to(edge.device)
    if config.instances.enabled and not rows_path(folder, sample).exists():
        rows = find_instances(maps, cam.class_ids.tolist(), edge, displacement, cam.size, config.walk, config.instances)
        write_rows(folder / "instances", sample, rows)
    if not walked_path(folder, sample).exists():
        walked = Cam(cam.class_ids, _walk(maps, edge, config.walk).cpu().numpy(), cam.size)
        write_cam(walked_path(folder, sample), walked, np.float32)  # as exact as if it had not been on disk


def write_pseudo_label(
    folder: Path,
    sample: Sample,
    config: Pseudo,
    form: LabelFormat,
    palette: Sequence[tuple[int, int, int]],
    device: torch.device,
) -> None:
    """One image's label map and confidence mask, of its walked scores."""
    cam = read_cam(walked_path(folder, sample))
    walked, keys = torch.from_numpy(cam.cam).to(device), torch.from_numpy(cam.class_ids).to(device)
    score = walked_scores(walked, cam.size, config.walk.background)  # (n + 1, H, W)
    label = semantic_label(score, keys, form)
    confident = confidence_mask(score, label, config.confidence)
    write_mask01(confidence_path(folder, sample), confident.cpu().numpy())
    write_labels(label_path(folder, sample), label.cpu().numpy(), palette)


def read_walked(path: Path) -> Cam:
    """The walked scores of one image at its full size, as its label map is made of them."""
    cam = read_cam(path)
    return replace(cam, high_res=walked_scores(torch.from_numpy(cam.cam), cam.size)[1:].numpy())


def find_instances(
    cam: Tensor,
    keys: list[int],
    edge: Tensor,
    displacement: Tensor,
    size: tuple[int, int],
    walk: Walk,
    config: Instances,
) -> list[dict[str, Any]]:
    """COCO annotations of one image: CAMs split by clusters of centroids, each walked, pieces as instances."""
    cluster = clusters(centroids(displacement, config.iterations), displacement, config.threshold)
    score = walked_scores(_walk(instance_cams(cam, cluster.to(cam.device)), edge, walk), size, config.background)
    return coco_annotations(detect(score, keys, config.min_area))


def merge_instances(job: Job[Pseudo]) -> int:
    """instances/instances.json of the whole split; returns the number of instances."""
    config = job.config
    if not config.instances.enabled:
        return 0
    return merge_rows(job.folder / "instances", job.tagged(config.split), job.data.info.classes, job.runtime.main)


@torch.inference_mode()
def _tasks(job: Job, config: Pseudo, todo: Sequence[Sample]) -> Iterator[tuple[Any, ...]]:
    """The arguments of write_walk for each image: the network runs here, image and mirror image together."""
    if not todo:
        return
    net = job.ready(trained_irn(job))
    images = ParallelMap(lambda s: read_image(s.image), todo)
    for group, arrays in equal_shapes(todo, images, config.batch):
        x = normalise(torch.from_numpy(np.stack(arrays)).to(job.runtime.device))  # (B, 3, H, W)
        with computing(config, x.device):
            edges, displacements = edge_displacement(net, x, x.flip(-1), config.walk.pad)
        for sample, edge, displacement in zip(group, edges, displacements):
            cam = cam_path(job.inputs["seeds"], sample)
            yield job.folder, sample, cam, edge[0].clone(), displacement.clone(), config


def _walk(maps: Tensor, edge: Tensor, walk: Walk) -> Tensor:
    return random_walk(maps, edge, walk.radius, walk.beta, walk.exp_times)
