"""The classification networks of the seeds stage: their training, and what it left."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from wsss_cli.batches.loader import TrainingData
from wsss_cli.classifier.training import Learning, train_part
from wsss_cli.engine.optimiser import body_and_head
from wsss_cli.engine.part import PATH, trained_part
from wsss_cli.job import Job
from wsss_ppmg.checkpoint import load_official_seam, load_start
from wsss_ppmg.config import SeamNetwork, SeamTraining
from wsss_ppmg.losses import seam_losses
from wsss_ppmg.nets import SeamNet, build

METHOD = "ppmg"
"""Of these networks' checkpoints, also where another method takes the stage."""


def train_network(
    job: Job, name: str, network: SeamNetwork, config: SeamTraining, data: TrainingData
) -> dict[str, float]:
    """Learn the tags with SEAM's losses; leaves <name>/checkpoint.pt."""
    classes, trust = job.data.num_classes, job.runtime.trust

    def learning(net: SeamNet) -> Learning:
        load_start(net, network.pretrained, trust)
        return Learning(data, _step, body_and_head(net, config.optimiser))

    return train_part(
        job,
        name,
        network,
        config,
        build=lambda network: build(network, classes, config.small),
        learning=learning,
        take=lambda net, file: load_official_seam(net, file, trust, config.raw_coco_ids),
        method=METHOD,
    )


def _step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    cam1, revised1, cam2, revised2 = model(batch["image"])
    return seam_losses(cam1, revised1, cam2, revised2, batch["tags"])


def trained_network(job: Job, name: str) -> SeamNet:
    """The network with its trained weights, ready to be used.  Raises WsssError if the file is of another kind."""

    def stored(meta: dict[str, Any]) -> SeamNet:
        return build(SeamNetwork.stored(meta), job.data.num_classes)

    return job.ready(trained_part(job, job.folder / name / PATH, stored, METHOD))
