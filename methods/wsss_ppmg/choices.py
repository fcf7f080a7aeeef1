"""What PPMG's settings are for a data set of one's own."""

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import (
    CLASSIFIERS,
    adamw,
    crop,
    dilated,
    first_layers,
    frozen_norms,
    loop,
    needs_tags,
    network,
    segmenter,
    total,
)


def propose(fp: Fingerprint) -> Proposal:
    """Three classifications and two segmentation trainings: the longest way."""
    why = "tags: cells of the images at many scales, and a second round of training: the longest way"
    small = fp.tier == "small"
    choices = (
        *under("seeds", seeds(fp)),
        *([Choice("pseudo.alpha", 3, "CAMs of small networks are flatter")] if small else []),
        *under("train", train(fp)),
        *under("infer", prediction(fp)),
    )
    return Proposal(25 if fp.gpu else 12, why, choices, needs_tags(fp), full=30)


def seeds(fp: Fingerprint) -> tuple[Choice, ...]:
    """Relative to the stage: the network of rough masks, the cells, the network of the CAMs."""
    side, small = crop(fp), fp.tier == "small"
    grid = [
        Choice("grid.scales", [0.75, 1.25], f"{fp.machine}: each scale is learnt from and looked at"),
        Choice("grid.crop", side, fp.machine),
        Choice("grid.stride", side * 2 // 3, "two thirds of a cell, as released"),
        Choice("rough.scales", [0.75, 1.0], fp.machine),
        Choice("rough.batch", 1, "on a CPU larger batches only leave the cache"),
        Choice("batch", 4, fp.machine),
    ]
    return (*_correlated(fp), *under("rough", _correlated(fp)), *(grid if small else []))


def _correlated(fp: Fingerprint) -> tuple[Choice, ...]:
    """A classification network with SEAM's correlation of pixels, and its training."""
    side = crop(fp)
    least, most = (100, 600) if fp.tier == "small" else (300, 4000)
    steps = total(fp, fp.tagged, least, most, passes=5)
    return (
        *under("net", (*network(fp, CLASSIFIERS), frozen_norms(fp), *dilated(fp))),
        Choice("net.output_stride", 16, "maps of 17 x 17 cells: a quarter of the time of stride 8"),
        Choice("net.dropout", 0.0, "few iterations"),
        *under("net", first_layers(fp)),
        Choice("training.resize_long", [side, 2 * side], "once to twice the crop"),
        Choice("training.crop", side, fp.machine),
        Choice("training.small", 0.5, "of a crop this small 0.3 shows too little to tell the class by"),
        *under("training.optimiser", adamw(fp, steps)),
        *under("training.loop", loop(fp, fp.tagged, least, most, passes=5)),
    )


def train(fp: Fingerprint) -> tuple[Choice, ...]:
    """Relative to the stage."""
    side = crop(fp)
    own = [c for c in segmenter(fp, fp.learnt) if c.key not in ("net.aspp_rates",)]
    return (
        *own,
        Choice("net.output_stride", 16, "a quarter of the time of stride 8"),
        Choice("augment.short_side", side, "the scale counts from the crop"),
        Choice("loop.sync_bn", False, "batch norms keep their statistics"),
        *under("cyclic.infer", prediction(fp)),
    )


def prediction(fp: Fingerprint) -> tuple[Choice, ...]:
    """Relative to settings of stage `infer`."""
    side, small = crop(fp), fp.tier == "small"
    return (
        Choice("scales", [1.0] if small else [0.75, 1.0, 1.25], fp.machine),
        Choice("short_side", side, "the size at which the crops show the images"),
        Choice("window", None, "photos of this size fit at once"),
    )
