"""A trained network as one ONNX file, and how near what it computes is to the network."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.batches.transforms import MEAN, STD
from wsss_cli.engine.infer import Infer
from wsss_cli.errors import WsssError, in_one_line
from wsss_cli.files import writing

OPSET = 18
NAMES = ("images", "scores")
SIZES = ((1, 96, 128), (1, 375, 500), (2, 333, 251), (1, 640, 480))
"""Batches and sizes at which the file is compared with the network; it is traced at the first, twice that batch."""
NEAR = 1e-3
"""Largest difference of scores in 0..1 that rounding explains; wrong shapes and constants are off by far more."""
PACKAGES = ("onnx", "onnxruntime", "onnxscript")
ANOTHER = "choose another head or backbone, or --format safetensors"
EXTRA = "pip install 'wsss[onnx]'"


class Whole(nn.Module):
    """From pixels to scores: images (B, 3, H, W), RGB in 0..255, to softmax scores (B, K, H, W), background first.

    As `predict` with one scale, without mirror images.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", 255 * torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", 255 * torch.tensor(STD)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        logits = self.net((images - self.mean) / self.std)
        return F.interpolate(logits.float(), images.shape[2:], mode="bilinear", align_corners=False).softmax(1)


@dataclass(frozen=True)
class Agreement:
    """Of a batch and a size: the largest difference of scores, and the share of pixels with another class."""

    shape: tuple[int, int, int]
    scores: float
    labels: float


def require_packages() -> None:
    """Raises WsssError if onnx, onnxruntime or onnxscript are not installed."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise WsssError(f"--format onnx needs {', '.join(missing)}", EXTRA)


def left_out(config: Infer, data_side: int | None = None) -> list[str]:
    """What the settings of prediction ask for that the file does not do; data_side: the data set's `long_side`."""
    asked = {
        f"the data set's long_side {data_side}": data_side is not None,
        "scales": config.scales != (1.0,),
        "flip": config.flip,
        "resize": config.resize is not None,
        "short_side": config.short_side is not None,
        "long_side": config.long_side is not None,
        "window": config.window is not None,
        "crf": config.crf,
    }
    return [name for name, wanted in asked.items() if wanted]


def write_onnx(path: Path, net: nn.Module, sizes: Sequence[tuple[int, int, int]] = SIZES) -> list[Agreement]:
    """Write the network, on the CPU in eval mode, with batch, height and width dynamic; returns how it agrees.

    Raises WsssError if it cannot be exported, or if what was exported is another function.
    """
    require_packages()
    whole = Whole(net).eval()
    with writing(path) as aside:
        with in_one_line("the network cannot be exported to ONNX", ANOTHER), torch.inference_mode():
            _export(whole, aside, sizes[0])
        found = [_compare(aside, whole, size) for size in sizes]
        if wrong := [a for a in found if not a.scores <= NEAR]:
            batch, height, width = wrong[0].shape
            what = f"the exported network is off by {wrong[0].scores:.2g} on {batch} x {height} x {width} pixels"
            raise WsssError(what, "ONNX cannot express its head: choose another, or --format safetensors")
    return found


def _export(whole: Whole, path: Path, size: tuple[int, int, int]) -> None:
    batch, height, width = size
    any_size = {0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    with warnings.catch_warnings(action="ignore"), _quiet("torch.onnx", "onnxscript"):
        program = torch.onnx.export(
            whole,
            (_images((2 * batch, height, width)),),
            dynamo=True,
            input_names=NAMES[:1],
            output_names=NAMES[1:],
            opset_version=OPSET,
            dynamic_shapes=(any_size,),
            verbose=False,
        )
        assert program is not None
        program.save(path, external_data=False)


def _compare(path: Path, whole: Whole, size: tuple[int, int, int]) -> Agreement:
    import onnxruntime

    images = _images(size)
    with torch.inference_mode():
        expected = whole(images)
    with in_one_line(f"the exported network does not run on {' x '.join(map(str, size))} pixels", ANOTHER):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        found = torch.from_numpy(session.run(None, {NAMES[0]: images.numpy()})[0])
        difference = (found - expected).abs().max().item()
        return Agreement(size, difference, (found.argmax(1) != expected.argmax(1)).float().mean().item())


def _images(size: tuple[int, int, int]) -> Tensor:
    """Smooth colours with noise: (B, 3, H, W) in 0..255, the same for the same size."""
    batch, height, width = size
    draw = torch.Generator().manual_seed(height * width)
    coarse = torch.rand(batch, 3, 5, 7, generator=draw)
    smooth = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return 255 * (0.8 * smooth + 0.2 * torch.rand(batch, 3, height, width, generator=draw))


@contextmanager
def _quiet(*loggers: str) -> Iterator[None]:
    before: dict[str, Any] = {name: logging.getLogger(name).level for name in loggers}
    for name in loggers:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
