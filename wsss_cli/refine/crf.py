"""Dense CRF: mean-field inference on two permutohedral lattices, with labels equal to pydensecrf's.

DenseCrf(image, Crf()).infer(unary_from_labels(labels, n_labels, gt_prob=0.7)).argmax(0)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_cli.batches.transforms import CAFFE_MEAN
from wsss_cli.errors import WsssError
from wsss_cli.refine.compact import CompactLattice
from wsss_cli.refine.crf_config import LARGE, Crf, compact
from wsss_cli.refine.lattice import Lattice
from wsss_cli.refine.mean_field import Kernels, binary_fields, is_compact, mean_field

__all__ = ["Crf", "DenseCrf", "dense_crf", "unary_from_labels", "unary_from_softmax", "wrapped_image"]


def dense_crf(image: Tensor, unary: Tensor, crf: Crf) -> Tensor:
    """The class probabilities after the CRF; for several unaries on one image keep a `DenseCrf`.

    image (H, W, 3) uint8; unary (K, H, W) float32 energies.  Returns (K, H, W) float32, sums to 1 over K.
    Raises WsssError if the backend is not installed, ValueError if the sizes differ.
    """
    return DenseCrf(image, crf).infer(unary)


def crf_once(height: int, width: int, labels: int, crf: Crf) -> None:
    """The CRF of one image of smooth noise, for its time."""
    noise = torch.rand(1, 3, height // 8 + 1, width // 8 + 1)
    smooth = torch.nn.functional.interpolate(noise, (height, width), mode="bicubic")[0].clamp(0, 1)
    grain = torch.randint(0, 8, (height, width, 3))
    image = ((smooth * 247).permute(1, 2, 0) + grain).to(torch.uint8).contiguous()  # (H, W, 3)
    dense_crf(image, unary_from_labels((image[..., 0] // 128).long() % labels, labels, 0.7), crf)


def unary_from_softmax(prob: Tensor, clip: float = 1e-5) -> Tensor:
    """The energies -log(clip(p, clip, 1)) of probabilities, same shape, float32.  [pydensecrf.utils]"""
    return -prob.float().clamp(clip, 1).log()


def unary_from_labels(labels: Tensor, n_labels: int, gt_prob: float) -> Tensor:
    """The energies of a label map trusted by gt_prob: -log gt_prob, and -log((1 - gt_prob) / (K - 1)) for the others.

    [pydensecrf.utils with zero_unsure=False]  labels (H, W) integers 0..K-1, K = n_labels.  Returns (K, H, W) float32.
    """
    unary = torch.full((n_labels, *labels.shape), -math.log((1 - gt_prob) / max(n_labels - 1, 1)), device=labels.device)
    return unary.scatter_(0, labels.long()[None], -math.log(gt_prob))


def wrapped_image(image: Tensor) -> Tensor:
    """The image less its mean colour, truncated to integers modulo 256, as released DeepLab and BECO code gives it.

    image (H, W, 3) uint8 RGB; returns the same.
    """
    return (image.float() - image.new_tensor(CAFFE_MEAN, dtype=torch.float32)).int().bitwise_and_(255).to(torch.uint8)


class DenseCrf:
    """The CRF of one image, ready for any number of unaries: both kernels' lattices are built once.

    Of several images of one size (B, H, W, 3) it is the CRF of each by itself, in one pass: unaries and results begin
    with B then. That saves a GPU's launches, not a CPU's time.
    """

    def __init__(self, image: Tensor, crf: Crf) -> None:
        """image (H, W, 3) or (B, H, W, 3) uint8 RGB; with the native backend, its device is where the CRF runs."""
        if image.dtype != torch.uint8 or image.dim() not in (3, 4) or image.shape[-1] != 3:
            raise ValueError(f"the CRF needs a uint8 image (H, W, 3), not {image.dtype} {tuple(image.shape)}")
        self.crf = crf
        self.image = wrapped_image(image) if crf.official_image else image
        self._kernels: dict[bool, Kernels] = {}

    @torch.no_grad()
    def infer(self, unary: Tensor) -> Tensor:
        """The class probabilities after `iterations` of mean field: unary (K, H, W) energies -> (K, H, W) float32.

        With the native backend the result may be a view of memory in which the classes lie last.
        """
        self._check(unary.shape[:-3] + unary.shape[-2:])
        if self.crf.backend == "pydensecrf":
            return self._each(unary)
        kernels = self._kernels_for(unary.shape[-3])
        weight = self.crf.gaussian_compat + self.crf.bilateral_compat
        energy = _in_order(unary.to(self.image.device, torch.float32), kernels)
        return _as_maps(mean_field(kernels, energy, self.crf.iterations, weight), kernels, unary)

    @torch.no_grad()
    def infer_each(self, unary: Tensor) -> Tensor:
        """`infer` of n problems of two labels, each by itself: energies (n, 2, H, W) -> of the second label (n, H, W).

        With the native backend in one pass; of one image only.
        """
        if self.crf.backend == "pydensecrf" or not len(unary):
            return torch.stack([self.infer(one)[1] for one in unary]) if len(unary) else unary[:, 1]
        self._check(unary.shape[2:])
        kernels = self._kernels_for(len(unary))
        energy = unary.to(self.image.device, torch.float32)
        lead = _in_order(energy[:, 0] - energy[:, 1], kernels)
        return _as_maps(binary_fields(kernels, lead, self.crf.iterations), kernels, unary[:, 1])

    def _check(self, shape: Sequence[int]) -> None:
        if tuple(shape) != self.image.shape[:-1]:
            raise ValueError(f"a unary of {tuple(shape)} does not fit the image {tuple(self.image.shape)}")

    def _kernels_for(self, channels: int) -> Kernels:
        """Compact where that pays for so many channels."""
        height, width = self.image.shape[-3:-1]
        small = self.image.dim() == 3 and self.image.device.type == "cpu" and compact(channels, height * width)
        if small not in self._kernels:
            self._kernels[small] = _built(self.image, self.crf, small)
        return self._kernels[small]

    def _each(self, unary: Tensor) -> Tensor:
        """By the compiled package, which knows one image."""
        if unary.dim() == 3:
            return _with_pydensecrf(self.image, unary, self.crf)
        return torch.stack([_with_pydensecrf(*one, self.crf) for one in zip(self.image, unary)])


def _in_order(maps: Tensor, kernels: Kernels) -> Tensor:
    """Maps (K, H, W) as the kernels take them: (N, K), of compact ones (K, N); maps (B, K, H, W) -> (B N, K)."""
    points = maps.flatten(-2)
    return points if is_compact(kernels) else points.transpose(-1, -2).reshape(-1, points.shape[-2]).contiguous()


def _as_maps(points: Tensor, kernels: Kernels, like: Tensor) -> Tensor:
    """The way back, to the shape of `like`."""
    if is_compact(kernels):
        return points.view(like.shape)
    batched = points.view(*like.shape[:-3], -1, like.shape[-3])
    return batched.transpose(-1, -2).unflatten(-1, like.shape[-2:])


def _built(image: Tensor, crf: Crf, compact: bool) -> Kernels:
    """The Gaussian and the bilateral kernel of an image, each with its weight and symmetric normalisation."""
    *images, height, width, _ = image.shape
    kernels = []
    if crf.gaussian_compat:
        gaussian = _new_gaussian if height * width >= LARGE else _gaussian
        kernels.append(gaussian((*images, height, width), crf.gaussian_sxy, crf.gaussian_compat, image.device, compact))
    if crf.bilateral_compat:
        kernels.append(_normalised(_bilateral_features(image, crf), crf.bilateral_compat, compact))
    return kernels


def _bilateral_features(image: Tensor, crf: Crf) -> Tensor:
    """Place and colour of every pixel: (..., H, W, 3) uint8 -> (..., N, 5)."""
    height, width = image.shape[-3:-1]
    place = _places(height, width, image.device) / crf.bilateral_sxy
    colour = image.flatten(-3, -2).float() / crf.bilateral_srgb
    return torch.cat([place.expand(*colour.shape[:-1], 2), colour], -1)


def _new_gaussian(shape: Sequence[int], sxy: float, weight: float, device: torch.device, compact: bool) -> Any:
    """The Gaussian kernel of images of a shape (H, W) or (B, H, W)."""
    place = _places(shape[-2], shape[-1], device) / sxy
    return _normalised(place.expand(*shape[:-2], -1, -1), weight, compact)


_gaussian = functools.lru_cache(maxsize=4)(_new_gaussian)
"""Kept, as a data set has many images of few sizes; about 200 bytes a pixel each, so that of large ones none is."""


def _places(height: int, width: int, device: torch.device) -> Tensor:
    """x and y of every pixel: (H W, 2) float32."""
    rows, columns = (torch.arange(n, dtype=torch.float32, device=device) for n in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y], 2).view(-1, 2)


def _normalised(features: Tensor, weight: float, compact: bool) -> Any:
    """weight * n_i kappa(f_i, f_j) n_j with n = 1 / sqrt(kappa 1), pydensecrf's NORMALIZE_SYMMETRIC."""
    if compact:
        small = CompactLattice(features)
        small.normalise(weight)
        return small
    lattice = Lattice(features)
    ones = features.new_ones(features.shape[:-1].numel(), 1)
    norm = (lattice.filter(ones)[:, 0] + 1e-20).rsqrt()  # (N,)
    return lattice.scaled(norm, norm * weight)


def _with_pydensecrf(image: Tensor, unary: Tensor, crf: Crf) -> Tensor:
    """The same inference by the compiled package. Raises WsssError if it is not installed."""
    try:
        from pydensecrf.densecrf import DenseCRF2D
    except ImportError as error:
        raise WsssError(
            "crf.backend=pydensecrf, but pydensecrf is not installed",
            'pip install "wsss[crf]" (needs a C++ compiler), or use crf.backend=native, which needs nothing',
        ) from error
    classes, height, width = unary.shape
    field = DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(unary.flatten(1).float().cpu().contiguous().numpy())
    field.addPairwiseGaussian(sxy=crf.gaussian_sxy, compat=crf.gaussian_compat)
    field.addPairwiseBilateral(
        sxy=crf.bilateral_sxy,
        srgb=crf.bilateral_srgb,
        rgbim=image.cpu().contiguous().numpy(),
        compat=crf.bilateral_compat,
    )
    return torch.from_numpy(np.asarray(field.inference(crf.iterations))).clone().view(classes, height, width)
