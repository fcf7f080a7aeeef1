"""What PUF's settings are for a data set of one's own."""

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
    """One transformer and its running mean in one training."""
    why = f"tags: one transformer and its running mean in one training{'' if fp.gpu else ', slow on a CPU'}"
    steps, side = iterations(fp, fp.tagged), VIT_CROPS[fp.tier]
    small = fp.tier == "small"
    train = (
        *under("net", transformer(fp)),
        Choice("net.input_size", side, "the size of the crops"),
        Choice("views.size", side, fp.machine),
        Choice("masking.block", 32 if small else 64, "seven blocks a side, or five"),
        *([Choice("distillation.momentum", 0.99, "a short training: the mean must follow sooner")] if small else []),
        Choice("losses.segmentation_from", steps // 4, "after a quarter of the training"),
        Choice("losses.contrast_from", steps // 10, "after a tenth of the training"),
        *under("optimiser", transformer_rates(fp, steps)),
        *under("loop", iteration_loop(fp, steps, min(4, max(1, fp.tagged)))),
    )
    sizes = (Choice("seeds.resize", side, "the size of the crops"),)
    return Proposal(30 if fp.gpu else 15, why, (*under("train", train), *sizes), needs_tags(fp))
