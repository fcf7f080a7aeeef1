"""The inter-pixel relation network: its labels from the CAMs, its training, its calibration."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wsss_cli.batches.transforms import normalise, place, top_left_crop
from wsss_cli.cam.store import cam_path, read_cam
from wsss_cli.classifier.config import FOLDER, Network
from wsss_cli.classifier.network import build_backbone
from wsss_cli.classifier.stages import trained_classifier
from wsss_cli.classifier.training import Learning, fit_part
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.engine import checkpoint
from wsss_cli.engine.optimiser import at_two_rates
from wsss_cli.engine.part import PATH, Taken, meta, train_or_take, trained_part
from wsss_cli.job import Job
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.nets.precision import computing
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.ranks.distributed import gather, mean_over_ranks, shard
from wsss_cli.refine.crf import DenseCrf, unary_from_labels
from wsss_cli.refine.crf_config import crf_memory
from wsss_irn.checkpoint import load_official_irn
from wsss_irn.config import IrLabel, Pseudo
from wsss_irn.data import RelatedPixels
from wsss_irn.labels import ir_label
from wsss_irn.losses import irn_losses
from wsss_irn.nets import IrnNet

NAME = "irn"
"""Of the method, in its checkpoints, also where another method takes its stages."""


def make_ir_labels(job: Job[Pseudo]) -> None:
    """CAMs -> ir_label/<id>.png of certain foreground, certain background, and ignore."""
    config = job.config
    samples = job.tagged(config.split)
    todo = job.todo(samples, partial(ir_path, job.folder))
    form, cams = label_format(job.data.num_classes), job.inputs["seeds"]
    device = job.runtime.device
    tasks = ((ir_path(job.folder, s), s.image, cam_path(cams, s), config.ir_label, form, device) for s in todo)
    job.each("IR labels", write_ir_label, tasks, len(todo), on_device=True, need=crf_memory(todo))


def write_ir_label(
    path: Path, image: Path, cam_file: Path, config: IrLabel, form: LabelFormat, device: torch.device
) -> None:
    """One image's IR label: both thresholds' label maps refined by the dense CRF on one lattice."""
    cam = read_cam(cam_file)
    crf = DenseCrf(torch.from_numpy(read_image(image)).to(device), config.crf)

    def refine(index: Tensor, n: int) -> Tensor:
        return torch.stack([crf.infer(unary_from_labels(i, n, config.crf.gt_prob)).argmax(0) for i in index])

    maps, ids = cam.full().to(device), torch.from_numpy(cam.class_ids).to(device)
    label = ir_label(maps, ids, refine, config.foreground, config.background, form)
    write_labels(path, label.cpu().numpy())


def train_irn(job: Job[Pseudo]) -> dict[str, float]:
    """Train the boundary and displacement branches on the IR labels; leaves irn/checkpoint.pt."""
    config = job.config
    c = config.training
    about = meta(job, _network(job), NAME, "irn")

    def fitted() -> dict[str, float]:
        net = IrnNet(frozen_backbone(job))
        data = RelatedPixels(job.tagged(config.split), partial(ir_path, job.folder), c)
        step = partial(_step, radius=c.radius)
        optimizer = at_two_rates(net.boundary.parameters(), net.displacement.parameters(), c.optimiser)
        return fit_part(job, "irn", net, Learning(data, step, optimizer), c, about, "train IRN")

    def taken(file: str) -> Taken:
        net = IrnNet(build_backbone(_network(job)))
        load_official_irn(net, file, job.runtime.trust)
        return Taken(net)

    return train_or_take(job, job.folder / "irn", about, c.checkpoint, taken, fitted)


def frozen_backbone(job: Job[Pseudo]) -> Backbone:
    """The CAM network's kind of backbone: with its pretrained weights (as released) or as trained."""
    config = job.config
    if config.training.init == "cam":
        return trained_classifier(job, job.inputs["seeds"], NAME).backbone
    backbone = build_backbone(_network(job))
    load_pretrained(backbone, _network(job).pretrained, job.runtime.trust)
    return backbone


@torch.inference_mode()
def calibrate(job: Job[Pseudo], batch: int = 32) -> None:
    """Store the mean displacement over the data in the network's mean shift; leaves irn/calibrated.pt.

    As released: eval mode, top left crops, the zero padding included, on the images that seeds are scored on.
    """
    path = calibrated_path(job.folder)
    if path.exists():
        job.barrier()
        return
    config = job.config
    content = checkpoint.load(job.folder / "irn" / "checkpoint.pt", job.runtime.trust)
    net = IrnNet(build_backbone(_network(job)))
    net.load_state_dict(content["model"])
    job.ready(net)
    samples = shard(job.data.split(job.data.split_for("seeds")), job.runtime)
    crops = ParallelMap(lambda s: _top_left(s, config.training.crop), samples)
    total, count = torch.zeros(2, dtype=torch.float64), 0
    with job.track("mean displacement", len(samples)) as tick:
        for image, valid in crops:
            x = normalise(image[None].to(job.runtime.device), valid[None])  # (1, 3, crop, crop)
            with computing(config.training.loop, x.device):
                found = net(x)[1]
            total += found.mean((0, 2, 3)).double().cpu()
            count += 1
            tick(1)
    every = gather((total, count))
    mean = torch.stack([t for t, _ in every]).sum(0) / max(1, sum(n for _, n in every))
    net.displacement.mean_shift.running_mean.copy_(mean)
    checkpoint.save(path, {"meta": content["meta"], "model": net.state_dict()}, job.runtime)


def trained_irn(job: Job) -> IrnNet:
    """The calibrated network of a pseudo stage."""
    return trained_part(job, calibrated_path(job.folder), stored, NAME)


def stored(meta: dict[str, Any]) -> IrnNet:
    """The network that a checkpoint describes, with random weights."""
    return IrnNet(build_backbone(Network.stored(meta)))


def ir_path(folder: Path, sample: Sample) -> Path:
    return folder / "ir_label" / f"{sample.id}.png"


def calibrated_path(folder: Path) -> Path:
    return folder / "irn" / "calibrated.pt"


def _network(job: Job) -> Network:
    """What the CAM network was made of."""
    path = job.inputs["seeds"] / FOLDER / PATH
    return Network.stored(checkpoint.load(path, job.runtime.trust)["meta"])


def _top_left(sample: Sample, crop: int) -> tuple[Tensor, Tensor]:
    image = read_image(sample.image)
    at = top_left_crop((image.shape[0], image.shape[1]), crop)
    return torch.from_numpy(np.ascontiguousarray(place(image, at, crop))), torch.tensor(at.valid)


def _step(model: nn.Module, batch: dict[str, Tensor], k: int, radius: int) -> dict[str, Tensor]:
    edge, displacement = model(batch["image"])
    return irn_losses(edge, displacement, batch["label"], radius, mean_over_ranks).terms()


def step_once(network: Network, side: int, radius: int) -> None:
    """A step of one crop, for its time: through a network of random weights and back."""
    net = IrnNet(build_backbone(network)).train()
    labels = torch.randint(0, 3, (1, (side - 1) // 4 + 1, (side - 1) // 4 + 1))
    losses = _step(net, {"image": torch.rand(1, 3, side, side), "label": labels}, 0, radius)
    torch.stack(list(losses.values())).sum().backward()
