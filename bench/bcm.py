"""BCM: seeds by the dense CRF, a training step, and the memory of pseudo-labels of 1,000 images.  python -m bench.bcm

Memory is compared with keeping every label map and truth as int64 until the end, as the released code does.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.device import command, where
from bench.measure import CPU, alone, in_turns, peak_mb
from bench.row import Row
from wsss_bcm import METHOD
from wsss_bcm.config import Pseudo, Seeds, Train
from wsss_bcm.nets import build
from wsss_bcm.proposals import crf_labels
from wsss_bcm.pseudo import pseudo
from wsss_bcm.step import MaskedStep
from wsss_cli.data.label_format import BYTE
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample
from wsss_cli.engine import checkpoint, part, segment
from wsss_cli.job import Job
from wsss_cli.nets.config import Net
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_cli.refine.crf_config import DEEPLAB

IMAGES, SIDE, CLASSES = 1000, 64, 20
SCALES = (0.5, 0.75)
NET = Net(backbone="mobilenetv2_100", pretrained="none", head="deeplabv2", output_stride=8, aspp_rates=(2, 4, 6, 8))


def main(device: torch.device) -> list[Row]:
    torch.set_num_threads(1)
    keep_freed_memory()
    return [_seeds(device), _step(device), _memory()]


def _seeds(device: torch.device) -> Row:
    """Two boxes on a smooth picture of 375 x 500."""
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(1, 3, 12, 16, generator=generator)
    grown = torch.nn.functional.interpolate(small, (375, 500), mode="bilinear")[0].permute(1, 2, 0)
    image = (grown * 255).byte().numpy()
    boxes = [Box(3, 40, 30, 260, 330), Box(15, 220, 90, 470, 360)]

    def make(backend: Any, device: torch.device) -> Callable[[], Any]:
        config = Seeds(crf=DEEPLAB.model_copy(update={"backend": backend}))
        return lambda: crf_labels(image, boxes, config, BYTE, device)

    ours, theirs = in_turns([make("native", device), make("pydensecrf", CPU)], 3, device)
    note = f"500 x 375, {where(device)}; pydensecrf2"
    return Row("BCM seeds by CRF, images/s", 1 / ours, 1 / theirs, theirs / ours, note)


def _step(device: torch.device) -> Row:
    """Forward and backward of the masking network; the other column is the plain network, one scale, no masks."""
    net = build("bcm", NET, CLASSES + 1, SCALES).train().to(device)
    plain = build("base", NET, CLASSES + 1, ()).train().to(device)
    labels = torch.randint(0, CLASSES + 1, (2, 225, 225), dtype=torch.uint8, device=device)
    batch = {"image": torch.randn(2, 3, 225, 225, device=device), "label": labels, "box": labels}
    step = MaskedStep(Train(net=NET), None)

    def masked() -> None:
        torch.stack(list(step(net, batch, 0).values())).sum().backward()

    def plainly() -> None:
        segment._step(plain, batch, 0)["cross_entropy"].backward()

    ours, theirs = in_turns([masked, plainly], 2, device)
    return Row("BCM step, seconds", ours, theirs, theirs / ours, "2 crops of 225, MobileNetV2; plain, one scale")


def _memory() -> Row:
    """Growth of the peak of a process that does nothing else."""
    grown = alone("bench.bcm", "memory", device=CPU)
    ours, theirs = grown["ours"], grown["kept"]
    note = f"MB from 100 to {IMAGES} images of {SIDE} x {SIDE}; all maps kept as int64"
    return Row("BCM pseudo-labels, memory", ours, theirs, theirs / max(ours, 1), note)


def measure(device: torch.device, what: str) -> None:
    """Print the MB by which the peak grows after the first 100 images; and if all maps and truths are kept as well."""
    keep_freed_memory()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = _images(folder)
        _checkpoint(folder / "train", samples)
        _make(folder, samples[:100])
        peaks = [peak_mb()]
        _make(folder, samples)
        peaks.append(peak_mb())
        kept = [np.array(Image.open(p)).astype(np.int64) for p in sorted((folder / "out/labels").glob("*.png"))]
        kept += [one + 1 for one in kept]  # the truth that each is scored against
        peaks.append(peak_mb())
        print(json.dumps({"ours": peaks[1] - peaks[0], "kept": peaks[2] - peaks[0]}))


def _images(folder: Path) -> list[Sample]:
    rng = np.random.default_rng(0)
    samples = []
    for i in range(IMAGES):
        path = folder / f"{i:04d}.png"
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(path)
        boxes = (Box(1 + i % CLASSES, 8, 8, 48, 56),)
        samples.append(Sample(path.stem, path, SIDE, SIDE, (boxes[0].label,), boxes, None, ("train",)))
    return samples


def _data(folder: Path, samples: list[Sample]) -> Prepared:
    splits = {"train": "train", "val": "train", "seeds": "train"}
    info = DatasetInfo("tiny", "tiny", tuple(f"c{i}" for i in range(CLASSES)), splits, "drawn", hash="x")
    return Prepared(folder, info, tuple(samples))


def _job(folder: Path, samples: list[Sample], stage: str, config: Any) -> Job:
    inputs = {"train": folder / "train"}
    return Job(_data(folder, samples), METHOD, stage, config, folder / "out", inputs, Runtime(torch.device("cpu")))


def _checkpoint(folder: Path, samples: list[Sample]) -> None:
    job = _job(folder.parent, samples, "train", Train(net=NET))
    net = build("bcm", NET, CLASSES + 1, SCALES)
    meta = part.meta(job, NET) | {"phase": "bcm", "scales": list(SCALES)}
    checkpoint.save(folder / "checkpoint.pt", {"meta": meta, "model": net.state_dict()}, job.runtime)


def _make(folder: Path, samples: list[Sample]) -> None:
    pseudo(_job(folder, samples, "pseudo", Pseudo(confident=None)))


if __name__ == "__main__":
    command(main, measure)
