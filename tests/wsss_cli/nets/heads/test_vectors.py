"""Every head of the zoo against what mmseg's own computes: outputs and losses."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reference_vectors import vectors
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.backbones.cgnet import CgNet
from wsss_cli.nets.backbones.fastscnn import FastScnn
from wsss_cli.nets.heads.ann import Ann
from wsss_cli.nets.heads.aspp import DeepLabV3, DeepLabV3PlusMmseg
from wsss_cli.nets.heads.cc import Cc
from wsss_cli.nets.heads.da import Da
from wsss_cli.nets.heads.ema import Ema
from wsss_cli.nets.heads.enc import Enc
from wsss_cli.nets.heads.fcn import Fcn
from wsss_cli.nets.heads.fpn import Fpn, FpnHead
from wsss_cli.nets.heads.gc import Gc
from wsss_cli.nets.heads.nonlocal_ import Dnl, NonLocal
from wsss_cli.nets.heads.ocr import Ocr
from wsss_cli.nets.heads.outputs import Map, Outputs, training_losses
from wsss_cli.nets.heads.point import PointRend, sample
from wsss_cli.nets.heads.psa import Psa
from wsss_cli.nets.heads.psp import Psp
from wsss_cli.nets.heads.sepfcn import SeparableFcn
from wsss_cli.nets.heads.uper import UPer
from wsss_cli.nets.segmenter import Head

STRIDES = (4, 8, 16, 32)


def inputs(ref: dict[str, Any]) -> list[Tensor]:
    return [torch.tensor(ref[f"x{i}"]) for i in range(sum(f"x{i}" in ref for i in range(4)))]


def filled(module: nn.Module, ref: dict[str, Any], another: str | tuple[str, ...] = ()) -> Any:
    """The module in eval mode with the weights of the file, all of them and nothing else but `another` part's."""
    state = {k.removeprefix("w::"): torch.tensor(v) for k, v in ref.items() if k.startswith("w::")}
    lacking = module.load_state_dict(state, strict=False)
    assert not lacking.unexpected_keys
    assert all(k.endswith("num_batches_tracked") or k.startswith(another) for k in lacking.missing_keys)
    return module.eval()


def close(ours: Tensor, theirs: Any) -> None:
    assert tuple(ours.shape) == np.shape(theirs)
    torch.testing.assert_close(ours.detach(), torch.as_tensor(theirs, dtype=torch.float32), rtol=0, atol=1e-5)


def over_all(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, count_ignored=True)


def losses_of(outputs: Outputs, ref: dict[str, Any]) -> dict[str, Tensor]:
    return training_losses(outputs, torch.tensor(ref["label"]).to(torch.uint8), over_all)


def check(ref: dict[str, Any], make: Callable[..., Head], **options: Any) -> tuple[Any, list[Tensor]]:
    """The main logits and their loss."""
    cfg, levels = json.loads(ref["cfg"]), inputs(ref)
    channels = [x.shape[1] for x in levels]
    strides, usual = cfg.get("feature_strides", STRIDES), {"width": cfg["channels"], "dropout": cfg["dropout_ratio"]}
    head = make(channels, strides, cfg["num_classes"], **usual, **options)
    filled(head, ref)
    close(head(levels), ref["out0"])
    losses = losses_of(head.outputs(levels), ref)
    name = "loss::loss_seg" if "loss::loss_seg" in ref else "loss::pam_cam.loss_seg"
    close(losses["main"], ref[name])
    return head, levels


