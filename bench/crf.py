"""The dense CRF against the compiled pydensecrf2: one image of 500 x 375, 10 iterations, CPU seconds of one thread.

With the presets of DeepLab and IRN, 21 and 81 classes, most of them absent or all alive.
Ours on the device.  python -m bench.crf [--device D] [FILE], a photograph in place of the generated image
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from bench.device import command, where
from bench.measure import in_turns
from bench.row import Row, table
from wsss_cli.ranks.memory import keep_freed_memory
from wsss_cli.refine import crf as ours
from wsss_cli.refine.crf import DenseCrf, dense_crf, unary_from_softmax
from wsss_cli.refine.crf_config import DEEPLAB, Crf
from wsss_irn.config import CRF as IRN

H, W, CLASSES, PRESENT = 375, 500, 21, 3
ROUNDS = 3
PRESETS = {"deeplab": DEEPLAB, "irn": IRN}
GREY = ((128, 50), (32, 30), (8, 12), (2, 5), (1, 3))  # cell in pixels, strength
COLOURED = ((128, 25), (32, 10), (8, 4), (2, 2), (1, 1))


def main(device: torch.device, image: Tensor | None = None) -> list[Row]:
    """Two kinds of scores: of a network sure that most classes are absent, and with every class likely somewhere."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as every CPU run of the toolkit does; both profit
    generator = torch.Generator().manual_seed(0)
    image = textured_image(generator) if image is None else image
    kinds = (("most classes absent", -8.0), ("every class alive", 0.0))
    rows = []
    for (preset, crf), classes, (kind, absent) in itertools.product(PRESETS.items(), (21, 81), kinds):
        unary = unary_from_softmax(scores(image, absent, generator, classes))
        rows += _compare(image, unary, crf, device, f"{preset}, {classes} classes, {kind}")
    return rows


def _compare(image: Tensor, unary: Tensor, native: Crf, device: torch.device, what: str) -> list[Row]:
    """Time both, in turns; ours also for a further image of a size whose Gaussian kernel is kept."""
    compiled = native.model_copy(update={"backend": "pydensecrf"})
    there = image.to(device), unary.to(device)

    def further() -> Tensor:
        return DenseCrf(there[0], native).infer(there[1])

    def first() -> Tensor:
        ours._gaussian.cache_clear()
        return further()

    def theirs() -> Tensor:
        return dense_crf(image, unary, compiled)

    equal = (further().argmax(0).cpu() == theirs().argmax(0)).float().mean()
    note = f"{what}; {equal:.4%} equal labels; {where(device)}; least of {ROUNDS}"
    new, known, compiled_seconds = in_turns([first, further, theirs], ROUNDS, device)
    return [
        Row("dense CRF, seconds", known, compiled_seconds, compiled_seconds / known, note),
        Row("dense CRF, first of its size", new, compiled_seconds, compiled_seconds / new, note),
    ]


def textured_image(generator: torch.Generator) -> Tensor:
    """Grey noise of every scale, some of it coloured, as photographs have it: (H, W, 3) uint8.

    Its bilateral lattice has one vertex per pixel, the median of VOC's photographs.
    """
    image = torch.full((3, H, W), 128.0)
    for channels, octaves in ((1, GREY), (3, COLOURED)):
        for cell, strength in octaves:
            image += strength * _noise(channels, cell, generator)
    return image.clamp(0, 255).byte().permute(1, 2, 0).contiguous()


def scores(image: Tensor, absent: float, generator: torch.Generator, classes: int = CLASSES) -> Tensor:
    """Softmax scores of a network at stride 16: PRESENT classes in patches, the others `absent` lower; (K, H, W)."""
    size = image.shape[:2]
    logits = 1.2 * _noise(classes, 16, generator, size) + absent
    patches = _noise(PRESENT, 96, generator, size)
    logits[:PRESENT] += 6 * (patches == patches.amax(0)) - absent
    return logits.softmax(0)


def _noise(channels: int, cell: int, generator: torch.Generator, size: tuple[int, ...] = (H, W)) -> Tensor:
    """Normal noise on a grid of `cell` pixels, bilinear between: (channels, *size)."""
    grid = torch.randn(1, channels, *(n // cell + 2 for n in size), generator=generator)
    return interpolate(grid, size=size, mode="bilinear", align_corners=True)[0]


def _photograph(path: str) -> Tensor:
    return torch.from_numpy(np.array(Image.open(path).convert("RGB")))


if __name__ == "__main__":
    command(main, lambda device, path: print(table(main(device, _photograph(path)))))
