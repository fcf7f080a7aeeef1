"""The dense CRF against the compiled pydensecrf2: one image of 500 x 375, 10 iterations, CPU seconds of one thread.

With the presets of DeepLab and IRN, 21 and 81 classes, most of them absent or all alive.
python -m bench.crf [--image FILE]
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from bench.row import Row
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


def main(image: Tensor | None = None) -> list[Row]:
    """Two kinds of scores: of a network sure that most classes are absent, and with every class likely somewhere."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as every CPU run of the toolkit does; both profit
    generator = torch.Generator().manual_seed(0)
    image = textured_image(generator) if image is None else image
    kinds = (("most classes absent", -8.0), ("every class alive", 0.0))
    rows = []
    for (preset, crf), classes, (kind, absent) in itertools.product(PRESETS.items(), (21, 81), kinds):
        unary = unary_from_softmax(scores(image, absent, generator, classes))
        rows += _compare(image, unary, crf, f"{preset}, {classes} classes, {kind}")
    return rows


def _compare(image: Tensor, unary: Tensor, native: Crf, what: str) -> list[Row]:
    """Time both, in turns; ours also for a further image of a size whose Gaussian kernel is kept."""
    compiled = native.model_copy(update={"backend": "pydensecrf"})
    first, further, theirs = [], [], []
    for _ in range(ROUNDS):
        ours._gaussian.cache_clear()
        first.append(_seconds(lambda: DenseCrf(image, native).infer(unary))[0])
        seconds, found = _seconds(lambda: DenseCrf(image, native).infer(unary))
        further.append(seconds)
        seconds, expected = _seconds(lambda: dense_crf(image, unary, compiled))
        theirs.append(seconds)
    equal = (found.argmax(0) == expected.argmax(0)).float().mean()
    note = f"{what}; {equal:.4%} equal labels; least of {ROUNDS}"
    return [
        Row("dense CRF, seconds", min(further), min(theirs), min(theirs) / min(further), note),
        Row("dense CRF, first of its size", min(first), min(theirs), min(theirs) / min(first), note),
    ]


def _seconds(run: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Of this process's own time, which other processes do not stretch much; and the result."""
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", help="a photograph in place of the generated image")
    path = parser.parse_args().image
    photograph = torch.from_numpy(np.array(Image.open(path).convert("RGB"))) if path else None
    print(*main(photograph), sep="\n")
