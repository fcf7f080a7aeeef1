"""Every head of the zoo against what mmseg's own computes: outputs and losses."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reference_vectors import vectors
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.outputs import Outputs, training_losses
from wsss_cli.nets.segmenter import Head
from wsss_cli.nets.zoo.fcn import Fcn
from wsss_cli.nets.zoo.psp import Psp

STRIDES = (4, 8, 16, 32)


def inputs(ref: dict[str, Any]) -> list[Tensor]:
    return [torch.tensor(ref[f"x{i}"]) for i in range(sum(f"x{i}" in ref for i in range(4)))]


def filled(module: nn.Module, ref: dict[str, Any], **renamed: str) -> nn.Module:
    """The module in eval mode with the weights of the file, each of which must have its place."""
    state = {k.removeprefix("w::"): torch.tensor(v) for k, v in ref.items() if k.startswith("w::")}
    lacking = module.load_state_dict(state, strict=False)
    assert not lacking.unexpected_keys
    assert all(k.endswith("num_batches_tracked") for k in lacking.missing_keys)
    return module.eval()


def close(ours: Tensor, theirs: Any) -> None:
    assert tuple(ours.shape) == np.shape(theirs)
    torch.testing.assert_close(ours.detach(), torch.as_tensor(theirs, dtype=torch.float32), rtol=0, atol=1e-5)


def over_all(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, count_ignored=True)


def losses_of(outputs: Outputs, ref: dict[str, Any]) -> dict[str, Tensor]:
    return training_losses(outputs, torch.tensor(ref["label"]).to(torch.uint8), over_all)


def check(ref: dict[str, Any], make: Callable[..., Head], **options: Any) -> tuple[Head, list[Tensor]]:
    """The main logits and their loss."""
    cfg, levels = json.loads(ref["cfg"]), inputs(ref)
    channels = [x.shape[1] for x in levels]
    head = make(channels, STRIDES, cfg["num_classes"], width=cfg["channels"], dropout=cfg["dropout_ratio"], **options)
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
