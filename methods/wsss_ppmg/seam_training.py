"""The classification networks of the seeds stage: their training, and what it left."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from wsss_cli.batches.loader import TrainingData
from wsss_cli.batches.segmentation import to_device
from wsss_cli.config import as_dict
from wsss_cli.engine import checkpoint
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.schedules import poly
from wsss_cli.job import Job
from wsss_ppmg.checkpoint import load_official_seam, load_start
from wsss_ppmg.config import SeamNetwork, SeamTraining
from wsss_ppmg.losses import seam_losses
from wsss_ppmg.nets import SeamNet, build
from wsss_ppmg.optim import optimiser


def train_network(
    job: Job, name: str, network: SeamNetwork, config: SeamTraining, data: TrainingData
) -> dict[str, float]:
    """Learn the tags with SEAM's losses; leaves <name>/checkpoint.pt."""
    folder, meta = job.folder / name, describe(job, name, network)
    done = checkpoint.finished(folder / "checkpoint.pt", meta, job.runtime.trust)
    if done is not None:
        return done
    net = build(network, job.data.num_classes, config.small)
    if config.checkpoint is not None:
        load_official_seam(net, config.checkpoint, job.runtime.trust, config.raw_coco_ids)
        content = {"meta": meta, "model": net.state_dict(), "done": True, "losses": {}}
        checkpoint.save(folder / "checkpoint.pt", content, job.runtime)
        return {}
    load_start(net, network.pretrained, job.runtime.trust)
    total = total_iterations(config.loop, len(data))
    training = Training(
        model=net,
        step=_step,
        optimizer=optimiser(config.optimiser, net),
        factor=lambda k: poly(k, total, config.optimiser.power),
        data=data,
        prepare=to_device,
        meta=meta,
    )
    return fit(training, config.loop, job.runtime, folder, title=f"train {name}", seed=job.config.seed)


def _step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    cam1, revised1, cam2, revised2 = model(batch["image"])
    return seam_losses(cam1, revised1, cam2, revised2, batch["tags"])


def describe(job: Job, name: str, network: SeamNetwork) -> dict[str, Any]:
    """What a checkpoint of these networks says of itself."""
    return {"method": "ppmg", "stage": name, "classes": list(job.data.info.classes), "net": as_dict(network)}


def trained_network(job: Job, name: str) -> SeamNet:
    """The network with its trained weights, ready to be used.  Raises WsssError if the file is of another kind."""
    path = job.folder / name / "checkpoint.pt"
    content = checkpoint.load(path, job.runtime.trust)
    checkpoint.expect(content, path, "ppmg", job.data.info.classes)
    net = build(SeamNetwork(**content["meta"]["net"]), job.data.num_classes)
    net.load_state_dict(content["model"])
    return job.ready(net)
