"""PPMG: multi-crop CAMs in batches against one cell at a time; pseudo-masks by the native CRF against pydensecrf's.

One cell at a time is the released order of work: each cell and each mirror image a forward pass, the whole affinity
matrix divided, all classes enlarged and summed in float64.  python -m bench.ppmg
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from bench.crf import textured_image
from bench.device import command
from bench.measure import in_turns
from bench.row import Row
from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.store import Cam
from wsss_cli.data.prepared import Sample
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_ppmg.cams import mean_maps, unit_range
from wsss_ppmg.config import Grid, Pseudo, SeamNetwork
from wsss_ppmg.correlation import EPS, sharpened
from wsss_ppmg.grid import cells
from wsss_ppmg.labels import pseudo_label
from wsss_ppmg.nets import SeamNet, build

CLASSES, TAGS, ROUNDS = 20, (3, 15), 3


def main(device: torch.device) -> list[Row]:
    keep_freed_memory()
    return [_cams(device), _masks()]


@torch.inference_mode()
def _cams(device: torch.device) -> Row:
    """All scales on a GPU; on a CPU the three smallest, of half the size, and a small network."""
    gpu = device.type == "cuda"
    name, batch = ("scalenet101", 16) if gpu else ("mobilenetv2_100", 4)
    grid = Grid() if gpu else Grid(scales=(0.75, 1.0, 1.25), crop=224, stride=150)
    width, height = (500, 375) if gpu else (250, 188)
    net = build(SeamNetwork(backbone=name, pretrained="none"), CLASSES).eval()
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    with tempfile.TemporaryDirectory() as folder:
        sample = Sample("a", Path(folder) / "a.png", width, height, TAGS)
        Image.fromarray(textured_image(torch.Generator().manual_seed(0)).numpy()).resize((width, height)).save(
            sample.image
        )

        def ours() -> Tensor:
            return next(iter(mean_maps(net, [sample], grid, batch)))[1]

        def theirs() -> Tensor:
            return _one_by_one(net, sample, grid, device)

        assert (ours().cpu() - theirs().cpu()).abs().max() < 5e-3
        a, b = in_turns([ours, theirs], ROUNDS, device)
    n = sum(len(cells(width, height, s, grid.crop, grid.stride)) for s in grid.scales)
    note = f"{name} on {device}, {n} cells of {grid.crop} and mirror images, batch {batch}; one at a time"
    return Row("PPMG multi-crop CAMs, images/s", 1 / a, 1 / b, b / a, note)


def _one_by_one(net: SeamNet, sample: Sample, grid: Grid, device: torch.device) -> Tensor:
    image = Image.open(sample.image)
    total = np.zeros((CLASSES, sample.height, sample.width))
    count = np.zeros_like(total)
    tags = np.isin(np.arange(1, CLASSES + 1), TAGS).reshape(-1, 1, 1)
    for scale in grid.scales:
        for cell in cells(sample.width, sample.height, scale, grid.crop, grid.stride):
            square = np.asarray(image.crop(cell).resize((grid.crop, grid.crop), Image.Resampling.BILINEAR))
            x0, y0, x1, y1 = cell
            for mirror in (False, True):
                shown = np.ascontiguousarray(square[:, ::-1]) if mirror else square.copy()
                x = normalise(torch.from_numpy(shown)[None].to(device))
                maps = _plain(net, x)[:, 1:]
                at = F.interpolate(maps, (y1 - y0, x1 - x0), mode="bilinear", align_corners=False)[0].cpu().numpy()
                total[:, y0:y1, x0:x1] += np.flip(at * tags, -1) if mirror else at * tags
                count[:, y0:y1, x0:x1] += 1
    mean = total / np.maximum(count, 1)
    return unit_range(torch.from_numpy(mean[[t - 1 for t in TAGS]]).float())


def _plain(net: SeamNet, images: Tensor) -> Tensor:
    """The revised maps with the whole affinity matrix, as released: (1, K, S, S)."""
    cam, features = net.cam_and_features(images)
    f = features.flatten(2)
    f = f / (f.norm(dim=1, keepdim=True) + EPS)
    alike = F.relu(f.transpose(1, 2) @ f)
    alike = alike / (alike.sum(1, keepdim=True) + EPS)
    revised = (sharpened(cam).flatten(2) @ alike).view_as(cam)
    F.interpolate(cam, images.shape[2:], mode="bilinear", align_corners=True)  # which is made, too, and not used
    return F.interpolate(revised, images.shape[2:], mode="bilinear", align_corners=True)


def _masks() -> Row:
    """One image of 500 x 375 with three classes, one thread."""
    torch.set_num_threads(1)
    image = textured_image(torch.Generator().manual_seed(0))
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centres = ((120, 150, 60), (250, 330, 90), (200, 240, 40))
    blobs = [np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * r * r)) for a, b, r in centres]
    cams = np.stack(blobs).astype(np.float16).astype(np.float32)  # (3, H, W)
    cam = Cam(np.array([2, 7, 15]), cams[:, ::4, ::4], (height, width), high_res=cams)
    native = Pseudo()
    compiled = Pseudo(crf=native.crf.model_copy(update={"backend": "pydensecrf"}))
    labels = [pseudo_label(image.numpy(), cam, c) for c in (native, compiled)]
    a, b = in_turns([lambda c=c: pseudo_label(image.numpy(), cam, c) for c in (native, compiled)], ROUNDS)  # type: ignore[misc]
    note = f"{width}x{height}, 3 classes, 1 thread; pydensecrf2, {(labels[0] == labels[1]).mean():.4%} equal labels"
    return Row("PPMG pseudo-masks, images/s", 1 / a, 1 / b, b / a, note)


if __name__ == "__main__":
    command(main)
