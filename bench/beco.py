"""BECO's mixing and strong augmentation: batched on the device, against one sample after the other on the CPU.

The latter in the released code's order of work: blend, back to bytes, colours, grey, blur, normalise; with PIL's C code
in OpenCV's place.  python -m bench.beco
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from torch import Tensor

from bench.device import command
from bench.measure import in_turns, seconds
from bench.row import Row
from wsss_beco.augment import Jitter, draw_jitter, strong_augment
from wsss_beco.config import Strong, Train
from wsss_beco.mixing import mix_online
from wsss_beco.nets import TwoNetworks
from wsss_beco.step import CoTraining
from wsss_cli.batches.transforms import MEAN, STD, normalise
from wsss_cli.nets.config import Net
from wsss_cli.ranks.memory import keep_freed_memory

BATCH, SIDE, CLASSES, ROUNDS = 16, 512, 21, 5


def main(device: torch.device) -> list[Row]:
    torch.set_num_threads(1)
    keep_freed_memory()
    batch, jitters = _batch()
    together = [x if x.dtype == torch.bool and x.dim() == 1 else x.to(device) for x in batch]  # `mixed` stays
    jitter = Jitter(*(torch.tensor(values) for values in zip(*jitters)))

    def ours() -> Tensor:
        return strong_augment(mix_online(*together).images, jitter)

    def theirs() -> Tensor:
        return torch.stack(_one_by_one(*batch, jitters)).to(device)

    assert (ours() - theirs()).abs().mean() < 0.1  # PIL rounds otherwise
    a, b = in_turns([ours, theirs], ROUNDS, device)
    note = f"{BATCH} crops of {SIDE}, {CLASSES} classes, on {device}, 1 thread; CPU and PIL, one by one"
    return [Row("BECO mix and augment, seconds", a, b, b / a, note), _share(a, device)]


def _share(alone: float, device: torch.device) -> Row:
    """A whole training step of the smallest network of the recipes, which has the least to hide it behind."""
    side, size = (SIDE, BATCH) if device.type == "cuda" else (128, 4)
    config = Train(net=Net(backbone="mobilenetv2_100", pretrained="none"))
    net = TwoNetworks(config.net, CLASSES).to(device)
    moves, stays = step_batch(size, side)
    content = {name: x.to(device) for name, x in moves.items()} | stays
    step = CoTraining(net, config, warm_up=0)

    def whole() -> Tensor:
        loss = torch.stack(list(step(net, content, 1).values())).sum()
        loss.backward()
        return loss

    least, per_pixel = seconds(whole, ROUNDS, device), alone / (BATCH * SIDE**2)
    own = per_pixel * size * side**2
    return Row("BECO mix and augment, of a step", own, least, least / own, f"of {size} crops of {side}, MobileNetV2")


def step_batch(size: int, side: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A batch of the training step: what goes to the device, and what stays on the CPU."""
    batch, jitters = _batch(size, side)
    moves = dict(zip(("image", "label", "mask", "priority"), (*batch[:3], batch[6])))
    return moves, {"mixed": batch[5], "jitter": Jitter(*(torch.tensor(values) for values in zip(*jitters)))}


def _batch(size: int = BATCH, side: int = SIDE) -> tuple[list[Tensor], list[Jitter]]:
    """The arguments of mix_online: photographs' smoothness and VOC's few classes an image; and the colour draws."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(size, 3, side // 16, side // 16, generator=generator)
    images = F.interpolate(noise, size=(side, side), mode="bilinear").mul(255).byte().permute(0, 2, 3, 1)
    ids = torch.randint(0, CLASSES, (size, 1, 2, 2), generator=generator).float()
    labels = F.interpolate(ids, size=(side, side)).byte()[:, 0]
    masks = torch.rand(2, size, side, side, generator=generator) < 0.5
    mixed, priority = torch.arange(size) % 2 == 0, torch.rand(size, CLASSES, generator=generator)
    jitters = [draw_jitter(generator, Strong()) for _ in range(size)]
    return [normalise(images), labels, masks[0], labels.roll(1, 1), masks[1], mixed, priority], jitters


def _one_by_one(
    images: Tensor,
    labels: Tensor,
    masks: Tensor,
    own: Tensor,
    sure: Tensor,
    mixed: Tensor,
    priority: Tensor,
    jitters: list[Jitter],
) -> list[Tensor]:
    done = []
    for i in range(BATCH):
        j, image = i ^ 1, images[i]
        if mixed[i]:
            donor = torch.where(sure[j], own[j], 255)
            ids = [c for c in torch.unique(donor).tolist() if c not in (0, 255)]
            ids.sort(key=lambda c: -priority[i, c])
            alpha = torch.zeros_like(donor)
            for c in ids[: (len(ids) + 1) // 2]:
                alpha[donor == c] = 1
            image = images[i] * (1 - alpha) + images[j] * alpha
            _ = own[i] * (1 - alpha) + own[j] * alpha, sure[i] * (1 - alpha) + sure[j] * alpha
            wide = F.max_pool2d(torch.stack([alpha, 1 - alpha]).float(), 3, 1, 1)
            _ = wide[0] - (1 - wide[1])
        done.append(_colours(image, jitters[i]))
    return done


def _colours(image: Tensor, jitter: Jitter) -> Tensor:
    """Normalised (3, H, W) -> the same, by way of PIL."""
    mean, std = (np.array(v, np.float32) for v in (MEAN, STD))
    array = ((image.permute(1, 2, 0).numpy() * std + mean) * 255).astype(np.uint8)  # (H, W, 3)
    picture = Image.fromarray(array)
    if jitter.colour:
        light = [int(min(max(v * jitter.contrast + jitter.brightness * 255, 0), 255)) for v in range(256)]
        bands = picture.point(light * 3).convert("HSV").split()
        tables = [[int(v - jitter.hue * 256 / 180) % 256 for v in range(256)]]
        tables += [[int(min(max(v + d, 0), 255)) for v in range(256)] for d in (jitter.saturation, jitter.value)]
        picture = Image.merge("HSV", [band.point(t) for band, t in zip(bands, tables)]).convert("RGB")
    if jitter.grey:
        picture = picture.convert("L", (0.114, 0.587, 0.299, 0)).convert("RGB")
    if jitter.blur:
        weights = np.array({3: (1, 2, 1), 5: (1, 4, 6, 4, 1)}[jitter.blur])
        picture = picture.filter(ImageFilter.Kernel((jitter.blur,) * 2, np.outer(weights, weights).ravel().tolist()))
    return torch.from_numpy((np.asarray(picture, np.float32) / 255 - mean) / std).permute(2, 0, 1).contiguous()


if __name__ == "__main__":
    command(main)
