"""The decoder DeepLab-LargeFOV [Chen et al. 2016], as the single-stage transformers use it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class LargeFov(nn.Module):
    """A feature map (B, D, h, w) -> logits (B, K, h, w): two dilated 3 x 3 convolutions and a classifier, no bias.

    width, dilation of the 3 x 3 convolutions; kaiming: draw the weights from Kaiming's normal (fan out) instead of
    PyTorch's default.  Tensor names are those of ToCo's checkpoints.
    """

    def __init__(self, dim: int, num_outputs: int, width: int = 512, dilation: int = 5, kaiming: bool = False) -> None:
        super().__init__()
        self.conv6 = nn.Conv2d(dim, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.conv7 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.conv8 = nn.Conv2d(width, num_outputs, 1, bias=False)
        if kaiming:
            for conv in (self.conv6, self.conv7, self.conv8):
                nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, features: Tensor) -> Tensor:
        return self.conv8(F.relu(self.conv7(F.relu(self.conv6(features)))))
