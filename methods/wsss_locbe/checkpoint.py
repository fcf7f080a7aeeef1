"""Official checkpoints: LOC-BE's, and ToCo's, which hold the same network and projection heads."""

from __future__ import annotations

from pathlib import Path

from wsss_cli.single_stage.official import load_network
from wsss_locbe.nets import LocBe

UNUSED = ("encoder.head.", "attn_proj.", "proj_head.", "proj_head_t.")
"""Of ImageNet; of an output that no loss uses (LOC-BE); of ToCo's contrast of class tokens and of its teacher."""


def load_official(net: LocBe, path: Path | str, trust: bool = False) -> tuple[str, ...]:
    """Load model_iter_*.pth of LOC-BE or of ToCo; returns and raises as `load_network`."""
    return load_network(net, path, "LOC-BE", UNUSED, trust)
