"""What WeCLIP's settings are for a data set of one's own."""

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import clip_refused, iteration_loop, iterations
from wsss_cli.nets.clip_net import VIT_B16

RANKS = {"installed": 30, "downloaded": 30, "hub": 20}


def propose(fp: Fingerprint) -> Proposal:
    """A small network on frozen CLIP: as CLIP-ES, but trained through all of CLIP."""
    where = fp.weights.get(VIT_B16, "")
    why = f"tags and everyday names; each step asks CLIP's ViT-B/16{'' if fp.gpu else ', which is slow on a CPU'}"
    steps = iterations(fp, fp.tagged)
    guided = Choice("labelling.guided_from", round(0.3 * steps), "after 30 % of the training, as on VOC")
    train = (
        guided,
        Choice("optimiser.warm_up", min(50, steps // 10), "a tenth of the training, 50 iterations at most"),
        *under("loop", iteration_loop(fp, steps, min(4, max(1, fp.tagged)))),
        *([] if fp.gpu else _kept()),
    )
    return Proposal(RANKS.get(where, 5), why, under("train", train), clip_refused(fp, VIT_B16))


def _kept() -> list[Choice]:
    return [
        Choice("augment.whole", True, "no GPU: so that CLIP looks once at each image"),
        Choice("keep_features", "float16", "no GPU: what CLIP saw is kept on disk"),
    ]
