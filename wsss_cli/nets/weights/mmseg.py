"""Published checkpoints of mmseg: backbone, head and auxiliary heads, loaded with every key accounted for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Size, Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.beyond_timm import OWN
from wsss_cli.nets.weights.filling import Loaded, compare, is_counter, load_weights
from wsss_cli.nets.weights.renaming import Pairs, rename

if TYPE_CHECKING:
    from wsss_cli.nets.segmenter import Segmenter

log = logging.getLogger("wsss")

DEEP_STEM: Pairs = (
    ("stem.0.", "conv1.0."),
    ("stem.1.", "conv1.1."),
    ("stem.3.", "conv1.3."),
    ("stem.4.", "conv1.4."),
    ("stem.6.", "conv1.6."),
    ("stem.7.", "bn1."),
)
"""mmseg's ResNetV1c, ResNetV1d and ResNeSt -> timm's resnet*c, resnet*d and resnest*."""

WHOLE: Pairs = (
    ("neck.", "head.neck."),
    ("decode_head.0.", "head.coarse."),  # of two heads in a row the first predicts coarsely
    ("decode_head.1.", "head."),
    ("decode_head.", "head."),
    *((f"auxiliary_head.{i}.", f"auxiliary.{i}.") for i in range(4)),
    ("auxiliary_head.", "auxiliary.0."),
)
"""A whole network of mmseg, but its backbone, -> a Segmenter."""


def is_mmseg(state: Mapping[str, Tensor]) -> bool:
    """Whether it is a whole network of mmseg."""
    return any(key.startswith("decode_head.") for key in state)


def load_mmseg(net: Segmenter, state: Mapping[str, Tensor], source: str) -> Loaded:
    """Fill the whole network.  What depends on the number of classes stays as it is where the file has another.

    Auxiliary heads that only one of the two has are left out.  Returns what became of each key, and logs it.  Raises
    WsssError naming the tensor that is missing, has another shape or has no place.
    """
    ours = whole_names(net, state)
    what = f"backbone '{net.backbone.name}' with head {type(net.head).__name__}"
    theirs_alone, ours_alone = _auxiliary_of_one(net, ours)
    anew = of_other_classes(net, ours)
    kept = {key: value for key, value in ours.items() if key not in anew and not key.startswith(theirs_alone)}
    strange = compare(net, kept).unused
    if strange:
        remedy = "choose net.backbone and net.head as the file has them"
        raise WsssError(f"{source} does not fit {what}: '{strange[0]}' has no place in it", remedy)
    found = load_weights(net, kept, what, source, may_miss=(*sorted(anew), *ours_alone))
    log.info("%s: %d tensors loaded from %s", what, len(found.matched), source)
    if anew:
        log.warning("%s has another number of classes: %s start anew", source, ", ".join(sorted(anew)))
    if theirs_alone or ours_alone:
        log.info("%s: auxiliary heads %s", source, "stay unused" if theirs_alone else "start anew, it has none")
    return found


def _auxiliary_of_one(net: Segmenter, state: Mapping[str, Tensor]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prefix of the auxiliary heads that only the file has, and of those that only the network has."""
    prefix, in_file = "auxiliary.", any(key.startswith("auxiliary.") for key in state)
    return (
        (prefix,) if in_file and not len(net.auxiliary) else (),
        (prefix,) if len(net.auxiliary) and not in_file else (),
    )


def whole_names(net: Segmenter, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A whole network of mmseg under the names of a Segmenter."""
    body = {key.removeprefix("backbone."): value for key, value in state.items() if key.startswith("backbone.")}
    body = backbone_names(net.backbone.name, net.backbone.body, body)
    rest = {rename(key, WHOLE): value for key, value in state.items() if not key.startswith("backbone.")}
    return {f"backbone.body.{key}": value for key, value in body.items()} | rest


def backbone_names(name: str, body: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A backbone of mmseg under our names of it; what already has them stays."""
    if name in OWN:
        return OWN[name].ours(state)
    if "layer1.0.conv.0.conv.weight" in state:
        return {_mobilenet_name(key): value for key, value in state.items()}
    if "stem.7.weight" in state:
        state = {rename(key, DEEP_STEM): value for key, value in state.items()}
    own = body.state_dict()
    return {_shortcut_name(key, own, state): value for key, value in state.items()}


def _shortcut_name(key: str, own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """Where mmseg has no pooling in a shortcut timm keeps an Identity, so the convolution is one further."""
    before, found, after = key.partition(".downsample.")
    shifted = f"{before}.downsample.0.weight" in state and f"{before}.downsample.2.weight" in own
    if not (found and shifted):
        return key
    number, _, tensor = after.partition(".")
    return f"{before}.downsample.{int(number) + 1}.{tensor}"


def _mobilenet_name(key: str) -> str:
    """mmseg's MobileNetV2 -> timm's: layer1.0.conv.1.bn.weight -> blocks.0.0.bn2.weight."""
    if key.startswith("conv1."):
        return key.replace("conv1.conv.", "conv_stem.").replace("conv1.bn.", "bn1.")
    layer, block, _, number, kind, tensor = key.split(".")
    stage, n = int(layer.removeprefix("layer")) - 1, int(number)
    convs = ("conv_dw", "conv_pw") if stage == 0 else ("conv_pw", "conv_dw", "conv_pwl")
    return f"blocks.{stage}.{block}.{convs[n] if kind == 'conv' else f'bn{n + 1}'}.{tensor}"


def of_other_classes(net: nn.Module, state: Mapping[str, Tensor]) -> set[str]:
    """The tensors whose shapes differ by nothing but the number of classes."""
    own = {key: value.shape for key, value in net.state_dict().items() if not is_counter(key)}
    last = next((k for k in ("head.conv_seg.weight", "head.fc_seg.weight") if k in own and k in state), None)
    if last is None or not (more := len(state[last]) - own[last][0]):
        return set()
    return {key for key, shape in own.items() if key in state and _differ_by(state[key].shape, shape, more)}


def _differ_by(theirs: Size, ours: Size, more: int) -> bool:
    """Whether some sides are longer by `more`, the others the same."""
    return len(theirs) == len(ours) and {a - b for a, b in zip(theirs, ours)} in ({more}, {0, more})
