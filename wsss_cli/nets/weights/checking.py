"""What a state dict and a network have in common, with every key counted; what may be missing or left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import timm
from torch import Size, Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.fetching import whole_args
from wsss_cli.nets.weights.published import PUBLISHED

if TYPE_CHECKING:
    from wsss_cli.nets.segmenter import Segmenter


@dataclass(frozen=True)
class Loaded:
    """What became of each key: of the module's (matched, missing, mismatched) and of the file's (unused)."""

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    mismatched: tuple[str, ...]
    unused: tuple[str, ...]


def compare(module: nn.Module, state: Mapping[str, Tensor]) -> Loaded:
    """Match the names and shapes of a state dict with the module's.  Batch counters (no weights) are left out."""
    own = {k: v for k, v in module.state_dict().items() if not is_counter(k)}
    there = [k for k in own if k in state]
    return Loaded(
        matched=tuple(k for k in there if own[k].shape == state[k].shape),
        missing=tuple(k for k in own if k not in state),
        mismatched=tuple(k for k in there if own[k].shape != state[k].shape),
        unused=tuple(k for k in state if k not in own and not is_counter(k)),
    )


def is_counter(key: str) -> bool:
    """Whether the key is batch norm's count of steps, which old files lack and nothing uses."""
    return key.endswith("num_batches_tracked")


def require_no_deeper(name: str, body: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """A deeper network of the same family holds every tensor of a shallower one: refuse what it has more."""
    own = body.state_dict()
    whole = tuple(f"{child}." for child, _ in body.named_children() if child != "body")
    more = [k for k in state if k.startswith(whole) and k not in own and not is_counter(k)]
    if more:
        raise WsssError(
            f"{source} is of another network than '{name}': '{more[0]}' has no place in it",
            "pass a file of this very network, or choose the network that the file belongs to",
        )


def require_only_classifier(name: str, args: Mapping[str, Any], unused: Iterable[str], source: str) -> None:
    """What the file has more than the backbone must be of the same network's classifier."""
    if name in PUBLISHED:
        classifier = PUBLISHED[name].classifier
    else:
        named = timm.get_pretrained_cfg(name).classifier or ()
        classifier = tuple(f"{n}." for n in ([named] if isinstance(named, str) else named))
    more = [k for k in unused if not k.startswith(classifier)]
    if more and name not in PUBLISHED:  # a classifier may have layers before the last one: ask the whole network
        whole = timm.create_model(name, **whole_args(args)).state_dict()
        more = [k for k in more if k not in whole]
    if more:
        raise WsssError(
            f"{source} holds '{more[0]}', which neither backbone '{name}' nor its classifier has",
            "pass a file of this very network",
        )


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


def auxiliary_of_one(net: Segmenter, state: Mapping[str, Tensor]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prefix of the auxiliary heads that only the file has, and of those that only the network has."""
    prefix, in_file = "auxiliary.", any(key.startswith("auxiliary.") for key in state)
    return (
        (prefix,) if in_file and not len(net.auxiliary) else (),
        (prefix,) if len(net.auxiliary) and not in_file else (),
    )
