"""What IRN's settings are for a data set of one's own."""

from math import log2

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import classifier, crop, loop, needs_tags, segmenter


def propose(fp: Fingerprint) -> Proposal:
    """The usual way from tags; the whole chain in an hour on a CPU."""
    why = "tags: a classifier's CAMs, spread to the edges of objects; small networks do"
    choices = (
        *under("seeds", classifier(fp)),
        *under("pseudo", relations(fp)),
        *under("train", segmenter(fp, fp.learnt)),
    )
    return Proposal(60, why, choices, needs_tags(fp), full=60)


def relations(fp: Fingerprint) -> tuple[Choice, ...]:
    """IRN and its walk, relative to the stage `pseudo`."""
    small = fp.tier == "small"
    least, most = (60, 300) if small else (200, 1000)
    begin = [Choice("training.init", "cam", "there are no pretrained weights")] if fp.begin == "none" else []
    return (
        *begin,
        *(flat_cams() if small and not begin else ()),
        Choice("training.crop", crop(fp) - 1, fp.machine),
        *under("training.loop", loop(fp, fp.tagged, least, most, passes=3)),
        walk(fp, weak=small and bool(begin)),
        Choice("walk.pad", None, "no padding: photos have sizes of their own"),
        Choice("batch", 1 if small else 4, fp.machine),
        Choice("instances.enabled", False, "masks of classes were asked for, not of objects"),
    )


def flat_cams() -> tuple[Choice, ...]:
    """Thresholds and training as held-out images of VOC wanted them with this network: recipe `mobile`."""
    flat, short = "CAMs of small networks are flatter than a ResNet-50's", "SGD's rate is meant for more iterations"
    return (
        Choice("ir_label.foreground", 0.55, flat),
        Choice("ir_label.background", 0.25, flat),
        Choice("walk.background", 0.48, flat),
        Choice("training.optimiser.name", "adamw", short),
        Choice("training.optimiser.lr", 0.001, short),
        Choice("training.optimiser.head_factor", 1.0, short),
    )


def walk(fp: Fingerprint, weak: bool) -> Choice:
    """As many steps as the edges stop; weak: they are learnt in minutes from random features."""
    if weak:
        why = f"16 steps for 500 pixels, not 256: its edges, learnt in minutes, are weak; these have {fp.longest}"
        return Choice("walk.exp_times", doublings(fp.longest, 4), why)
    return Choice("walk.exp_times", doublings(fp.longest, 8), f"its reach, for {fp.longest} pixels, is as on VOC")


def doublings(longest: int, usual: int) -> int:
    """Of the walk's steps, of which 2^usual are meant for VOC's 500 pixels: its reach grows with their root."""
    return min(usual, max(3, round(usual + 2 * log2(longest / 500))))
