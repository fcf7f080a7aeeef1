"""What BCM's settings are for a data set of one's own."""

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import ITERATIONS, adamw, crop, loop, segmentation_net, total

SHARES = {"base": 2, "bcm": 1, "fr": 1}
"""Of the iterations; as released."""


def propose(fp: Fingerprint) -> Proposal:
    """The only method that learns from boxes."""
    refused = (
        "" if fp.boxed > 1 else f"{fp.boxed} of the {fp.images} images have boxes to learn from; two are the least"
    )
    why = f"boxes on {fp.boxed} of {fp.images} images: they say more than tags"
    phases = [choice for name, share in SHARES.items() for choice in under(f"train.{name}", _phase(fp, share))]
    scales = Choice("train.crop.scales", [0.5, 0.75, 1.0], "photos are larger than the crops")
    net = (
        Choice("train.net.head", "deeplabv3plus", "DeepLabV2's sum of convolutions diverges on small networks"),
        Choice("train.net.output_stride", 16, "as the head was published"),
        *under("train.net", segmentation_net(fp)),
    )
    size = Choice("train.crop.size", crop(fp), fp.machine)
    return Proposal(80, why, (*net, size, scales, *phases), refused, full=None)


def _phase(fp: Fingerprint, share: int) -> tuple[Choice, ...]:
    least, most = (share * bound // 4 for bound in ITERATIONS[fp.tier])
    passes = 8 * share
    steps = total(fp, fp.boxed, least, most, passes)
    rates = [c for c in adamw(fp, steps) if c.key != "head_factor"]
    return (
        *under("rates", rates),
        *under("loop", (*loop(fp, fp.boxed, least, most, passes), Choice("accumulate", 1, "the batch fits at once"))),
    )
