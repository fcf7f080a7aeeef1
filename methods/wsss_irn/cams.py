"""Seeds: train the classification network, then take multi-scale class maps of every tagged image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.segmentation import to_device
from wsss_cli.cam.multi_scale import multi_scale_cams, scaled
from wsss_cli.cam.store import cam_path, write_cam
from wsss_cli.config import as_dict
from wsss_cli.data.images import read_image
from wsss_cli.engine import checkpoint
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.schedules import poly
from wsss_cli.job import Job
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.parallel.ordered import ParallelMap
from wsss_irn.checkpoint import load_official_cam
from wsss_irn.config import CamNetwork, Seeds
from wsss_irn.data import TaggedImages
from wsss_irn.nets import CamNet
from wsss_irn.optim import optimiser


def train_cam_net(job: Job) -> dict[str, float]:
    """Multi-label classification of the tags; leaves cam_net/checkpoint.pt."""
    config: Seeds = job.config
    folder, meta = job.folder / "cam_net", describe(job, "cam_net", config.net)
    net = build(config.net, job.data.num_classes)
    if config.training.checkpoint is not None:
        load_official_cam(net, config.training.checkpoint, job.runtime.trust)
        checkpoint.save_network(folder / "checkpoint.pt", meta, net, job.runtime)
        return {}
    samples = job.tagged(config.split)
    job.say_left_out(samples, config.split)
    load_pretrained(net.backbone, config.net.pretrained, job.runtime.trust)
    data = TaggedImages(samples, job.data.num_classes, config.training)
    loop = config.training.loop
    total = total_iterations(loop, len(data))
    training = Training(
        model=net,
        step=_step,
        optimizer=optimiser(config.training.optimiser, net.backbone, net.classifier),
        factor=lambda k: poly(k, total, config.training.optimiser.power),
        data=data,
        prepare=to_device,
        meta=meta,
    )
    return fit(training, loop, job.runtime, folder, title="train CAM net", seed=config.seed)


def describe(job: Job, stage: str, net: CamNetwork) -> dict[str, Any]:
    """What a checkpoint of IRN's own networks says of itself."""
    return {"method": "irn", "stage": stage, "classes": list(job.data.info.classes), "net": as_dict(net)}


@torch.inference_mode()
def make_cams(job: Job) -> int:
    """Write cam/<id>.npz for every tagged image that has none yet; returns how many images have one."""
    config: Seeds = job.config
    samples = job.tagged(config.split)
    todo = job.todo(samples, lambda s: cam_path(job.folder, s))
    net = job.ready(trained_cam_net(job.folder, job))
    pyramids = ParallelMap(lambda s: scaled(read_image(s.image), config.scales), todo)
    with job.track("make CAMs", len(todo)) as tick:
        for group, images in equal_shapes(todo, pyramids, config.batch):
            cams = multi_scale_cams(net.cams, images, [s.tags for s in group], job.runtime.device)
            for sample, cam in zip(group, cams):
                write_cam(cam_path(job.folder, sample), cam)
                tick(1)
    job.barrier()
    return len(samples)


def build(config: CamNetwork, num_classes: int) -> CamNet:
    """The classification network with random weights."""
    return CamNet(make_backbone(config), num_classes, detach=config.detach, freeze_bn=config.freeze_bn)


def make_backbone(config: CamNetwork) -> Backbone:
    """Stride 16 without dilation, random weights."""
    return Backbone(config.backbone, output_stride=16, dilate=False, args=config.backbone_args)


def trained_cam_net(folder: Path, job: Job) -> CamNet:
    """The network of a seeds stage, with its trained weights."""
    path = folder / "cam_net" / "checkpoint.pt"
    content = checkpoint.load(path, job.runtime.trust)
    checkpoint.expect(content, path, "irn", job.data.info.classes)
    net = build(CamNetwork(**content["meta"]["net"]), job.data.num_classes)
    net.load_state_dict(content["model"])
    return net


def _step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    return {"classification": F.multilabel_soft_margin_loss(model(batch["image"]), batch["tags"])}
