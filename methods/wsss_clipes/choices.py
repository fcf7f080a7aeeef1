"""What CLIP-ES' settings are for a data set of one's own."""

from wsss_cli.choices.choice import Choice, Proposal, under
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.choices.training import segmenter
from wsss_cli.nets.clip_net import VIT_B16

RANKS = {"downloaded": 70, "hub": 45}


def propose(fp: Fingerprint) -> Proposal:
    """Good where the names of the classes are everyday words and CLIP's weights are here already."""
    where = fp.weights.get(VIT_B16, "")
    told = {"downloaded": "are here", "hub": "would be downloaded, 0.6 GB"}.get(where, "are out of reach")
    why = f"tags, and CLIP knows classes by everyday names; its weights {told}"
    refused = "" if fp.tagged > 1 else f"{fp.tagged} of the {fp.images} images to learn from have tags"
    batch = Choice("seeds.batch", 4 if fp.gpu else 1, fp.machine)
    return Proposal(RANKS.get(where, 10), why, (batch, *under("train", segmenter(fp, fp.learnt))), refused, full=50)
