"""How large each network is and what its authors' code reached, without torch: for `wsss nets` and docs/nets.md.

Sizes and arithmetic lie in figures.json, which `python -m wsss_cli.nets.sizes.measure` writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("figures.json")
OUTPUTS, SIDE = 21, 512
"""The logits and the side of the square image that the figures are of."""


@dataclass(frozen=True)
class Figure:
    """Of a network without auxiliary heads: millions of parameters; 10^9 operations, two for each multiply-add."""

    params: float
    gflops: float


@cache
def figures() -> dict[str, dict[str, Figure]]:
    """What the file holds: by backbone, then by head."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return {backbone: {head: Figure(*pair) for head, pair in heads.items()} for backbone, heads in content.items()}


VOC_SCORES: dict[str, dict[str, tuple[float, float, float, float]]] = {
    "fcn": {"resnet50c": (67.08, 69.94, 66.97, 69.04), "resnet101c": (71.16, 73.57, 69.91, 72.38)},
    "pspnet": {"resnet50c": (76.78, 77.61, 77.29, 78.48), "resnet101c": (78.47, 79.25, 78.52, 79.57)},
    "deeplabv3": {"resnet50c": (76.17, 77.42, 77.68, 78.78), "resnet101c": (78.70, 79.95, 77.92, 79.18)},
    "deeplabv3plus_mmseg": {"resnet50c": (75.93, 77.50, 76.81, 77.57), "resnet101c": (77.22, 78.59, 78.62, 79.53)},
    "psanet": {"resnet50c": (76.39, 77.34, 76.30, 77.35), "resnet101c": (77.91, 79.30, 77.73, 79.05)},
    "upernet": {"resnet50c": (74.82, 76.35, 75.92, 77.44), "resnet101c": (77.10, 78.29, 77.43, 78.56)},
    "nonlocal": {"resnet50c": (76.20, 77.12, 76.65, 77.47), "resnet101c": (78.15, 78.86, 78.27, 79.12)},
    "ccnet": {"resnet50c": (76.17, 77.51, 75.96, 77.04), "resnet101c": (77.27, 79.02, 77.87, 78.90)},
    "danet": {"resnet50c": (74.45, 75.69, 76.37, 77.29), "resnet101c": (76.02, 77.23, 76.51, 77.32)},
    "gcnet": {"resnet50c": (76.42, 77.51, 76.24, 77.63), "resnet101c": (77.41, 78.56, 77.84, 78.59)},
    "ann": {"resnet50c": (74.86, 76.13, 76.56, 77.51), "resnet101c": (77.47, 78.70, 76.70, 78.06)},
    "fcn_hr": {
        "hrnet_w18_small_v2": (65.50, 68.89, 66.61, 70.00),
        "hrnet_w18": (72.30, 74.71, 72.90, 75.59),
        "hrnet_w48": (75.87, 78.58, 76.24, 78.49),
    },
    "ocrnet": {
        "hrnet_w18_small_v2": (71.70, 73.84, 72.76, 74.60),
        "hrnet_w18": (74.75, 77.11, 74.98, 77.40),
        "hrnet_w48": (77.72, 79.87, 77.14, 79.71),
    },
}
"""mIoU on VOC 2012 val, trained on the masks of trainaug: 20,000 iterations, one scale and six scales with flips, then
the same of 40,000.  From mmseg's tables; for other heads it has none."""
