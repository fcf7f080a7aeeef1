"""PUF's networks of the reference vectors: tiny, with the weights that the released code had."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_cli.batches.transforms import normalise
from wsss_puf.checkpoint import from_official
from wsss_puf.config import Net
from wsss_puf.nets import SelfReinforced, build


def state(ref: dict[str, Any], prefix: str) -> dict[str, Tensor]:
    """The tensors `prefix.<released name>`, under our names."""
    named = {k.removeprefix(f"{prefix}."): torch.from_numpy(v) for k, v in ref.items() if k.startswith(f"{prefix}.")}
    return from_official(named)


def settings(ref: dict[str, Any], weights: dict[str, Tensor]) -> Net:
    """What builds the network of those weights."""
    dim = weights["encoder.mask_token"].shape[1]
    sizes = {
        "img_size": ref["img_size"],
        "patch_size": weights["encoder.body.patch_embed.proj.weight"].shape[2],
        "embed_dim": dim,
        "depth": ref["depth"],
        "num_heads": ref["num_heads"],
        "mlp_ratio": weights["encoder.body.blocks.0.mlp.fc1.weight"].shape[0] / dim,
    }
    outputs, bottleneck = weights["projector.last_layer.weight_v"].shape
    return Net(
        backbone="vit_tiny_patch16_224",
        backbone_args=sizes,
        pretrained="none",
        input_size=ref["img_size"],
        drop_path=0.0,
        width=weights["decoder.conv6.weight"].shape[0],
        projection={
            "hidden": weights["projector.mlp.0.weight"].shape[0],
            "bottleneck": bottleneck,
            "outputs": outputs,
        },
    )


def network(ref: dict[str, Any], prefix: str) -> SelfReinforced:
    weights = state(ref, prefix)
    net = build(settings(ref, weights), ref["num_classes"] - 1)
    net.load_state_dict(weights)
    return net


def images(levels: np.ndarray) -> Tensor:
    """(B, 3, H, W) uint8 -> what a network sees."""
    return normalise(torch.from_numpy(levels).permute(0, 2, 3, 1))