@vectors("ppmg/head_FCNHead")
def test_fcn(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    check(ref, Fcn, num_convs=cfg["num_convs"], concat=cfg["concat_input"])


@vectors("ppmg/head_FCNHead_aux")
def test_auxiliary_fcn(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    check(ref, Fcn, num_convs=cfg["num_convs"], concat=cfg["concat_input"], level=cfg["in_index"])


@vectors("ppmg/head_PSPHead")
def test_psp(ref: dict[str, Any]) -> None:
    check(ref, Psp, pool_scales=json.loads(ref["cfg"])["pool_scales"])


@vectors("ppmg/head_ASPPHead")
def test_deeplabv3(ref: dict[str, Any]) -> None:
    check(ref, DeepLabV3, aspp_rates=json.loads(ref["cfg"])["dilations"][1:])


@vectors("ppmg/head_DepthwiseSeparableASPPHead")
def test_deeplabv3plus(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    check(ref, DeepLabV3PlusMmseg, aspp_rates=cfg["dilations"][1:], low_width=cfg["c1_channels"])


@vectors("ppmg/head_PSAHead")
def test_psa(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    check(ref, Psa, mask_size=cfg["mask_size"], shrink=cfg["shrink_factor"])


@vectors("ppmg/head_UPerHead")
def test_uper(ref: dict[str, Any]) -> None:
    check(ref, UPer, pool_scales=json.loads(ref["cfg"])["pool_scales"])


@vectors("ppmg/head_NLHead")
def test_nonlocal(ref: dict[str, Any]) -> None:
    check(ref, NonLocal, reduction=json.loads(ref["cfg"])["reduction"])


@vectors("ppmg/head_DNLHead")
def test_dnl(ref: dict[str, Any]) -> None:
    check(ref, Dnl, reduction=json.loads(ref["cfg"])["reduction"])


@vectors("ppmg/head_EncHead")
def test_enc(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    weight = cfg["loss_se_decode"]["loss_weight"]
    head, levels = check(ref, Enc, codes=cfg["num_codes"], presence_weight=weight)
    outputs = head.outputs(levels)
    close(outputs["presence"].logits, ref["out1"])
    close(losses_of(outputs, ref)["presence"], ref["loss::loss_se"])


@vectors("ppmg/head_CCHead")
def test_cc(ref: dict[str, Any]) -> None:
    check(ref, Cc, recurrence=json.loads(ref["cfg"])["recurrence"])


@vectors("ppmg/head_DAHead")
def test_da(ref: dict[str, Any]) -> None:
    head, levels = check(ref, Da, pam_width=json.loads(ref["cfg"])["pam_channels"])
    outputs = head.outputs(levels)
    losses = losses_of(outputs, ref)
    for i, (ours, theirs) in enumerate({"main": "pam_cam", "pixels": "pam", "channels": "cam"}.items()):
        close(outputs[ours].logits, ref[f"out{i}"])
        close(losses[ours], ref[f"loss::{theirs}.loss_seg"])


@vectors("ppmg/head_GCHead")
def test_gc(ref: dict[str, Any]) -> None:
    check(ref, Gc, ratio=json.loads(ref["cfg"])["ratio"])


@vectors("ppmg/head_ANNHead")
def test_ann(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    check(ref, Ann, inner=cfg["project_channels"], pool_scales=cfg["key_pool_scales"])


@vectors("ppmg/head_OCRHead")
def test_ocr(ref: dict[str, Any]) -> None:
    """The second of its two heads, given what the first one sees."""
    cfg, levels = json.loads(ref["cfg"]), inputs(ref)
    channels = [x.shape[1] for x in levels]
    head = Ocr(channels, (4, 8, 8, 8), cfg["num_classes"], width=cfg["channels"], inner=cfg["ocr_channels"])
    filled(head, ref, another="coarse.")
    logits = head.classify(head.refine(levels[-1], torch.tensor(ref["prev_output"])))
    close(logits, ref["out0"])
    close(losses_of({"main": Map(logits)}, ref)["main"], ref["loss::loss_seg"])


@vectors("ppmg/head_DepthwiseSeparableFCNHead")
def test_separable_fcn(ref: dict[str, Any]) -> None:
    check(ref, SeparableFcn)


@vectors("ppmg/head_FPNHead")
def test_fpn_head(ref: dict[str, Any]) -> None:
    check(ref, FpnHead)


@vectors("ppmg/neck_FPN")
def test_fpn_neck(ref: dict[str, Any]) -> None:
    levels = inputs(ref)
    neck = filled(Fpn([x.shape[1] for x in levels], ref["out0"].shape[1]), ref)
    for i, level in enumerate(neck(levels)):
        close(level, ref[f"out{i}"])


@vectors("ppmg/head_PointHead")
def test_point(ref: dict[str, Any]) -> None:
    fine, coarse = torch.tensor(ref["x0"]), torch.tensor(ref["prev_output"])
    layers = sum(k.startswith("w::fcs.") and k.endswith("weight") for k in ref)
    width, num_outputs = ref["w::fcs.0.conv.weight"].shape[0], coarse.shape[1]
    doublings = int(np.log2(ref["out_refined"].shape[2] / coarse.shape[2]))
    settings = {"neck_width": fine.shape[1], "layers": layers, "refinements": doublings, "test_points": 40}
    head = filled(PointRend((8,) * 4, STRIDES, num_outputs, width, 4, **settings), ref, another=("neck.", "coarse."))
    points = torch.tensor(ref["points"])
    close(sample(fine, points), ref["fine"])
    close(sample(coarse, points), ref["coarse"])
    close(head.at_points(sample(fine, points), sample(coarse, points)), ref["point_logits"])
    close(head.refine(fine, coarse), ref["out_refined"])


@vectors("ppmg/head_EMAHead")
def test_ema(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    options = {"inner": cfg["ema_channels"], "steps": cfg["num_stages"]}
    head, levels = check(ref, Ema, num_bases=cfg["num_bases"], momentum=cfg["momentum"], **options)
    head.train()(levels)
    close(head.ema_module.bases, ref["bases_after_train_step"])


@vectors("ppmg/backbone_FastSCNN")
def test_fastscnn(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    widths = cfg["downsample_dw_channels"], cfg["higher_in_channels"], cfg["global_block_channels"]
    net = filled(FastScnn(*widths, cfg["fusion_out_channels"]), ref)
    for i, level in enumerate(net(torch.tensor(ref["x"]))):
        close(level, ref[f"out{i}"])


@vectors("ppmg/backbone_CGNet")
def test_cgnet(ref: dict[str, Any]) -> None:
    cfg = json.loads(ref["cfg"])
    net = filled(CgNet(cfg["num_channels"], cfg["num_blocks"], cfg["dilations"], cfg["reductions"]), ref)
    for i, level in enumerate(net(torch.tensor(ref["x"]))):
        close(level, ref[f"out{i}"])
