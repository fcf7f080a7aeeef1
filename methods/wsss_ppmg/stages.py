"""PPMG's stages: seeds (multi-crop CAMs), pseudo (smoothing, proportional masks), train (under-fitting on purpose)."""

from __future__ import annotations

from functools import partial

from wsss_cli.job import Job
from wsss_ppmg.cams import make_cams
from wsss_ppmg.config import Seeds
from wsss_ppmg.data import RandomCrops, TaggedCells
from wsss_ppmg.pseudo import make_pseudo_labels
from wsss_ppmg.rough import make_rough_masks, rough_path
from wsss_ppmg.seam_training import train_network
from wsss_ppmg.training import predictor, train

__all__ = ["predictor", "pseudo", "seeds", "train"]

NETWORK = "cam_net"


def seeds(job: Job[Seeds]) -> dict[str, float]:
    """Tags -> rough masks -> network trained on cells -> multi-crop CAMs `cam/<id>.npz`."""
    config = job.config
    samples = job.tagged(config.split)
    job.say_left_out(samples, config.split)
    data: TaggedCells | RandomCrops
    if config.makes_rough():
        make_rough_masks(job, samples)
        data = TaggedCells(
            samples,
            job.data.num_classes,
            config.grid,
            config.training.jitter,
            partial(rough_path, job.folder),
            config.rough.overlap,
        )
    else:
        data = RandomCrops(samples, job.data.num_classes, config.training)
    losses = train_network(job, NETWORK, config.net, config.training, data)
    made = make_cams(job, samples, NETWORK)
    return {**losses, "cams": made}


def pseudo(job: Job) -> dict[str, float]:
    """CAMs -> coefficient of variation smoothing -> proportional pseudo-masks `labels/`."""
    return {"labels": make_pseudo_labels(job)}
