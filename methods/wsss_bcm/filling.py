"""Filling rates: how much of its box an object of each class fills."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_bcm.boxes import area, inside
from wsss_cli.data.label_format import Labels
from wsss_cli.data.prepared import Box, class_id
from wsss_cli.errors import WsssError
from wsss_cli.files import write_text
from wsss_cli.sound import read_text

OFFICIAL = (
    0.3460136720164967, 0.5389285952169538, 0.5588745925915763, 0.5450067976049356, 0.5333692537505409,
    0.5910699748072926, 0.6545625904725838, 0.6233635810717549, 0.637256951605831, 0.49807774097729646,
    0.6643279384114361, 0.5056760126964205, 0.5917462320307347, 0.6116644853677702, 0.6084525573744772,
    0.5942225745380297, 0.5924586736754247, 0.6659348466060375, 0.4216027245277032, 0.5823734251549558,
)  # fmt: skip
"""Of VOC's classes 1..20, constants of the released code, whose origin it does not say."""


@dataclass(frozen=True)
class Rates:
    """Per class 1..C, (C,) float64 each: the mean over boxes, all pixels pooled (0 without boxes), number of boxes."""

    per_box: NDArray[np.float64]
    pooled: NDArray[np.float64]
    boxes: NDArray[np.float64]


def measure(images: Iterable[tuple[Labels, Sequence[Box]]], num_classes: int) -> Rates:
    """FR_c = mean over the boxes of class c of (pixels labelled c in the box) / (pixels of the box).

    [after Song et al. 2019, sec. 3.3]  images: label maps (H, W) and their boxes; ignored pixels count as others.
    """
    shares, filled, whole, count = np.zeros((4, num_classes + 1))
    for labels, boxes in images:
        for box in boxes:
            pixels = np.count_nonzero(labels[inside(box)] == box.label)
            shares[box.label] += pixels / area(box)
            filled[box.label] += pixels
            whole[box.label] += area(box)
            count[box.label] += 1
    return Rates((shares / count.clip(1))[1:], (filled / whole.clip(1))[1:], count[1:])


def write_rates(path: Path, rates: Rates, classes: Sequence[str]) -> None:
    """JSON by class name; classes without a box are left out."""
    there = [i for i in range(len(classes)) if rates.boxes[i]]
    content = {
        "per_box": {classes[i]: float(rates.per_box[i]) for i in there},
        "pooled": {classes[i]: float(rates.pooled[i]) for i in there},
        "boxes": {classes[i]: int(rates.boxes[i]) for i in there},
    }
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_rates(path: Path, classes: Sequence[str]) -> Tensor:
    """The rates (C,) of a file of `write_rates`, or of one that holds {class: rate}; 1 for classes it does not name.

    Raises WsssError naming the file: missing, no such JSON, an unknown class, a rate outside 0..1.
    """
    try:
        content: Any = json.loads(read_text(path))
        given = content.get("per_box", content)
        found = {class_id(name, tuple(classes)): float(rate) for name, rate in given.items()}
    except WsssError as error:
        raise WsssError(f"{path}: {error.what}", error.remedy) from error
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise WsssError(f"{path} holds no filling rates: {error}", 'give JSON such as {"dog": 0.6}') from error
    wrong = next((c for c, rate in found.items() if not 0 <= rate <= 1), None)
    if wrong is not None:
        raise WsssError(f"{path}: the rate of '{classes[wrong - 1]}' is {found[wrong]}", "rates are in 0..1")
    return torch.tensor([found.get(c, 1.0) for c in range(1, len(classes) + 1)], dtype=torch.float64)


def official_rates(num_classes: int) -> Tensor:
    """The released constants (20,).  Raises WsssError for other classes than VOC's."""
    if num_classes != len(OFFICIAL):
        what = f"filling_rates=official are of VOC's 20 classes, the data set has {num_classes}"
        raise WsssError(what, "use filling_rates=measured, or a FILE")
    return torch.tensor(OFFICIAL, dtype=torch.float64)
