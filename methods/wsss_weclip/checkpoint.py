"""WeCLIP's official state dicts, under our names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.names.clip import BLOCK, visual
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, rename
from wsss_weclip.nets import WeClip

VISUAL = "encoder.visual."
UNUSED = ("encoder.", "par.")
"""Of the text's transformer, whose features are kept instead, and of the refinement, which has no weights."""
LAST_IMAGE = "encoder.visual.positional_embedding_new"
"""Positions for the size of the last image that was seen; not of every file."""

FUSION: Pairs = (("proj.", "0."), ("proj_2.", "2."))
HEADS: Pairs = (("linear_fuse.", "fuse."), ("linear_pred.", "classify."))
PARTS: Pairs = (("decoder_fts_fuse.", "fusion."), ("dino_decoder_fts_fuse.", "dino_fusion."), ("decoder.", "decoder."))
LISTS = {"linears_modulelist.": ("levels.", FUSION), "transformer.resblocks.": ("blocks.", BLOCK)}


def load_official(net: WeClip, path: Path | str, trust: bool = False) -> tuple[str, ...]:
    """Load the authors' state dict into a network of the same backbone and classes; returns the names not used.

    The features of names are not in it, and stay.  Raises WsssError if the file is another, or a tensor is missing, has
    another shape or has no place in the network.
    """
    state = read_weights(path, trust)
    left = tuple(k for k in state if k == LAST_IMAGE or (k.startswith(UNUSED) and not k.startswith(VISUAL)))
    given = from_official({k: v for k, v in state.items() if k not in left})
    load_exactly(net, {"classes": net.classes, "background": net.background} | given, "WeCLIP", str(path), left)
    return left


def from_official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state dict, without what is not used, under our names."""
    clip = visual({k.removeprefix(VISUAL): v for k, v in state.items() if k.startswith(VISUAL)})
    others = {trained_name(k): v for k, v in state.items() if not k.startswith(VISUAL)}
    return {f"encoder.{k}": v for k, v in clip.items()} | others


def trained_name(key: str) -> str:
    """The released name of a tensor that is trained -> ours."""
    for theirs, ours in PARTS:
        if key.startswith(theirs):
            return ours + _in_part(key.removeprefix(theirs))
    return key


def _in_part(key: str) -> str:
    for theirs, (ours, pairs) in LISTS.items():
        if key.startswith(theirs):
            number, _, rest = key.removeprefix(theirs).partition(".")
            return f"{ours}{number}.{rename(rest, pairs)}"
    return rename(key, HEADS)
