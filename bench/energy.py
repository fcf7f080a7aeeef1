"""The dense energy loss, forward and backward, of 448 x 448 crops (224 x 224 after scaling) with 21 classes.

Against the exact Gaussian sum, which it stands for, and against one lattice of all images, as on a GPU.
python -m bench.energy
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.device import command, where
from bench.measure import alone, report
from bench.row import Row
from bench.toco import images
from wsss_cli.losses.dense_energy import bilateral_lattice, dense_energy_loss, filtered
from wsss_cli.ranks.memory import keep_freed_memory

SIDE, CLASSES, BATCH, ROUNDS = 448, 21, 4, 3
PART = 64  # one of so many parts of the exact sum is timed


def main(device: torch.device) -> list[Row]:
    ours, exact = (alone("bench.energy", which, device=device) for which in ("lattice", "exact"))
    exact["seconds"] *= PART
    one, every = (alone("bench.energy", which, device=device) for which in ("loop", "together"))
    loss, size = "dense energy loss", "dense energy, a batch"
    note = f"a crop of {SIDE}, {CLASSES} classes, {where(device)}; the filter alone as exact sum, 1/{PART} timed"
    batch = f"lattices and filter of {BATCH} crops one by one; one lattice of all"
    return [
        Row(f"{loss}, seconds", ours["seconds"], exact["seconds"], exact["seconds"] / ours["seconds"], note),
        Row(f"{loss}, peak MB", ours["mb"], exact["mb"], exact["mb"] / ours["mb"], "1/64 of its rows at once"),
        Row(f"{size}, seconds", one["seconds"], every["seconds"], every["seconds"] / one["seconds"], batch),
        Row(f"{size}, peak MB", one["mb"], every["mb"], every["mb"] / one["mb"], batch),
    ]  # fmt: skip


def _exact(image: Tensor, values: Tensor) -> Tensor:
    """sum_j exp(-|f_i - f_j|^2 / 2) v_j of the first rows: image (3, h, w), values (h*w, K)."""
    _, h, w = image.shape
    y, x = torch.meshgrid(*(torch.arange(n, device=image.device) for n in (h, w)), indexing="ij")
    features = torch.cat([torch.stack([x, y]) / (SIDE / 448 * 50), image / 15]).flatten(1).T  # (h*w, 5)
    rows = features[: len(features) // PART]
    squares = torch.cdist(rows, features, compute_mode="use_mm_for_euclid_dist").square_()
    return squares.mul_(-0.5).exp_() @ values


def _run(device: torch.device, which: str) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    whole = images(BATCH, SIDE, 0).to(device).permute(0, 3, 1, 2).float()  # (B, 3, H, W)
    small = whole[:, :, ::2, ::2].contiguous()
    generator = torch.Generator(device).manual_seed(0)
    if which == "lattice":
        labels = torch.randint(0, 3, (1, SIDE, SIDE), generator=generator, device=device).byte()
        logits = torch.randn(1, CLASSES, SIDE, SIDE, generator=generator, device=device).requires_grad_()
        report(lambda: dense_energy_loss(whole[:1], logits, labels).backward(), ROUNDS, device)
    elif which == "exact":
        values = torch.rand(SIDE * SIDE // 4, CLASSES, generator=generator, device=device)
        report(lambda: _exact(small[0], values), ROUNDS, device)
    else:
        parts = small.split(1 if which == "loop" else BATCH)
        maps = torch.rand(BATCH, CLASSES, SIDE // 2, SIDE // 2, generator=generator, device=device)
        report(lambda: filtered(maps, [bilateral_lattice(part, 15.0, 50.0) for part in parts]), ROUNDS, device)


if __name__ == "__main__":
    command(main, _run)
