"""Rough masks and pseudo-labels of single images: what worker processes do, so nothing here needs a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.cam.store import Cam, read_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat
from wsss_cli.data.labels import write_labels
from wsss_cli.refine.crf import DenseCrf, unary_from_softmax
from wsss_ppmg.config import Pseudo, Rough
from wsss_ppmg.masks import Array, against_background, energies, proportional, smoothed

CPU = torch.device("cpu")

Palette = Sequence[tuple[int, int, int]]


def write_rough_mask(
    path: Path,
    image: Path,
    cams: Tensor,
    tags: Sequence[int],
    config: Rough,
    form: LabelFormat,
    palette: Palette,
    device: torch.device,
) -> None:
    """One image's rough mask from its CAMs (n, H, W) in [0, 1]."""
    prob = rough_scores(torch.from_numpy(read_image(image)).to(device), cams.to(device), config)  # (n + 1, H, W)
    write_labels(path, sure_label(prob, tags, config.sure, form).cpu().numpy(), palette)


def rough_scores(image: Tensor, cams: Tensor, config: Rough) -> Tensor:
    """Probabilities of background and classes: the dense CRF of [(1 - max cam) ** alpha, cams].

    image (H, W, 3) uint8, cams (n, H, W).  Returns (n + 1, H, W).
    """
    background = (1 - cams.amax(0, keepdim=True)) ** config.alpha
    unary = unary_from_softmax(torch.cat([background, cams]), config.crf.clip)
    return DenseCrf(image, config.crf).infer(unary)


def sure_label(prob: Tensor, tags: Sequence[int], sure: float, form: LabelFormat) -> Tensor:
    """The class of probability above `sure` >= 0.5, ignored where none is: (n + 1, H, W) -> (H, W) ids."""
    highest, index = prob.max(0)
    ids = torch.tensor([0, *tags], device=prob.device)[index]
    return form.tensor(ids.masked_fill(highest <= sure, form.ignore))


def write_pseudo_label(
    path: Path,
    image: Path,
    cam_file: Path,
    config: Pseudo,
    form: LabelFormat,
    palette: Palette,
    device: torch.device,
) -> None:
    """One image's pseudo-label; its CRF runs on the device, its CAMs' float16 is numpy's."""
    label = pseudo_label(read_image(image), read_cam(cam_file), config, device)
    write_labels(path, form.tensor(torch.from_numpy(label)).numpy(), palette)


def pseudo_label(image: NDArray[np.uint8], cam: Cam, config: Pseudo, device: torch.device = CPU) -> NDArray[np.int64]:
    """Class ids (H, W) of an image (H, W, 3) and its CAMs.

    The image goes to the CRF as BGR, as released: the lattice treats its dimensions alike only nearly.
    """
    cams: Array = cam.full().numpy().astype(np.float16)  # (n, H, W); released files are of this type
    bgr = torch.from_numpy(np.ascontiguousarray(image[:, :, ::-1])).to(device)
    crf = DenseCrf(bgr, config.crf)
    scores = cams
    if config.cvs:
        scores = np.stack([smoothed(c, config.threshold, config.scale, config.overflow) for c in cams])
    if config.ppmg:
        index = proportional(
            cams, scores, lambda pairs: crf.infer_each(energies(pairs, config.crf.clip)).cpu().numpy(), config.alpha
        )
    else:
        unary = energies(against_background(scores, config.alpha), config.crf.clip)
        index = crf.infer(unary).argmax(0).cpu().numpy()
    return np.concatenate([[0], cam.class_ids])[index]
