"""CLIP's visual transformer under our names: OpenAI's and open_clip's, and timm's."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from wsss_cli.nets.weights.renaming import Pairs, inverse, rename

BLOCK: Pairs = (
    ("ln_1.", "norm1."),
    ("ln_2.", "norm2."),
    ("attn.in_proj_", "attn.qkv."),
    ("attn.out_proj.", "attn.proj."),
    ("mlp.c_fc.", "mlp.fc1."),
    ("mlp.c_proj.", "mlp.fc2."),
)
"""Within a block: OpenAI's names -> timm's."""

VISUAL: Pairs = (
    ("class_embedding", "body.cls_token"),
    ("positional_embedding", "body.pos_embed"),
    ("conv1.", "body.patch_embed.proj."),
    ("ln_pre.", "body.norm_pre."),
    ("ln_post.", "body.norm."),
    ("transformer.resblocks.", "body.blocks."),
    ("proj", "proj.weight"),
)
"""Of the visual transformer: OpenAI's names without "visual." -> ClipVisual's."""

LEADING = {"body.cls_token": 2, "body.pos_embed": 1}
"""Dimensions of size 1 that timm has before OpenAI's."""


def visual(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The visual transformer of a CLIP's state dict under the names of ClipVisual; what else it holds is left out."""
    if "patch_embed.proj.weight" in state:
        return _from_timm(state)
    own = {k.removeprefix("visual."): v for k, v in state.items() if k.startswith("visual.")} or state
    return {ours: _shaped(ours, value) for key, value in own.items() for ours in [visual_name(key)]}


def visual_name(key: str) -> str:
    """OpenAI's name of a tensor, without "visual." -> ClipVisual's."""
    return _renamed(key, VISUAL, "body.blocks.", BLOCK)


def openai_name(key: str) -> str:
    """The other way round."""
    return _renamed(key, inverse(VISUAL), "transformer.resblocks.", inverse(BLOCK))


def _renamed(key: str, pairs: Pairs, blocks: str, block: Pairs) -> str:
    name = rename(key, pairs)
    if not name.startswith(blocks):
        return name
    number, _, rest = name.removeprefix(blocks).partition(".")
    return f"{blocks}{number}.{rename(rest, block)}"


def _shaped(ours: str, value: Tensor) -> Tensor:
    """A tensor of OpenAI's in timm's layout."""
    if ours == "proj.weight":
        return value.T
    return value[(None,) * LEADING.get(ours, 0)]


def _from_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """timm keeps the projection as a classifier, whose bias is 0."""
    others = {f"body.{k}": v for k, v in state.items() if not k.startswith("head.")}
    return others | {"proj.weight": state["head.weight"]} if "head.weight" in state else others
