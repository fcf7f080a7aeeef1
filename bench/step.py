"""Where a training step's time goes: data, forward, backward, optimiser.

python -m bench.step
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.device import command
from bench.row import Row
from wsss_cli.batches.segmentation import Augment, SegmentationData, to_device
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.loop import Loop, Training, fit
from wsss_cli.losses.segmentation import cross_entropy
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.ranks.memory import keep_freed_memory

BATCH, CROP, STEPS, H, W = 8, 256, 6, 375, 500


def main(device: torch.device) -> list[Row]:
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        seconds = _train(Path(folder), device)
    total = sum(seconds.values())
    note = f"share of {total:.2f} s; mobilenetv2_100 DeepLabV3+, {BATCH} crops of {CROP}, one reader process"
    return [Row(f"training step, {part}, seconds", s, total, s / total, note) for part, s in seconds.items()]


def _train(folder: Path, device: torch.device) -> dict[str, float]:
    """The median seconds of each part over the steps after the first two."""
    net = build_segmenter(Net(backbone="mobilenetv2_100", pretrained="none"), 21)
    loop = Loop(epochs=STEPS, batch=BATCH, channels_last=True, log_every=1)
    training = Training(
        model=net,
        step=lambda model, batch, k: {"loss": cross_entropy(model(batch["image"]), batch["label"])},
        optimizer=torch.optim.SGD(net.parameters(), lr=0.01),
        factor=lambda k: 1.0,
        data=SegmentationData(_images(folder), lambda s: s.mask or Path(), Augment(crop=CROP)),
        prepare=to_device,
        meta={},
    )
    fit(training, loop, Runtime(device, workers=1), folder, title="bench", seed=0)
    rows = [json.loads(line)["time"] for line in (folder / "metrics.jsonl").read_text().splitlines()][2:]
    return {part: float(np.median([r[part] for r in rows])) for part in rows[0]}


def _images(folder: Path) -> list[Sample]:
    samples = []
    for i in range(BATCH):
        rng = np.random.default_rng(i)
        small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        small.resize((W, H), Image.Resampling.BICUBIC).save(folder / f"{i}.jpg")
        write_labels(folder / f"{i}.png", rng.integers(0, 21, (H, W), dtype=np.uint8))
        samples.append(Sample(str(i), folder / f"{i}.jpg", W, H, (1,), mask=folder / f"{i}.png"))
    return samples


if __name__ == "__main__":
    command(main)
