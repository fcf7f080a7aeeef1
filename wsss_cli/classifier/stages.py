"""The plain way from tags to seeds and pseudo-labels, as stages of a method or in parts.

CAMS = Artefact("cam", "cam", background="pseudo.background")
Stage("seeds", "wsss_cli.classifier.stages:seeds", "wsss_cli.classifier.config:Seeds", writes=(CAMS,))
Stage("pseudo", "wsss_cli.classifier.stages:pseudo", "wsss_cli.classifier.config:Pseudo", ("seeds",), (LABELS,))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.cam.label import threshold_label
from wsss_cli.cam.multi_scale import multi_scale_cams, pyramids
from wsss_cli.cam.store import cam_path, read_cam, write_cam
from wsss_cli.classifier.config import FOLDER, Network, Pseudo, Seeds
from wsss_cli.classifier.network import Classifier, build
from wsss_cli.classifier.samples import TaggedImages
from wsss_cli.classifier.training import Learning, train_part
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import label_path, write_labels
from wsss_cli.engine.optimiser import at_two_rates
from wsss_cli.engine.part import PATH, trained_part
from wsss_cli.job import Job
from wsss_cli.nets.precision import computing
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.nets.weights.reading import read_weights


def seeds(job: Job) -> dict[str, float]:
    """Tags -> classification network `cam_net/` -> multi-scale CAMs `cam/<id>.npz`."""
    losses = train_classifier(job, job.method.name, load_own)
    return {"loss": losses.get("classification", 0.0), "cams": make_cams(job, job.method.name)}


def pseudo(job: Job[Pseudo]) -> dict[str, int]:
    """CAMs -> `labels/<id>.png`."""
    config = job.config
    folder, form, palette = job.inputs["seeds"], label_format(job.data.num_classes), job.data.info.palette
    samples = job.promised_samples("seeds", "cam")
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    tasks = ((label_path(job.folder, s), cam_path(folder, s), config.background, form, palette) for s in todo)
    job.each("make labels", write_label, tasks, len(todo))
    return {"labels": len(samples)}


def write_label(path: Path, cam: Path, background: float, form: LabelFormat, palette: Sequence[Any]) -> None:
    """One image's label map."""
    found = read_cam(cam)
    label = threshold_label(found.full(), torch.from_numpy(found.class_ids), background)
    write_labels(path, form.tensor(label).numpy(), palette)


def train_classifier(
    job: Job[Seeds], method: str, take: Callable[[Classifier, str, bool], Any], title: str = "train CAM net"
) -> dict[str, float]:
    """Multi-label classification of the tags; leaves cam_net/checkpoint.pt, a checkpoint of `method`.

    take  take(net, file, trust) fills the network with the trained weights that the settings name
    """
    config, classes = job.config, job.data.num_classes

    def learning(net: Classifier) -> Learning:
        samples = job.tagged(config.split)
        job.say_left_out(samples, config.split)
        load_pretrained(net.backbone, config.net.pretrained, job.runtime.trust)
        body, head = net.backbone.parameters(), net.classifier.parameters()
        optimizer = at_two_rates(body, head, config.training.optimiser)
        return Learning(TaggedImages(samples, classes, config.training), _step, optimizer)

    return train_part(
        job,
        FOLDER,
        config.net,
        config.training,
        build=lambda network: build(network, classes),
        learning=learning,
        take=lambda net, file: take(net, file, job.runtime.trust),
        method=method,
        title=title,
    )


def load_own(net: Classifier, file: str, trust: bool) -> None:
    """The weights of such a network, by its own names."""
    load_exactly(net, read_weights(file, trust), "classification network", file)


@torch.inference_mode()
def make_cams(job: Job[Seeds], method: str) -> int:
    """Write cam/<id>.npz for every tagged image that has none yet; returns how many images have one."""
    config = job.config
    samples = job.tagged(config.split)
    todo = job.todo(samples, lambda s: cam_path(job.folder, s))
    net = job.ready(trained_classifier(job, job.folder, method))
    with job.track("make CAMs", len(todo)) as tick:
        for group, images, size in pyramids(todo, config.scales, config.batch):
            with computing(config, job.runtime.device):
                cams = multi_scale_cams(net.cams, images, [s.tags for s in group], size, job.runtime.device)
            for sample, cam in zip(group, cams):
                write_cam(cam_path(job.folder, sample), cam)
                tick(1)
    job.barrier()
    return len(samples)


def trained_classifier(job: Job, folder: Path, method: str) -> Classifier:
    """The network of a seeds stage's folder, with its trained weights."""
    classes = job.data.num_classes
    return trained_part(job, folder / FOLDER / PATH, lambda meta: build(Network.stored(meta), classes), method)


def _step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    return {"classification": F.multilabel_soft_margin_loss(model(batch["image"]), batch["tags"])}
