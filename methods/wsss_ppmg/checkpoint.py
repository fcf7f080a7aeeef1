"""Official checkpoints of PPMG's classification networks under our names."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from wsss_cli.nets.keymaps import Pairs, inverse, rename
from wsss_cli.nets.own import SEAM_HEAD
from wsss_cli.nets.weights import Loaded, load_exactly, read_weights
from wsss_cli.nets.wideresnet38 import from_main
from wsss_ppmg.coco_ids import present_rows
from wsss_ppmg.nets import SeamNet

log = logging.getLogger("wsss")

SEAM: Pairs = (*((name, name) for name in SEAM_HEAD), ("", "backbone.body."))
"""A released classification network -> a SeamNet: the head's names are the same."""


def our_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {rename(k, SEAM): v for k, v in from_main(state).items()}


def official_name(key: str) -> str:
    """The official name of one of our keys."""
    return rename(key, inverse(SEAM))


def load_official_seam(net: SeamNet, path: Path | str, trust: bool = False, raw_coco_ids: bool = False) -> Loaded:
    """Load a released classification network, such as voc12_s101_mc.pth or SEAM's resnet38_SEAM.pth.

    `raw_coco_ids`: its classifier has a row for each of COCO's 90 raw ids, of which the 80 that occur are taken.
    Raises WsssError if it is another network's, or of another number of classes.
    """
    state = our_names(read_weights(path, trust))
    if raw_coco_ids and "fc8.weight" in state:
        state["fc8.weight"] = present_rows(state["fc8.weight"], len(net.fc8.weight) - 1, str(path))
    found = load_exactly(net, state, "SEAM's network", str(path))
    log.info("SEAM's network: all %d tensors loaded from %s", len(found.matched), path)
    return found
