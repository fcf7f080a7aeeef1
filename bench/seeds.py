"""Multi-scale CAMs: images of equal shape in one batch, present classes only, against one image at a time.

python -m bench.seeds
"""

from __future__ import annotations

import numpy as np
import torch

from bench.device import command
from bench.measure import in_turns
from bench.row import Row
from wsss_cli.cam.multi_scale import multi_scale_cams, scaled
from wsss_cli.classifier.network import Classifier
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_cli.ranks.memory import keep_freed_memory

H, W, IMAGES, CLASSES, ROUNDS = 281, 375, 4, 20, 3


def main(device: torch.device) -> list[Row]:
    keep_freed_memory()
    name = "resnet50" if device.type == "cuda" else "mobilenetv2_100"
    net = Classifier(Backbone(name, dilate=False), CLASSES).eval().to(device, memory_format=torch.channels_last)
    pyramids = [scaled(np.random.default_rng(i).integers(0, 256, (H, W, 3), dtype=np.uint8)) for i in range(IMAGES)]
    tags = [(1 + i, 7 + i) for i in range(IMAGES)]

    def together() -> list[np.ndarray]:
        return [cam.cam for cam in multi_scale_cams(net.cams, pyramids, tags, (H, W), device)]

    def alone() -> list[np.ndarray]:
        return [multi_scale_cams(net.cams, [p], [t], (H, W), device)[0].cam for p, t in zip(pyramids, tags)]

    for one, many in zip(alone(), together()):
        np.testing.assert_allclose(one, many, atol=1e-3)
    a, b = in_turns([together, alone], ROUNDS, device)
    note = f"{name} on {device}, {H} x {W}, 4 scales and mirror images, batch {IMAGES}; one at a time"
    return [Row("CAMs, images/s", IMAGES / a, IMAGES / b, b / a, note)]


if __name__ == "__main__":
    command(main)
