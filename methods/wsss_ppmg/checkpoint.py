"""Official checkpoints of PPMG's classification networks under our names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from wsss_cli.nets.backbones.wideresnet38 import from_main
from wsss_cli.nets.segmenter import Segmenter
from wsss_cli.nets.weights.checking import Loaded
from wsss_cli.nets.weights.filling import load_exactly
from wsss_cli.nets.weights.pretrained import load_pretrained
from wsss_cli.nets.weights.published import SEAM_HEAD
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.nets.weights.renaming import Pairs, inverse, rename
from wsss_ppmg.coco_ids import present_rows
from wsss_ppmg.nets import SeamNet

SEAM: Pairs = (*((name, name) for name in SEAM_HEAD), ("", "backbone.body."))
"""A released classification network -> a SeamNet: the head's names are the same."""


SEGMENTER: Pairs = (
    ("backbone.", "backbone.body."),
    ("decode_head.", "head."),
    ("auxiliary_head.", "auxiliary.0."),
)
"""A released segmentation network (mmseg's names) -> a Segmenter with pspnet and its auxiliary head."""

CLASSIFIERS = ("decode_head.conv_seg.", "auxiliary_head.conv_seg.")


def our_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {rename(k, SEAM): v for k, v in from_main(state).items()}


def official_name(key: str, pairs: Pairs = SEAM) -> str:
    """The official name of one of our keys."""
    return rename(key, inverse(pairs))


def load_official_seam(net: SeamNet, path: Path | str, trust: bool = False, raw_coco_ids: bool = False) -> Loaded:
    """Load a released classification network, such as voc12_s101_mc.pth or SEAM's resnet38_SEAM.pth.

    `raw_coco_ids`: its classifier has a row for each of COCO's 90 raw ids, of which the 80 that occur are taken.
    Raises WsssError if it is another network's, or of another number of classes.
    """
    state = our_names(read_weights(path, trust))
    if raw_coco_ids and "fc8.weight" in state:
        state["fc8.weight"] = present_rows(state["fc8.weight"], len(net.fc8.weight) - 1, str(path))
    return load_exactly(net, state, "SEAM's network", str(path))


def load_start(net: SeamNet, pretrained: str, trust: bool = False) -> None:
    """Fill the backbone as `load_pretrained` does; from a file of a whole network with as many classes the head too."""
    if pretrained not in ("timm", "none"):
        head = our_names(read_weights(Path(pretrained).expanduser(), trust)).get("fc8.weight")
        if head is not None and head.shape == net.fc8.weight.shape:
            load_official_seam(net, Path(pretrained).expanduser(), trust)
            return
    load_pretrained(net.backbone, pretrained, trust)


def load_official_segmenter(
    net: Segmenter, num_classes: int, path: Path | str, trust: bool = False, raw_coco_ids: bool = False
) -> Loaded:
    """Load a released segmentation network, an mmcv checkpoint of PSPNet, into one with the same backbone.

    `raw_coco_ids`: its classifiers have a row for each of COCO's 90 raw ids, of which the 80 that occur are taken.
    Raises WsssError if it is another network's, or of another number of classes.
    """
    state = read_weights(path, trust)
    if raw_coco_ids:
        state |= {k: present_rows(v, num_classes, str(path)) for k, v in state.items() if k.startswith(CLASSIFIERS)}
    ours = {rename(k, SEGMENTER): v for k, v in state.items()}
    return load_exactly(net, ours, "the segmentation network", str(path))
