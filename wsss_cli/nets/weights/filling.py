"""Fill a network from a state dict, or say what does not fit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.checking import Loaded, compare, is_counter

log = logging.getLogger("wsss")


def load_weights(
    module: nn.Module, state: Mapping[str, Tensor], what: str, source: str, may_miss: tuple[str, ...] = ()
) -> Loaded:
    """Copy `state` into `module` and say what became of each key; `what` and `source` name the two in messages.

    Raises WsssError, and copies nothing, if a tensor of the module is missing or has another shape, unless its name
    begins with one of `may_miss`.  Unused keys are returned, not an error: the caller knows which it expects.
    """
    found = compare(module, state)
    lacking = [k for k in found.missing + found.mismatched if not k.startswith(may_miss)]
    if lacking:
        raise _did_not_load(module, state, found, lacking, what, source)
    taken = {k: v for k, v in state.items() if k in found.matched or is_counter(k)}
    module.load_state_dict(taken, strict=False)
    return found


def load_exactly(
    module: nn.Module, state: Mapping[str, Tensor], what: str, source: str, left_out: Sequence[str] = ()
) -> Loaded:
    """load_weights for a state dict that must hold the module's tensors and no others; logs how many they are.

    left_out  what the file holds and `state` does not, for the log
    Raises WsssError as load_weights does, and, naming it, for a tensor that has no place in the module.
    """
    found = compare(module, state)
    if found.unused and not found.missing + found.mismatched:
        raise WsssError(
            f"{source} does not fit {what}: '{found.unused[0]}' has no place in it",
            "pass a file of this very network, or choose the network that the file belongs to",
        )
    found, rest = load_weights(module, state, what, source), f"; not used: {len(left_out)}" if left_out else ""
    log.info("%s: all %d tensors loaded from %s%s", what, len(found.matched), source, rest)
    return found


def _did_not_load(
    module: nn.Module, state: Mapping[str, Tensor], found: Loaded, lacking: list[str], what: str, source: str
) -> WsssError:
    key, own = lacking[0], module.state_dict()
    shapes = f" has shape {tuple(state[key].shape)}, not {tuple(own[key].shape)}" if key in state else " is missing"
    total = len(found.matched) + len(found.missing) + len(found.mismatched)
    return WsssError(
        f"{source} does not fit {what}: {len(found.matched)} of {total} tensors match; '{key}'{shapes}",
        "pass a file of this very network, or choose the network that the file belongs to",
    )
