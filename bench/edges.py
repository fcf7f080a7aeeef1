"""What the random walk gives and could give: a run's CAMs between the edges that IRN learnt, and between the masks'.

python -m bench.edges DATA RUN_FOLDER...   (e.g. voc_mini runs/voc_mini/irn/seed0, after `wsss pseudo irn`)

The latter is a bound: where it is far above the former, the edges are what costs; where it is low, the CAMs are.
Every row at its own best background score, on the images of the data set's split "seeds" that have masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from bench.cams import cam_of, table, totals
from bench.of_run import command
from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.store import Cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import format_of
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.engine import checkpoint
from wsss_cli.runs import known_record
from wsss_irn.labels import walked_scores
from wsss_irn.nets import IrnNet, edge_displacement
from wsss_irn.relations import calibrated_path, stored
from wsss_irn.walk import random_walk

DOUBLINGS = (4, 6, 8)  # 16, 64 and 256 steps; the last is the released walk


def main(data: Prepared, run: Path) -> str:
    """The table, in Markdown."""
    net, pad = trained(run / "pseudo")
    return table(data, totals(data, lambda sample, truth: cams(sample, truth, run, net, pad)))


def trained(pseudo: Path) -> tuple[IrnNet, int | None]:
    """The network of a finished stage `pseudo`, and how its images are padded."""
    content = checkpoint.load(calibrated_path(pseudo))
    net = stored(content["meta"])
    net.load_state_dict(content["model"])
    return net.eval(), known_record(pseudo)["config"]["walk"]["pad"]


@torch.inference_mode()
def cams(sample: Sample, truth: Tensor, run: Path, net: IrnNet, pad: int | None) -> dict[str, Cam]:
    """One image's CAMs as they are and after every walk; without maps where it has no tags."""
    walks = {(which, k): f"walk between {which} edges, {2**k} steps" for which in ("learnt", "true") for k in DOUBLINGS}
    cam = cam_of(sample, truth, run)
    if not len(cam.class_ids):
        return dict.fromkeys(("CAM", *walks.values()), cam)
    x = normalise(torch.from_numpy(read_image(sample.image))[None])
    maps = torch.from_numpy(cam.cam)  # (n, h, w)
    edges = {"learnt": edge_displacement(net, x, x.flip(-1), pad)[0][0, 0], "true": edges_of(truth, maps.shape[1:])}

    def walked(which: str, k: int) -> Cam:
        scores = walked_scores(random_walk(maps, edges[which], exp_times=k), cam.size)[1:]
        return replace(cam, high_res=scores.numpy())

    return {"CAM": cam} | {name: walked(*walk) for walk, name in walks.items()}


def edges_of(truth: Tensor, cells: Sequence[int]) -> Tensor:
    """1 where a cell is ignored or its right or lower neighbour is of another class: (H, W) -> (h, w) of stride 4."""
    y, x = ((4 * torch.arange(n) + 2).clamp(max=side - 1) for n, side in zip(cells, truth.shape))
    cell = truth[y][:, x]  # (h, w)
    edge = cell == format_of(cell).ignore  # VOC leaves a rim between objects unlabelled
    edge[:-1] |= cell[:-1] != cell[1:]
    edge[:, :-1] |= cell[:, :-1] != cell[:, 1:]
    return edge.float()


if __name__ == "__main__":
    command(main)
