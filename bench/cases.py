"""Training steps of the methods at the papers' sizes, every loss on from the first iteration, and a batch of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

import wsss_bcm.config as bcm
import wsss_beco.config as beco
import wsss_irn.config as irn
import wsss_locbe.config as locbe
import wsss_ppmg.config as ppmg
import wsss_puf.config as puf
import wsss_toco.config as toco
from bench import beco as beco_bench
from bench import locbe as locbe_bench
from bench import puf as puf_bench
from bench import toco as toco_bench
from bench.toco import CLASSES, images, two_tags
from wsss_bcm.nets import build as build_bcm
from wsss_bcm.step import MaskedStep
from wsss_beco.nets import TwoNetworks
from wsss_beco.step import CoTraining
from wsss_cli.batches.transforms import normalise
from wsss_cli.classifier import stages as classifier
from wsss_cli.classifier.config import Network
from wsss_cli.classifier.network import build as build_classifier
from wsss_cli.classifier.network import build_backbone
from wsss_cli.engine.adamw import adamw
from wsss_cli.engine.loop import Step
from wsss_cli.engine.optimiser import at_two_rates, body_and_head
from wsss_cli.nets.config import Net
from wsss_cli.single_stage.config import VitNet
from wsss_irn import relations
from wsss_irn.nets import IrnNet
from wsss_locbe.data import to_device as locbe_to_device
from wsss_locbe.stages import build as build_locbe
from wsss_locbe.step import LocBeStep
from wsss_ppmg import seam_training
from wsss_ppmg.nets import build as build_seam
from wsss_puf.data import to_device as puf_to_device
from wsss_puf.nets import build as build_puf
from wsss_puf.step import SelfReinforcement
from wsss_puf.teacher import Centres, make_teacher
from wsss_toco.data import to_device as toco_to_device
from wsss_toco.nets import build as build_toco
from wsss_toco.nets import make_teacher as toco_teacher
from wsss_toco.step import ToCoStep

TOTAL = 1000


@dataclass
class Setup:
    """What is trained, how, and on what: the batch is a method's own, on the CPU, with what brings it to the device."""

    model: nn.Module
    step: Step
    optimizer: torch.optim.Optimizer
    batch: Any
    prepare: Callable[[Any, torch.device], Any]
    modules: dict[str, nn.Module] = field(default_factory=dict)
    after: Callable[[int], None] | None = None


@dataclass(frozen=True)
class Case:
    """One training: images of a batch and their side; `make` from these and whether the network is a small one."""

    what: str
    images: int
    side: int
    make: Callable[[int, int, bool], Setup]
    tiny_side: int = 128


def _vit(tiny: bool) -> dict[str, Any]:
    return {"backbone": "vit_tiny_patch16_224" if tiny else "vit_base_patch16_224", "pretrained": "none"}


def _cnn(name: str, tiny: bool) -> dict[str, Any]:
    return {"backbone": "mobilenetv2_100" if tiny else name, "pretrained": "none"}


