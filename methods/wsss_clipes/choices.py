"""What CLIP-ES' settings are for a data set of one's own."""

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import clip_refused, segmenter
from wsss_cli.nets.clip_net import VIT_B16

RANKS = {"installed": 70, "downloaded": 70, "hub": 45}


def propose(fp: Fingerprint) -> Proposal:
    """Good where the names of the classes are everyday words and CLIP's weights are here already."""
    where = fp.weights.get(VIT_B16, "")
    told = "would be downloaded, 0.6 GB" if where == "hub" else "are here" if where else "are out of reach"
    why = f"tags, and CLIP knows classes by everyday names; its weights {told}"
    batch = Choice("seeds.batch", 4 if fp.gpu else 1, fp.machine)
    return Proposal(
        RANKS.get(where, 10),
        why,
        (batch, *under("train", segmenter(fp, fp.learnt))),
        clip_refused(fp, VIT_B16),
        full=50,
    )
