"""What LOC-BE's settings are for a data set of one's own."""

from typing import Any

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import (
    VIT_CROPS,
    iteration_loop,
    iterations,
    needs_tags,
    transformer,
    transformer_rates,
)


def propose(fp: Fingerprint) -> Proposal:
    """One transformer in one training, images compared in pairs."""
    why = f"tags: one transformer in one training{'' if fp.gpu else ', slow on a CPU'}"
    steps, side = iterations(fp, fp.tagged), VIT_CROPS[fp.tier]
    size = 4 if fp.tagged >= 4 else 2
    train = (
        *under("net", transformer(fp)),
        Choice("augment.crop", side, fp.machine),
        Choice("windows.side", max(32, side // 5), "a fifth of the crop, two patches at least"),
        Choice("phases", phases(steps), "tags first, then boundaries, then all: a tenth and a quarter of the training"),
        *under("optimiser", transformer_rates(fp, steps)),
        *under("loop", iteration_loop(fp, steps, size)),
    )
    sizes = (Choice("seeds.resize", side, "the size of the crops"),)
    return Proposal(30 if fp.gpu else 15, why, (*under("train", train), *sizes), needs_tags(fp))


def phases(steps: int) -> list[dict[str, Any]]:
    """The weights of the published phases, after one in which the tags alone are learnt."""
    first, second = max(0, steps // 10 - 1), max(1, steps // 4 - 1)
    whole = {"boundary": 1.0, "local": 1.0, "patch_contrast": 0.3, "segmentation": 0.1, "energy": 0.05}
    return [{"until": first}, {"until": second, "boundary": 1.0, "patch_contrast": 0.3}, whole]
