"""Multi-crop CAMs: the mean of the revised class maps of every cell that covers a pixel, and of its mirror image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.batches.transforms import normalise, resize
from wsss_cli.cam.merge import strided_size
from wsss_cli.cam.store import Cam, cam_path, write_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.nets.precision import Precision, computing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_ppmg.config import Grid, Seeds
from wsss_ppmg.data import cut
from wsss_ppmg.grid import Cell, cells
from wsss_ppmg.nets import SeamNet
from wsss_ppmg.seam_training import trained_network

EPS = 1e-5


class Part(NamedTuple):
    """Some cells of one image, for one forward pass; `last` of the image."""

    sample: Sample
    cells: list[Cell]
    last: bool


@torch.inference_mode()
def make_cams(job: Job[Seeds], samples: Sequence[Sample], network: str) -> int:
    """Write cam/<id>.npz for every sample that has none yet; returns how many have one."""
    config = job.config
    todo = job.todo(samples, lambda s: cam_path(job.folder, s))
    if todo:
        net = trained_network(job, network)
        with job.track("multi-crop CAMs", len(todo)) as tick:
            for sample, maps in mean_maps(net, todo, config.grid, config.batch, config):
                write_cam(cam_path(job.folder, sample), stored(maps.cpu(), sample, config.full))
                tick(1)
    job.barrier()
    return len(samples)


def mean_maps(
    net: SeamNet, samples: Sequence[Sample], grid: Grid, batch: int, precision: Precision | None = None
) -> Iterator[tuple[Sample, Tensor]]:
    """Each sample's CAMs (n, H, W) of its tags, on the network's device; `batch` cells at once, both ways round.

    Cells are read ahead of the network, so no more than a few batches are in memory.
    """
    parts = [part for s in samples for part in parts_of(s, grid, batch)]
    images = ParallelMap(lambda part: squares(read_image(part.sample.image), part.cells, grid.crop), parts)
    total = count = None
    for part, squared in zip(parts, images):
        sample = part.sample
        if total is None or count is None:
            total = torch.zeros(len(sample.tags), sample.height, sample.width, device=net.fc8.weight.device)
            count = torch.zeros_like(total[0])
        with computing(precision or Precision(), total.device):
            add_cells(total, count, net, squared, part.cells, sample.tags)
        if part.last:
            yield sample, unit_range(total / count.clamp(min=1))
            total = count = None


def parts_of(sample: Sample, grid: Grid, batch: int) -> list[Part]:
    """The cells of all scales, `batch` by `batch`."""
    sides = sample.width, sample.height
    every = [cell for scale in grid.scales for cell in cells(*sides, scale, grid.crop, grid.stride)]
    starts = range(0, len(every), batch)
    return [Part(sample, every[i : i + batch], last=i + batch >= len(every)) for i in starts]


def squares(image: NDArray[Any], chosen: Sequence[Cell], side: int) -> NDArray[np.uint8]:
    """The cells resized to squares by PIL: (H, W, 3) -> (M, side, side, 3)."""
    return np.stack([resize(cut(image, cell), (side, side), "bilinear") for cell in chosen])


def add_cells(
    total: Tensor, count: Tensor, net: SeamNet, squared: NDArray[np.uint8], chosen: Sequence[Cell], tags: Sequence[int]
) -> None:
    """Add the maps of some cells, and of their mirror images, where they lie; in place.

    total (n, H, W) sums of the classes present, count (H, W) of how many; squared (M, S, S, 3).
    """
    x = normalise(torch.from_numpy(squared).to(total.device)).to(memory_format=torch.channels_last)  # (M, 3, S, S)
    maps = net.revised_maps(torch.cat([x, x.flip(-1)]), torch.tensor(tags, device=total.device))  # (2M, n, S, S)
    both = maps[: len(x)] + maps[len(x) :].flip(-1)  # resizing is linear: the two are resized as one
    for cell, one in zip(chosen, both):
        x0, y0, x1, y1 = cell
        at = F.interpolate(one[None], (y1 - y0, x1 - x0), mode="bilinear", align_corners=False)[0]
        total[:, y0:y1, x0:x1] += at
        count[y0:y1, x0:x1] += 2


def unit_range(maps: Tensor) -> Tensor:
    """(m - min) / (max - min + eps), the lowest values set to 0 first, as released: (n, H, W) -> (n, H, W)."""
    lowest, highest = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps.masked_fill(maps < lowest + EPS, 0) - lowest) / (highest - lowest + EPS)


def stored(maps: Tensor, sample: Sample, full: bool) -> Cam:
    """The CAMs as they are kept: at stride 4, and, if `full`, at the image's size too."""
    size = (sample.height, sample.width)
    small = F.interpolate(maps[None], strided_size(size), mode="bilinear", align_corners=False)[0]
    keys = np.array(sample.tags, dtype=np.int64)
    return Cam(keys, small.numpy(), size, high_res=maps.numpy() if full else None)
