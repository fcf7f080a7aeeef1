"""Pseudo-labels from CAMs, image by image in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from wsss_cli.cam.store import Cam, read_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.refine.crf import DenseCrf
from wsss_cli.refine.pool import map_unordered
from wsss_ppmg.config import Pseudo
from wsss_ppmg.masks import Array, against_background, energies, proportional, smoothed
from wsss_ppmg.networks import cam_path, processes, tagged


def make_pseudo_labels(job: Job) -> int:
    """Write labels/<id>.png of every tagged image; returns how many have one."""
    config: Pseudo = job.config
    samples = tagged(job, config.split)
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    palette, form, cams = job.data.info.palette, label_format(job.data.num_classes), job.inputs["seeds"]
    tasks = ((label_path(job.folder, s), s.image, cam_path(cams, s), config, form, palette) for s in todo)
    with job.track("pseudo-masks", len(todo)) as tick:
        for _ in map_unordered(write_pseudo_label, tasks, workers=processes(job)):
            tick(1)
    job.barrier()
    return len(samples)


def label_path(folder: Path, sample: Sample) -> Path:
    return folder / "labels" / f"{sample.id}.png"


def write_pseudo_label(
    path: Path,
    image: Path,
    cam_file: Path,
    config: Pseudo,
    form: LabelFormat,
    palette: Sequence[tuple[int, int, int]],
) -> None:
    """One image's pseudo-label."""
    label = pseudo_label(read_image(image), read_cam(cam_file), config)
    write_labels(path, form.tensor(torch.from_numpy(label)).numpy(), palette)


def pseudo_label(image: NDArray[np.uint8], cam: Cam, config: Pseudo) -> NDArray[np.int64]:
    """Class ids (H, W) of an image (H, W, 3) and its CAMs.

    The image goes to the CRF as BGR, as released: the lattice treats its dimensions alike only nearly.
    """
    cams: Array = cam.full().numpy().astype(np.float16)  # (n, H, W); released files are of this type
    bgr = torch.from_numpy(np.ascontiguousarray(image[:, :, ::-1]))
    crf = DenseCrf(bgr, config.crf)

    def refine(scores: Array) -> Array:
        return crf.infer(energies(scores, config.crf.clip)).numpy()

    scores = cams
    if config.cvs:
        scores = np.stack([smoothed(c, config.threshold, config.scale) for c in cams])
    if config.ppmg:
        index = proportional(cams, scores, refine, config.alpha)
    else:
        index = refine(against_background(scores, config.alpha)).argmax(0)
    return np.concatenate([[0], cam.keys])[index]
