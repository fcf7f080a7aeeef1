"""CLIP-ES' stages: seeds from class names, pseudo-labels; then the host's plain training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.tags import multi_hot
from wsss_cli.cam.store import Cam, cam_path, read_cam, write_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import label_path, write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.clip_text import features_of_run
from wsss_cli.nets.weights.pretrained import load_clip
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.refine.crf_config import crf_memory
from wsss_clipes.cams import cams_of, whole_patches
from wsss_clipes.config import Pseudo, Seeds
from wsss_clipes.labels import pseudo_label, scores


def seeds(job: Job[Seeds]) -> dict[str, int]:
    """Class names -> CAMs of a frozen CLIP, `cam/<id>.npz`; leaves text.npz, the features of the names."""
    config = job.config
    tower, text = build(job)
    samples = job.tagged(config.split)
    job.say_left_out(samples, config.split)
    todo = job.todo(samples, lambda s: cam_path(job.folder, s))
    patch = tower.body.patch_embed.patch_size[0]
    images = ParallelMap(lambda s: whole_patches(read_image(s.image), patch), todo)
    with job.track("make CAMs", len(todo)) as tick:
        for group, arrays in equal_shapes(todo, images, config.batch):
            batch = torch.from_numpy(np.stack(arrays)).to(job.runtime.device)  # (B, H, W, 3)
            tags = torch.stack([multi_hot(s.tags, job.data.num_classes) for s in group])
            for sample, cam in zip(group, cams_of(tower, batch, tags, text, config)):
                write_cam(cam_path(job.folder, sample), as_cam(sample, cam))
                tick(1)
    job.barrier()
    return {"cams": len(samples)}


def build(job: Job[Seeds]) -> tuple[ClipVisual, tuple[Tensor, Tensor]]:
    """CLIP's visual transformer with the weights that `net` says, and the names' features, both on the device."""
    net = job.config.net
    tower = ClipVisual(net.backbone, net.backbone_args, normalise=net.normalisation())
    text = names(job, tower.proj.out_features)  # first, so that what it lacks is told before anything is downloaded
    load_clip(tower, net.pretrained, job.runtime.trust)
    return job.ready(tower), text


def names(job: Job[Seeds], dim: int) -> tuple[Tensor, Tensor]:
    """Features of the classes (C, dim) and of background (b, dim), on the device; kept in the run."""
    path, device = job.folder / "text.npz", job.runtime.device
    classes, background = features_of_run(job.config, job.data.info.classes, dim, path, job.runtime)
    return classes.to(device), background.to(device)


def as_cam(sample: Sample, cam: Tensor) -> Cam:
    """As kept on disk: one cell a patch; readers enlarge it to the image, bilinear, as the released code does."""
    return Cam(np.array(sorted(sample.tags), dtype=np.int64), cam.cpu().numpy(), (sample.height, sample.width))


def pseudo(job: Job[Pseudo]) -> dict[str, int]:
    """CAMs -> `labels/<id>.png`."""
    folder, form, palette = job.inputs["seeds"], label_format(job.data.num_classes), job.data.info.palette
    samples = job.promised_samples("seeds", "cam")
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    device = job.runtime.device
    tasks = ((label_path(job.folder, s), s, cam_path(folder, s), job.config, form, palette, device) for s in todo)
    job.each("make labels", write_label, tasks, len(todo), on_device=True, need=crf_memory(todo))
    return {"labels": len(samples)}


def write_label(
    path: Path,
    sample: Sample,
    cam_file: Path,
    config: Pseudo,
    form: LabelFormat,
    palette: Sequence[Any],
    device: torch.device,
) -> None:
    """One image's label map."""
    cam = read_cam(cam_file)
    image = torch.from_numpy(read_image(sample.image)).to(device)
    prob = scores(image, cam.full().to(device), config)
    label = pseudo_label(prob, torch.from_numpy(cam.class_ids).to(device), config.sure, form)
    write_labels(path, label.cpu().numpy(), palette)
