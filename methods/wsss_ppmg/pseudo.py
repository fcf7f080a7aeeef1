"""The pseudo stage: pseudo-labels from CAMs, image by image in worker processes."""

from __future__ import annotations

from pathlib import Path

from wsss_cli.data.label_format import label_format
from wsss_cli.data.prepared import Sample
from wsss_cli.job import Job
from wsss_cli.refine.pool import map_unordered
from wsss_ppmg.config import Pseudo
from wsss_ppmg.labels import write_pseudo_label
from wsss_ppmg.networks import cam_path, tagged


def make_pseudo_labels(job: Job) -> int:
    """Write labels/<id>.png of every tagged image; returns how many have one."""
    config: Pseudo = job.config
    samples = tagged(job, config.split)
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    palette, form, cams = job.data.info.palette, label_format(job.data.num_classes), job.inputs["seeds"]
    tasks = ((label_path(job.folder, s), s.image, cam_path(cams, s), config, form, palette) for s in todo)
    with job.track("pseudo-masks", len(todo)) as tick:
        for _ in map_unordered(write_pseudo_label, tasks, workers=job.processes):
            tick(1)
    job.barrier()
    return len(samples)


def label_path(folder: Path, sample: Sample) -> Path:
    return folder / "labels" / f"{sample.id}.png"
