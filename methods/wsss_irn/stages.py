"""IRN's stages: seeds (CAMs), pseudo (IRN, random walk), train (a segmentation network on the pseudo-labels)."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from wsss_cli.classifier.gate import Infer, with_gate
from wsss_cli.classifier.stages import make_cams, train_classifier
from wsss_cli.engine import segment
from wsss_cli.engine.segment import train
from wsss_cli.job import Job
from wsss_irn.checkpoint import load_official_cam
from wsss_irn.relations import NAME, calibrate, make_ir_labels, train_irn
from wsss_irn.walking import make_pseudo_labels, merge_instances

__all__ = ["predictor", "pseudo", "seeds", "train"]


def seeds(job: Job) -> dict[str, float]:
    """Tags -> classification network -> multi-scale CAMs `cam/<id>.npz`."""
    losses = train_classifier(job, NAME, load_official_cam)
    return {"loss": losses.get("classification", 0.0), "cams": make_cams(job, NAME)}


def pseudo(job: Job) -> dict[str, float]:
    """CAMs -> IR labels -> IRN -> random walk -> `labels/`, `confidence/`, `instances/instances.json`."""
    make_ir_labels(job)
    losses = train_irn(job)
    calibrate(job)
    made = make_pseudo_labels(job)
    instances = merge_instances(job)
    return {**losses, "labels": made, "instances": instances}


def predictor(path: Path, job: Job[Infer]) -> nn.Module:
    """The trained network of a checkpoint.  Raises WsssError if it is of another method or other classes."""
    return with_gate(segment.predictor(path, job), job, NAME)
