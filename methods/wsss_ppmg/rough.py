"""Rough masks: where a class surely is, by another network's multi-scale class maps and a dense CRF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.multi_scale import pyramids
from wsss_cli.data.label_format import label_format
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.nets.precision import computing
from wsss_cli.refine.crf_config import crf_memory
from wsss_ppmg.config import Rough, Seeds
from wsss_ppmg.data import RandomCrops
from wsss_ppmg.labels import write_rough_mask
from wsss_ppmg.nets import SeamNet
from wsss_ppmg.seam_training import train_network, trained_network

NETWORK = "rough_net"
EPS = 1e-5


def make_rough_masks(job: Job[Seeds], samples: Sequence[Sample]) -> None:
    """Train the rough network, then write rough/<id>.png of every sample."""
    config = job.config
    todo = job.todo(samples, lambda s: rough_path(job.folder, s))
    data = RandomCrops(samples, job.data.num_classes, config.rough.training)
    train_network(job, NETWORK, config.rough.net, config.rough.training, data)
    job.each(
        "rough masks",
        write_rough_mask,
        _tasks(job, config.rough, todo),
        len(todo),
        on_device=True,
        need=crf_memory(todo, job.data.num_classes),
    )


def rough_path(folder: Path, sample: Sample) -> Path:
    return folder / "rough" / f"{sample.id}.png"


def multi_scale_maps(
    net: SeamNet, scaled: Sequence[Sequence[NDArray[Any]]], tags: Sequence[Sequence[int]], size: tuple[int, int]
) -> list[Tensor]:
    """The revised maps of B images of one size, summed over scales and mirror images, each map scaled to [0, 1].

    scaled: of each image its pyramid; tags: the classes present in each.  Returns (n, H, W) per image, on the CPU.
    """
    device = net.fc8.weight.device
    wanted = sorted({c for present in tags for c in present})
    classes = torch.tensor(wanted, device=device)
    total = torch.zeros(len(scaled), len(wanted), *size, device=device)
    for images in zip(*scaled):
        x = normalise(torch.from_numpy(np.stack(images)).to(device))  # (B, 3, h, w)
        for mirror in (False, True):
            maps = net.revised_maps(x.flip(-1) if mirror else x, classes)  # (B, P, h, w)
            maps = F.interpolate(maps, size, mode="bilinear", align_corners=False)
            total += maps.flip(-1) if mirror else maps
    return [_unit(maps[[wanted.index(c) for c in present]]).cpu() for maps, present in zip(total, tags)]


def _unit(maps: Tensor) -> Tensor:
    """(m - min - eps) / (max - min + eps) where m >= min + eps, and 0: (n, H, W) -> (n, H, W)."""
    m = maps.relu()
    lowest, highest = m.amin((1, 2), keepdim=True), m.amax((1, 2), keepdim=True)
    return ((m - lowest - EPS) / (highest - lowest + EPS)).masked_fill(m < lowest + EPS, 0)


@torch.inference_mode()
def _tasks(job: Job, config: Rough, todo: Sequence[Sample]) -> Iterator[tuple[Any, ...]]:
    """The arguments of write_rough_mask for each image: the network runs here."""
    if not todo:
        return
    net = trained_network(job, NETWORK)
    palette, form, device = job.data.info.palette, label_format(job.data.num_classes), job.runtime.device
    for group, images, size in pyramids(todo, config.scales, config.batch):
        with computing(job.config, job.runtime.device):
            maps = multi_scale_maps(net, images, [s.tags for s in group], size)
        for sample, cams in zip(group, maps):
            yield (
                rough_path(job.folder, sample),
                sample.image,
                cams,
                sample.tags,
                config,
                form,
                palette,
                device,
            )
