"""Predict no class of which a classifier of images says that it is not there."""

from __future__ import annotations

import torch
from torch import Tensor, nn

OUT = -1e4
"""The logit of a class that is out of the question: finite, for enlarging a map multiplies it by 0, and within fp16."""


class Gated(nn.Module):
    """Images (B, 3, H, W) -> the logits (B, K, h, w) of `net`, `gated` by those of `classifier`, (B, C)."""

    def __init__(self, net: nn.Module, classifier: nn.Module, gate: float) -> None:
        super().__init__()
        self.net = net
        self.classifier = classifier
        self.gate = gate

    def forward(self, images: Tensor) -> Tensor:
        return gated(self.net(images), self.classifier(images), self.gate)


def gated(logits: Tensor, tags: Tensor, gate: float) -> Tensor:
    """Logits (B, K, h, w) in which no class wins whose tag, of logits (B, C), is less probable than `gate`.

    [Araslanov & Roth 2020, FP_CUT_SCORE of infer_val.py, there after the largest tag over all scales]
    """
    absent = tags.sigmoid() < gate  # (B, C)
    out = torch.cat([torch.zeros_like(absent[:, :1]), absent], 1)  # the background is never
    return logits.masked_fill(out[..., None, None], OUT)
