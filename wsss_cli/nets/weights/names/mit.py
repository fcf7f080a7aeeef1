"""mmseg's MixVisionTransformer under the names of the released SegFormer, which are ours."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from wsss_cli.nets.weights.renaming import Pairs, rename

MMSEG_MIT_BLOCK: Pairs = (
    ("attn.attn.out_proj.", "attn.proj."),
    ("ffn.layers.0.", "mlp.fc1."),
    ("ffn.layers.1.", "mlp.dwconv.dwconv."),
    ("ffn.layers.4.", "mlp.fc2."),
)
"""Within a block: mmseg's MixVisionTransformer -> the released SegFormer, whose names are ours."""


def mmseg_to_mit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """mmseg's MixVisionTransformer under the names of the released SegFormer; any other state dict as it is."""
    if "layers.0.0.projection.weight" not in state:
        return dict(state)
    ours: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.startswith("layers."):
            ours |= _mit_tensors(key, value)
        else:
            ours[key] = value
    return ours


def _mit_tensors(key: str, value: Tensor) -> dict[str, Tensor]:
    """One tensor of mmseg's stage "layers.S": its patch embedding (part 0), blocks (1) or norm (2)."""
    _, stage, part, rest = key.split(".", 3)
    n = int(stage) + 1
    if part != "1":
        first = f"patch_embed{n}" if part == "0" else f"norm{n}"
        return {f"{first}.{rest.replace('projection.', 'proj.')}": value}
    block, _, name = rest.partition(".")
    where = f"block{n}.{block}"
    if name.startswith("attn.attn.in_proj_"):  # queries, keys and values in one
        kind, dim = name.removeprefix("attn.attn.in_proj_"), value.shape[0] // 3
        return {f"{where}.attn.q.{kind}": value[:dim], f"{where}.attn.kv.{kind}": value[dim:]}
    name = rename(name, MMSEG_MIT_BLOCK)
    linear = name in ("mlp.fc1.weight", "mlp.fc2.weight")  # a 1x1 convolution there: (out, in, 1, 1)
    return {f"{where}.{name}": value.flatten(1) if linear else value}
