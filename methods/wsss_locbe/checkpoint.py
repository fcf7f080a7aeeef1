"""Official checkpoints: LOC-BE's, and ToCo's, which hold the same network and projection heads."""

from __future__ import annotations

import logging
from pathlib import Path

from wsss_cli.nets.keymaps import Pairs, rename
from wsss_cli.nets.weights import load_exactly, read_weights
from wsss_locbe.nets import LocBe

log = logging.getLogger("wsss")

UNUSED = ("encoder.head.", "attn_proj.", "proj_head.", "proj_head_t.")
"""Of ImageNet; of an output that no loss uses (LOC-BE); of ToCo's contrast of class tokens and of its teacher."""

NAMES: Pairs = (("encoder.", "encoder.body."),)


def load_official(net: LocBe, path: Path | str, trust: bool = False) -> tuple[str, ...]:
    """Load model_iter_*.pth of LOC-BE or of ToCo; returns the names of its tensors that have no use here.

    Read without running code; `trust` (--trust-checkpoint) also reads a pickle that runs some.  Logs the counts.
    Raises WsssError if the file is another, or a tensor is missing, has another shape or has no place in the network.
    """
    state = read_weights(path, trust)  # without "module."
    unused = tuple(key for key in state if key.startswith(UNUSED))
    ours = {rename(key, NAMES): value for key, value in state.items() if key not in unused}
    total = len(load_exactly(net, ours, "LOC-BE", str(path)).matched)
    log.info("LOC-BE: %d of %d tensors loaded from %s (not used: %s)", total, total, path, ", ".join(unused) or "none")
    return unused
