"""The wide ResNet-38 of weakly supervised segmentation  [Wu, Shen, van den Hengel 2016; Ahn, Kwak 2018].

Pre-activation blocks without biases.  The tensor names are those of the files that PSA, SEAM and PMM released.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from timm.models import FeatureInfo
from torch import Tensor, nn

from wsss_cli.errors import WsssError

GROUPS = (("b2", 3, 64, 128), ("b3", 3, 128, 256), ("b4", 6, 256, 512))
"""Groups of plain blocks that begin with stride 2: name, blocks, channels in and out."""


class WideResNet38(nn.Module):
    """Images (B, 3, H, W) -> five maps of 128, 256, 512, 1024 and 4096 channels at strides 2, 4, 8, 8 and 8.

    last_dilation  of the last block: 4 for segmentation, 2 for classification, as released
    Raises WsssError for another output stride than 8, which the network is made for.
    """

    def __init__(self, output_stride: int = 8, last_dilation: int = 4) -> None:
        super().__init__()
        if output_stride != 8:
            raise WsssError(f"wideresnet38 has no output stride {output_stride}", "set output_stride=8")
        self.conv1a = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        for name, depth, channels, out in GROUPS:
            for i in range(depth):
                block = Block(out if i else channels, out, out, stride=1 if i else 2)
                self.add_module(f"{name}_{i}" if i else name, block)
        self.b5 = Block(512, 512, 1024, dilations=(1, 2))
        self.b5_1 = Block(1024, 512, 1024, dilations=(2, 2))
        self.b5_2 = Block(1024, 512, 1024, dilations=(2, 2))
        self.b6 = Bottleneck(1024, 2048, dilation=4, dropout=0.3)
        self.b7 = Bottleneck(2048, 4096, dilation=last_dilation, dropout=0.5)
        self.bn7 = nn.BatchNorm2d(4096)
        ends = (("b2_2", 128, 2), ("b3_2", 256, 4), ("b4_5", 512, 8), ("b5_2", 1024, 8), ("bn7", 4096, 8))
        info = [{"num_chs": channels, "reduction": stride, "module": name} for name, channels, stride in ends]
        self.feature_info = FeatureInfo(info, out_indices=(0, 1, 2, 3, 4))

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps as the first block of the next group sees them, behind its batch norm and ReLU."""
        x, levels = self.conv1a(images), []
        for name, block in self.named_children():
            if isinstance(block, Block | Bottleneck):
                activated = block.activated(x)
                if name in ("b3", "b4", "b5", "b6"):
                    levels.append(activated)
                x = block(x, activated)
        return [*levels, F.relu(self.bn7(x))]


class Block(nn.Module):
    """Two 3x3 convolutions: (B, channels, H, W) -> (B, out, H / stride, W / stride)."""

    def __init__(
        self, channels: int, middle: int, out: int, stride: int = 1, dilations: tuple[int, int] = (1, 1)
    ) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(channels)
        self.conv_branch2a = _conv3(channels, middle, stride, dilations[0])
        self.bn_branch2b1 = nn.BatchNorm2d(middle)
        self.conv_branch2b1 = _conv3(middle, out, 1, dilations[1])
        self.same = channels == out and stride == 1
        if not self.same:
            self.conv_branch1 = nn.Conv2d(channels, out, 1, stride, bias=False)

    def activated(self, x: Tensor) -> Tensor:
        return F.relu(self.bn_branch2a(x))

    def forward(self, x: Tensor, a: Tensor) -> Tensor:
        """a: self.activated(x)."""
        residual = x if self.same else self.conv_branch1(a)
        return residual + self.conv_branch2b1(F.relu(self.bn_branch2b1(self.conv_branch2a(a))))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions with dropout between them: (B, channels, H, W) -> (B, out, H, W)."""

    def __init__(self, channels: int, out: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(channels)
        self.conv_branch2a = nn.Conv2d(channels, out // 4, 1, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(out // 4)
        self.conv_branch2b1 = _conv3(out // 4, out // 2, 1, dilation)
        self.bn_branch2b2 = nn.BatchNorm2d(out // 2)
        self.conv_branch2b2 = nn.Conv2d(out // 2, out, 1, bias=False)
        self.conv_branch1 = nn.Conv2d(channels, out, 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)

    def activated(self, x: Tensor) -> Tensor:
        return F.relu(self.bn_branch2a(x))

    def forward(self, x: Tensor, a: Tensor) -> Tensor:
        """a: self.activated(x)."""
        y = self.dropout(F.relu(self.bn_branch2b1(self.conv_branch2a(a))))
        y = self.dropout(F.relu(self.bn_branch2b2(self.conv_branch2b1(y))))
        return self.conv_branch1(a) + self.conv_branch2b2(y)


def _conv3(channels: int, out: int, stride: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, stride, padding=dilation, dilation=dilation, bias=False)


def from_main(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network of a file that keeps it under "main" beside other things; any other state dict as it is."""
    main = {k.removeprefix("main."): v for k, v in state.items() if k.startswith("main.")}
    return main or dict(state)
