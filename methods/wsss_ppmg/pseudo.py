"""The pseudo stage: pseudo-labels from CAMs, image by image in worker processes."""

from __future__ import annotations

from wsss_cli.cam.store import cam_path
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import label_path
from wsss_cli.job import Job
from wsss_cli.refine.crf_config import crf_memory
from wsss_ppmg.config import Pseudo
from wsss_ppmg.labels import write_pseudo_label


def make_pseudo_labels(job: Job[Pseudo]) -> int:
    """Write labels/<id>.png of every tagged image; returns how many have one."""
    config = job.config
    samples = job.tagged(config.split)
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    palette, form, cams = job.data.info.palette, label_format(job.data.num_classes), job.inputs["seeds"]
    device = job.runtime.device
    tasks = ((label_path(job.folder, s), s.image, cam_path(cams, s), config, form, palette, device) for s in todo)
    job.each("pseudo-masks", write_pseudo_label, tasks, len(todo), on_device=True, need=crf_memory(todo))
    return len(samples)
