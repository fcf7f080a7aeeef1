"""The classification networks of the seeds stage: their training, and what it left."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from wsss_cli.batches.loader import TrainingData
from wsss_cli.batches.segmentation import to_device
from wsss_cli.classifier.optim import rates
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.part import PATH, Taken, meta, train_or_take, trained_part
from wsss_cli.job import Job
from wsss_ppmg.checkpoint import load_official_seam, load_start
from wsss_ppmg.config import SeamNetwork, SeamTraining
from wsss_ppmg.losses import seam_losses
from wsss_ppmg.nets import SeamNet, build
from wsss_ppmg.optim import optimiser

METHOD = "ppmg"
"""Of these networks' checkpoints, also where another method takes the stage."""


def train_network(
    job: Job, name: str, network: SeamNetwork, config: SeamTraining, data: TrainingData
) -> dict[str, float]:
    """Learn the tags with SEAM's losses; leaves <name>/checkpoint.pt."""
    network = network if config.checkpoint is None else network.official()
    about = meta(job, network, METHOD, name)

    def fitted() -> dict[str, float]:
        net = build(network, job.data.num_classes, config.small)
        load_start(net, network.pretrained, job.runtime.trust)
        total = total_iterations(config.loop, len(data))
        training = Training(
            model=net,
            step=_step,
            optimizer=optimiser(config.optimiser, net),
            factor=rates(config.optimiser, total),
            data=data,
            prepare=to_device,
            meta=about,
        )
        return fit(training, config.loop, job.runtime, job.folder / name, title=f"train {name}", seed=job.config.seed)

    def taken(file: str) -> Taken:
        net = build(network, job.data.num_classes, config.small)
        load_official_seam(net, file, job.runtime.trust, config.raw_coco_ids)
        return Taken(net)

    return train_or_take(job, job.folder / name, about, config.checkpoint, taken, fitted)


def _step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    cam1, revised1, cam2, revised2 = model(batch["image"])
    return seam_losses(cam1, revised1, cam2, revised2, batch["tags"])


def trained_network(job: Job, name: str) -> SeamNet:
    """The network with its trained weights, ready to be used.  Raises WsssError if the file is of another kind."""

    def stored(meta: dict[str, Any]) -> SeamNet:
        return build(SeamNetwork.stored(meta["net"]), job.data.num_classes)

    return job.ready(trained_part(job, job.folder / name / PATH, stored, METHOD))
