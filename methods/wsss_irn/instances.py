"""Instances from the displacement field: centroids, clusters, instance-wise CAMs, detections, COCO JSON.

[Ahn, Cho, Kwak, CVPR 2019, sec. 4.3, 4.4; constants as in the released code]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as rle
from scipy import ndimage
from torch import Tensor

from wsss_cli.data.instances import run_length_mask

ITERATIONS = 300
WEAK = 2.5  # displacements shorter than this, in cells, are near a centroid
SMALLEST = 0.01  # of the image: smaller pieces score 0


def centroids(displacement: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Where each pixel ends when it follows the field, which is interpolated between pixels.

    p <- clip(p + D(p)), `iterations` times, then rounded.  [Ahn et al. 2019, eq. 9]

    displacement (2, h, w) in (dy, dx), in pixels of the map.  Returns (2, h, w) int64, on the CPU.
    """
    field = displacement.float().cpu().numpy()
    _, h, w = field.shape
    corners = _corners(field)  # (2, 4, h*w)
    y, x = (axis.ravel().astype(np.float32) for axis in np.indices((h, w)))
    for _ in range(iterations):
        top, left = np.floor(y), np.floor(x)
        cell = (top * w + left).astype(np.intp)
        down, right = y - top, x - left
        up, back = 1 - down, 1 - right
        weights = (down * right, down * back, up * right, up * back)
        dy, dx = (sum(f.take(cell) * weight for f, weight in zip(axis, weights)) for axis in corners)
        y, x = np.clip(y + dy, 0, h - 1), np.clip(x + dx, 0, w - 1)
    return torch.from_numpy(np.stack([y, x]).round().astype(np.int64).reshape(2, h, w))


def _corners(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """The field at the corners of the cell below and right of each pixel: (2, h, w) -> (2, 4, h*w), far one first."""
    wide = np.pad(field, ((0, 0), (0, 1), (0, 1)), mode="edge")
    corners = np.stack([wide[:, 1:, 1:], wide[:, 1:, :-1], wide[:, :-1, 1:], field], 1)  # (2, 4, h, w)
    return corners.reshape(2, 4, -1)


def clusters(centroid: Tensor, displacement: Tensor, weak: float = WEAK) -> Tensor:
    """Pixels whose centroids lie in one connected region of short displacements are one instance.

    centroid (2, h, w), displacement (2, h, w).  Returns (h, w) int64 in 0..n-1; what ends in no region is one cluster.
    """
    strength = (displacement[1] ** 2 + displacement[0] ** 2).sqrt()
    regions = torch.from_numpy(ndimage.label((strength < weak).cpu().numpy())[0])  # 4-connected, 0 is outside
    ends = regions[centroid[0].cpu(), centroid[1].cpu()]  # (h, w)
    return ends.unique(return_inverse=True)[1]


def instance_cams(cam: Tensor, cluster: Tensor) -> Tensor:
    """The CAM of each class within each cluster: (n, h, w), (h, w) in 0..m-1 -> (n*m, h, w), classes outermost."""
    member = torch.nn.functional.one_hot(cluster).permute(2, 0, 1).to(cam)  # (m, h, w)
    return (cam[:, None] * member).flatten(0, 1)


@dataclass(frozen=True)
class Detections:
    """The instances of one image, which never overlap.

    segments (H, W) int32, 0 none, i + 1 the i-th instance; classes (n,) ids; scores (n,) in [0, 1]
    """

    segments: NDArray[np.int32]
    classes: NDArray[np.int64]
    scores: NDArray[np.float32]

    def masks(self) -> Iterator[NDArray[np.bool_]]:
        """Each instance's mask (H, W)."""
        return (self.segments == i + 1 for i in range(len(self.classes)))


def detect(score: Tensor, keys: Sequence[int], smallest: float = SMALLEST) -> Detections:
    """Split the winner map into connected pieces; each is an instance, scored by its highest score.

    score (n*m + 1, H, W), background first, then `instance_cams` order after the walk; keys (n,) class ids;
    smallest: pieces below this share of the image score 0, as released.
    """
    winner, maps = score.argmax(0).cpu().numpy(), score[1:].cpu().numpy()
    per_class = len(maps) // max(1, len(keys))
    segments = np.zeros(winner.shape, np.int32)
    classes: list[int] = []
    scores: list[float] = []
    for i, box in enumerate(ndimage.find_objects(winner)):
        if box is None:
            continue
        pieces, n = ndimage.label(winner[box] == i + 1)  # 4-connected
        sizes = np.bincount(pieces.ravel(), minlength=n + 1)[1:]
        best = np.atleast_1d(ndimage.maximum(maps[i][box], pieces, np.arange(1, n + 1)))
        segments[box] += np.where(pieces > 0, pieces + len(classes), 0).astype(np.int32)
        classes += [keys[i // per_class]] * n
        scores += np.where(sizes < smallest * winner.size, 0, best).tolist()
    return Detections(segments, np.array(classes, np.int64), np.array(scores, np.float32))


def coco_annotations(found: Detections) -> list[dict[str, Any]]:
    """The instances as COCO annotations with run-length masks; without ids, which the whole file numbers."""
    annotations = []
    for mask, category, score in zip(found.masks(), found.classes, found.scores):
        encoded = run_length_mask(mask)
        annotations.append(
            {
                "category_id": int(category),
                "segmentation": encoded,
                "area": int(rle.area(encoded)),
                "bbox": rle.toBbox(encoded).tolist(),
                "iscrowd": 0,
                "score": float(score),
            }
        )
    return annotations
