"""WeCLIP's networks of the reference, and of tests that need no weights."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tiny_clip import state_of, tower_of
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.backbones.vit import as_map
from wsss_cli.nets.weights.filling import load_exactly
from wsss_weclip.checkpoint import trained_name
from wsss_weclip.config import Net
from wsss_weclip.nets import WeClip


def text(weights: dict[str, Any], coco: bool = False) -> tuple[Tensor, Tensor]:
    """The features of the classes' and of background's names."""
    names = ("fg_text_coco", "bg_text_coco") if coco else ("fg_text", "bg_text")
    classes, background = (torch.from_numpy(weights[name]) for name in names)
    return classes, background


def reference_network(weights: dict[str, Any], coco: bool = False, **settings: Any) -> WeClip:
    """The network of weights_<case>.npz."""
    width = len(weights["fuse.linear_fuse.bias"])
    net = Net(width=width, logit_scale=float(torch.tensor(weights["logit_scale"]).exp()), **settings)
    model = WeClip(tower_of(state_of(weights), weights["heads"]), None, net, text(weights, coco))
    fill(model, state_of(weights, "fuse."), "decoder_fts_fuse.")
    if not coco:  # the weights are of VOC's
        fill(model, state_of(weights, "decoder."), "decoder.")
    return model.eval()


class GivenTokens(nn.Module):
    """DINOv2's place in a network whose tokens a vector gives."""

    def __init__(self, tokens: Tensor, grid: tuple[int, int]) -> None:
        super().__init__()
        self.tokens, self.grid, self.dim = tokens, grid, tokens.shape[2]

    def forward(self, images: Tensor) -> Tensor:
        return as_map(self.tokens, self.grid)


def reference_plus(ref: dict[str, Any], coco: bool) -> WeClip:
    """The network of plus_<case>.npz."""
    prefix, kind = ("coco.", "coco_") if coco else ("sd.", "")
    trained = state_of(ref, prefix)
    width = len(trained["decoder_fts_fuse.linear_fuse.bias"])
    blocks = 1 + max(int(k.split(".")[3]) for k in trained if k.startswith("decoder.transformer"))
    grid = [side // 14 for side in ref[f"{kind}dino_input_hw"].tolist()]
    dino: Any = GivenTokens(torch.from_numpy(ref[f"{kind}dino_tokens"]), (grid[0], grid[1]))
    scale = float(torch.tensor(ref["logit_scale"]).exp())
    level = -1 if coco else -2
    net = Net(width=width, blocks=blocks, heads=8, logit_scale=scale, levels="last", cam_level=level)
    model = WeClip(tower_of(state_of(ref, "clip."), ref["heads"]), dino, net, text(ref, coco))
    for part in ("decoder_fts_fuse.", "dino_decoder_fts_fuse.", "decoder."):
        fill(model, {k.removeprefix(part): v for k, v in trained.items() if k.startswith(part)}, part)
    return model.eval()


def fill(model: WeClip, state: dict[str, Tensor], prefix: str) -> None:
    """Tensors after the released prefix into the part of the network that they are of."""
    ours = {trained_name(prefix + k): v for k, v in state.items()}
    part = next(iter(ours)).partition(".")[0]
    load_exactly(model.get_submodule(part), {k.removeprefix(f"{part}."): v for k, v in ours.items()}, part, "reference")


def save_clip(path: Path) -> None:
    """Random weights for the CLIP of TRAIN; its attention is not as good as even, which would leave noise alone."""
    torch.manual_seed(0)
    tower = ClipVisual(TRAIN["net"]["backbone"], TRAIN["net"]["backbone_args"])
    for block in tower.body.blocks:
        block.attn.qkv.weight.mul_(20)
    torch.save(tower.body.state_dict() | {"head.weight": tower.proj.weight}, path)


TRAIN: dict[str, Any] = {
    "text": {"features": "random"},
    "net": {
        "backbone": "vit_base_patch16_clip_quickgelu_224",
        "backbone_args": {"img_size": 64, "patch_size": 8, "embed_dim": 24, "depth": 4, "num_heads": 2},
        "pretrained": "clip.pt",
        "width": 16,
        "logit_scale": 5.0,
        "heads": 2,
        "blocks": 2,
    },
    "augment": {"crop": 64, "scale": [0.75, 1.5]},
    "labelling": {"guided_from": 4, "guided_maps": 3, "par": {"iterations": 3}},
    "losses": {"radius": 3},
    "optimiser": {"lr": 0.001, "warm_up": 2},
    "loop": {"iterations": 8, "batch": 4, "log_every": 1},
}
"""Settings of a training that takes seconds."""
RECIPE: dict[str, Any] = {"train": TRAIN, "infer": {"long_side": 64, "scales": [1.0, 0.75]}}

PLUS: dict[str, Any] = {
    "net": {
        "levels": "last",
        "cam_level": -2,
        "dino": "vit_small_patch14_dinov2",
        "dino_args": {"img_size": 56, "embed_dim": 24, "depth": 2, "num_heads": 2},
        "dino_pretrained": "none",
    },
    "labelling": {"guided_from": 0, "box_threshold": None, "weigh": True, "trust_from": 4, "trust_above": 0.34},
    "losses": {"dice": 1.0},
}
"""What makes it WeCLIP+."""


def text_of(classes: int, dim: int = 512) -> tuple[Tensor, Tensor]:
    """Features of no meaning, of classes and of 25 background names."""
    features = torch.randn(classes + 25, dim, generator=torch.Generator().manual_seed(0))
    return features[:classes], features[classes:]
