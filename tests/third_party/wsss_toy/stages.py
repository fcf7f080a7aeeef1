"""The stages: evidence by colour, a threshold, and a two-layer network trained on the result."""

import atexit
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from wsss_cli.data.prepared import Sample
from wsss_cli.engine.checkpoint import load
from wsss_cli.engine.loop import Training, fit
from wsss_cli.errors import WsssError
from wsss_cli.job import Job


def seeds(job: Job) -> dict[str, float]:
    folder = job.folder / "cam"
    folder.mkdir(exist_ok=True)
    samples = job.data.split("train")
    todo = job.todo(samples, lambda s: folder / f"{s.id}.npy")
    with job.track("seeds", len(todo)) as tick:
        for done, sample in enumerate(todo):
            if done == int(os.environ.get("TOY_CRASH", -1)):
                raise RuntimeError("crashed for the test")
            image = pixels(sample)
            evidence = np.stack([image[..., 0] - image[..., 2], image[..., 2] - image[..., 0]]) / 160  # (2, H, W)
            np.save(folder / f"{sample.id}.npy", evidence * job.config.gain)
            tick()
    job.barrier()
    return {"images": len(samples), "made": len(todo)}


def pseudo(job: Job) -> dict[str, float]:
    folder = job.folder / "labels"
    folder.mkdir(exist_ok=True)
    for sample in job.todo(job.data.split("train"), lambda s: folder / f"{s.id}.png"):
        evidence = np.load(job.inputs["seeds"] / "cam" / f"{sample.id}.npy")
        label = np.where(evidence.max(0) > job.config.threshold, evidence.argmax(0) + 1, 0)
        Image.fromarray(label.astype(np.uint8)).save(folder / f"{sample.id}.png")
    job.barrier()
    return {"mean": np.float32(1.5)}  # numpy's numbers are accepted


class Pictures:
    """Training samples: an image, mirrored at random, and its labels."""

    def __init__(self, samples: list[Sample], labels: Path | None) -> None:
        self.samples, self.labels = samples, labels

    def __len__(self) -> int:
        return len(self.samples)

    def item(self, index: int, rng: Any) -> dict[str, Tensor]:
        sample = self.samples[index]
        path = self.labels / f"{sample.id}.png" if self.labels else sample.mask
        image = torch.from_numpy(pixels(sample)).permute(2, 0, 1) / 255  # (3, H, W)
        label = torch.from_numpy(np.array(Image.open(path))).long()  # (H, W)
        flip = rng.random() < 0.5
        return {"image": image.flip(-1) if flip else image, "label": label.flip(-1) if flip else label}


class Network(nn.Sequential):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(width, 3, 1))


def train(job: Job) -> dict[str, float]:
    config, rank = job.config, job.runtime.rank
    if rank == config.rank_fails:
        raise WsssError("this rank alone has a problem", "do not ask for it")
    if rank == int(os.environ.get("TOY_DIES_LEAVING", -1)):
        atexit.register(os.kill, os.getpid(), signal.SIGKILL)
    net = Network(config.net.width, config.net.dropout)
    centre = nn.Linear(3, 1) if config.net.centre else None
    labels = None if config.labels == "masks" else job.inputs["pseudo"] / "labels"

    def step(model: nn.Module, batch: dict[str, Tensor], k: int) -> dict[str, Tensor]:
        time.sleep(config.pause)
        if k == int(os.environ.get("TOY_KILL", -1)) and os.environ.get("TOY_KILL_RANK", "all") in ("all", str(rank)):
            os.kill(os.getpid(), signal.SIGKILL)
        logits = model(batch["image"])  # (B, 3, H, W)
        if centre is not None:  # as a teacher or a class centre is kept
            with torch.no_grad():
                centre.weight.lerp_(logits.float().mean((0, 2, 3))[None], 0.1)
        loss = F.cross_entropy(logits, batch["label"])
        return {"colour": loss * float("nan") if k == config.poison else loss, "size": 0.01 * logits.square().mean()}

    training = Training(
        model=net,
        step=step,
        optimizer=torch.optim.SGD(net.parameters(), lr=config.lr, momentum=0.9),
        factor=lambda k: 0.99**k,
        data=Pictures(job.data.split("train"), labels),
        prepare=lambda batch, device: {name: value.to(device) for name, value in batch.items()},
        meta={"method": "toy", "classes": list(job.data.info.classes), "width": config.net.width},
        modules={} if centre is None else {"centre": centre},
    )
    return fit(training, config.loop, job.runtime, job.folder, title="train", seed=config.seed)


def predictor(path: Path, job: Job) -> nn.Module:
    content = load(path)
    net = Network(content["meta"]["width"], 0.0)
    net.load_state_dict(content["model"])
    return net


def pixels(sample: Sample) -> np.ndarray:
    """(H, W, 3) float32 in 0..255."""
    return np.array(Image.open(sample.image).convert("RGB"), dtype=np.float32)
