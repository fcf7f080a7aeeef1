"""What BECO's settings are for a data set of one's own."""

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import (
    ITERATIONS,
    adamw,
    batch,
    classifier,
    crop,
    loop,
    needs_tags,
    segmentation_net,
    total,
)
from wsss_irn.choices import relations


def propose(fp: Fingerprint) -> Proposal:
    """IRN's pseudo-labels; two networks learn from them."""
    why = "tags: the first two stages are IRN's, then two networks are trained: twice as long"
    choices = (*under("seeds", classifier(fp)), *under("pseudo", relations(fp)), *under("train", networks(fp)))
    return Proposal(50 if fp.gpu else 40, why, (*choices, *_size(fp)), needs_tags(fp), full=40)


def networks(fp: Fingerprint) -> tuple[Choice, ...]:
    """Relative to the stage `train`; its batches are mixed in pairs."""
    least, most = ITERATIONS[fp.tier]
    size = batch(fp, fp.learnt, even=True)
    return (
        *under("net", segmentation_net(fp)),
        Choice("crop.size", crop(fp), fp.machine),
        Choice("mixing.warm_up", 2, "a short schedule's networks are sure of little after one epoch"),
        *under("optimiser", adamw(fp, total(fp, fp.learnt, least, most, even=True))),
        *under("loop", loop(fp, fp.learnt, least, most, even=True)),
        Choice("rated_batch", size, "AdamW's rate is meant for it"),
    )


def _size(fp: Fingerprint) -> tuple[Choice, ...]:
    side = Choice("infer.resize", crop(fp), "the size at which the crops show the images")
    return (side,) if fp.tier == "small" else ()