def _to(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def _puf(size: int, side: int, tiny: bool) -> Setup:
    random = {"random_share": 0.0}  # masks of CAMs, which cost most, at once
    config = puf.Train(net=_vit(tiny), losses={"segmentation_from": 0}, masking=random)  # type: ignore[arg-type]
    net = build_puf(config.net, CLASSES)
    teacher, centres = make_teacher(net, steady=False), Centres(config.net.projection.outputs)
    step = SelfReinforcement(net, teacher, centres, config, TOTAL)
    modules = {"teacher": teacher, "centres": centres}
    batch = puf_bench.batch(size, side)
    return Setup(net, step, adamw(net, config.optimiser), batch, puf_to_device, modules, step.after)


def _toco(size: int, side: int, tiny: bool) -> Setup:
    config = toco.Train(net=_vit(tiny), losses={"segmentation_from": 0})  # type: ignore[arg-type]
    net = build_toco(config.net, CLASSES)
    teacher = toco_teacher(net)
    step, batch = ToCoStep(net, teacher, config), toco_bench.batch(size, side)
    return Setup(net, step, adamw(net, config.optimiser), batch, toco_to_device, {"teacher": teacher})


def _locbe(size: int, side: int, tiny: bool) -> Setup:
    config = locbe.Train(net=VitNet(**_vit(tiny)), phases=(locbe.WHOLE,))
    net = build_locbe(config.net, CLASSES)
    batch = locbe_bench.batch(size, side, config.windows.number)
    return Setup(net, LocBeStep(net, config), adamw(net, config.optimiser), batch, locbe_to_device)


def _beco(size: int, side: int, tiny: bool) -> Setup:
    """After the warm-up: it mixes by what both networks see."""
    config = beco.Train(net=Net(**_cnn("resnet101d", tiny)))
    net = TwoNetworks(config.net, CLASSES + 1)
    batch, stays = beco_bench.step_batch(size, side)

    def prepare(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
        return _to(batch, device) | stays

    step = CoTraining(net, config, warm_up=0)
    return Setup(net, step, body_and_head(net, config.optimiser), batch, prepare)


def _seam(size: int, side: int, tiny: bool) -> Setup:
    config = ppmg.SeamTraining()
    net = build_seam(ppmg.SeamNetwork(**_cnn("scalenet101", tiny)), CLASSES)
    return Setup(net, seam_training._step, body_and_head(net, config.optimiser), _tagged(size, side), _to)


def _bcm(size: int, side: int, tiny: bool) -> Setup:
    """The phase bcm: masks of boxes, labels as they are."""
    network = Net(**_cnn("resnet101_caffe", tiny), head="deeplabv2", freeze_bn=True)
    config = bcm.Train(net=network, fr_mode="off")
    net = build_bcm("bcm", network, CLASSES + 1, (0.5, 0.75))
    labels = torch.randint(0, CLASSES + 1, (size, side, side), dtype=torch.uint8)
    batch = {"image": normalise(images(size, side, 0)), "label": labels, "box": labels}
    return Setup(net, MaskedStep(config, None), torch.optim.SGD(net.parameters(), 1e-4, 0.9), batch, _to)


def _cam(size: int, side: int, tiny: bool) -> Setup:
    net = build_classifier(Network(**_cnn("resnet50.tv_in1k", tiny)), CLASSES)
    optimizer = at_two_rates(net.backbone.parameters(), net.classifier.parameters(), irn.IrnOptimiser())
    return Setup(net, classifier._step, optimizer, _tagged(size, side), _to)


def _irn(size: int, side: int, tiny: bool) -> Setup:
    config = irn.IrnTraining()
    net = IrnNet(build_backbone(Network(**_cnn("resnet50.tv_in1k", tiny))))
    optimizer = at_two_rates(net.boundary.parameters(), net.displacement.parameters(), config.optimiser)
    labels = torch.randint(0, 3, (size, side // 4 // 8, side // 4 // 8), dtype=torch.uint8)
    batch = {"image": normalise(images(size, side, 0)), "label": labels.repeat_interleave(8, 1).repeat_interleave(8, 2)}
    return Setup(net, partial(relations._step, radius=config.radius), optimizer, batch, _to)


def _tagged(size: int, side: int) -> dict[str, torch.Tensor]:
    return {"image": normalise(images(size, side, 0)), "tags": two_tags(size)}


CASES = {
    "puf": Case("PUF, ViT-B/16", 8, 448, _puf),
    "toco": Case("ToCo, ViT-B/16", 4, 448, _toco),
    "locbe": Case("LOC-BE, ViT-B/16", 4, 448, _locbe),
    "beco": Case("BECO, two ResNet-D-101", 16, 512, _beco, 64),
    "ppmg": Case("PPMG's CAM network, ScaleNet-101", 16, 448, _seam, 64),
    "bcm": Case("BCM with masks, ResNet-101", 4, 320, _bcm, 64),
    "irn cam": Case("IRN's CAM network, ResNet-50", 16, 512, _cam, 64),
    "irn": Case("IRN, ResNet-50", 32, 512, _irn, 64),
}
