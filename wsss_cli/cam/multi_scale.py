"""Multi-scale CAMs of a network: scaled images and their mirror images in, CAMs of the classes present out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.transforms import normalise, rescale
from wsss_cli.cam.merge import fold, merge
from wsss_cli.cam.store import Cam
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_cli.parallel.ordered import ParallelMap

Pyramids = tuple[list[Sample], list[list[NDArray[Any]]], tuple[int, int]]
SCALES = (1.0, 0.5, 1.5, 2.0)  # of IRN


def scaled(image: NDArray[Any], scales: Sequence[float] = SCALES) -> list[NDArray[Any]]:
    """The uint8 image (H, W, 3) at each scale, round(H s) x round(W s), by PIL's bicubic."""
    return [rescale(image, scale, "bicubic") for scale in scales]


def pyramids(samples: Sequence[Sample], scales: Sequence[float], batch: int) -> Iterator[Pyramids]:
    """Groups of at most `batch` samples of one size, the images of each `scaled`, and that size (H, W)."""
    read = ParallelMap(lambda s: scaled(read_image(s.image), scales), samples)
    for group, images in equal_shapes(samples, read, batch):
        yield group, images, (group[0].height, group[0].width)


@torch.inference_mode()
def multi_scale_cams(
    net_cams: Callable[[Tensor], Tensor],
    pyramids: Sequence[Sequence[NDArray[Any]]],
    tags: Sequence[Sequence[int]],
    size: tuple[int, int],
    device: torch.device,
) -> list[Cam]:
    """The CAMs of B images of equal size.

    net_cams: a normalised batch (N, 3, h, w) -> class maps (N, C, h', w'); pyramids: `scaled` of each image; tags: the
    classes present in each, 1..C; size (H, W) of the images, which need be none of the scales.
    """
    owner = torch.tensor([i for i, present in enumerate(tags) for _ in present], dtype=torch.long, device=device)
    channel = torch.tensor([c - 1 for present in tags for c in present], dtype=torch.long, device=device)
    raw = []
    for images in zip(*pyramids):
        batch = normalise(torch.from_numpy(np.stack(images)).to(device))  # (B, 3, h, w)
        maps = net_cams(torch.cat([batch, batch.flip(-1)]))  # (2B, C, h', w')
        both = maps.unflatten(0, (2, len(images)))  # (2, B, C, h', w')
        raw.append(fold(both[:, owner, channel].float()))  # (P, h', w'), P classes present in all images
    counts = [len(present) for present in tags]
    cams = merge(raw, size).cpu().split(counts)
    parts = zip(*(maps.cpu().split(counts) for maps in raw))  # of each image its maps by scale
    return [
        Cam(np.array(present, dtype=np.int64), cam.numpy(), size, tuple(m.numpy() for m in maps))
        for present, cam, maps in zip(tags, cams, parts)
    ]
