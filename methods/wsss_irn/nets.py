"""IRN's boundary and displacement network [Ahn et al. 2019]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone


class IrnNet(nn.Module):
    """Boundary logits (B, 1, h, w) and displacements (B, 2, h, w), order dy, dx, at stride 4, on a fixed backbone.

    Needs a backbone with five levels from stride 2; the first is max-pooled to stride 4, which is IRN's own first
    level in a ResNet.  Raises WsssError for other pyramids.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        if len(backbone.strides) != 5 or backbone.strides[:3] != (2, 4, 8):
            raise WsssError(
                f"IRN needs feature maps at strides 2, 4, 8, 16 and 16; '{backbone.name}' has {backbone.strides}",
                "choose a backbone such as resnet50 or mobilenetv2_100",
            )
        self.backbone = backbone.requires_grad_(False)
        strides = (4, *backbone.strides[1:])
        self.boundary = Boundary(backbone.channels, strides)
        self.displacement = Displacement(backbone.channels, strides)

    def train(self, mode: bool = True) -> IrnNet:
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            levels = self.backbone(images)
            levels = [F.max_pool2d(levels[0], 3, stride=2, padding=1), *levels[1:]]  # strides 4, 4, 8, 16, 16
        return self.boundary(levels), self.displacement(levels)


class Boundary(nn.Module):
    """Every level to 32 channels at stride 4, joined to one boundary logit."""

    def __init__(self, channels: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        self.levels = nn.ModuleList(branch(c, 32, 4, s // 4) for c, s in zip(channels, strides))
        self.out = nn.Conv2d(5 * 32, 1, 1)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        size = levels[1].shape[2:]
        x = [crop(f(level), size) for f, level in zip(self.levels, levels)]  # five (B, 32, h, w)
        return self.out(torch.cat(x, 1))  # (B, 1, h, w)


class Displacement(nn.Module):
    """The three deep levels joined at stride 8, then with the two fine ones at stride 4, to two channels."""

    def __init__(self, channels: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        widths, groups, ups = (64, 128, 256, 256, 256), (8, 16, 16, 16, 16), (1, 1, 1, strides[3] // 8, strides[4] // 8)
        self.levels = nn.ModuleList(branch(*args) for args in zip(channels, widths, groups, ups))
        self.deep = branch(3 * 256, 256, 16, 2)
        self.out = nn.Sequential(*branch(64 + 128 + 256, 256, 16), nn.Conv2d(256, 2, 1, bias=False))
        self.mean_shift = MeanShift(2)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        x = [f(level) for f, level in zip(self.levels, levels)]
        deep = torch.cat([crop(level, x[2].shape[2:]) for level in x[2:]], 1)  # (B, 768, h / 2, w / 2)
        deep = crop(self.deep(deep), x[1].shape[2:])  # (B, 256, h, w)
        return self.mean_shift(self.out(torch.cat((x[0], x[1], deep), 1)))  # (B, 2, h, w)


class MeanShift(nn.Module):
    """Subtracts the buffer `running_mean` in eval mode only: the data set's mean displacement, found after training."""

    running_mean: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x if self.training else x - self.running_mean[:, None, None]


def branch(channels: int, width: int, groups: int, up: int = 1) -> nn.Sequential:
    """1x1 convolution, group norm, bilinear up-sampling, and only then ReLU, as released."""
    scale = [nn.Upsample(scale_factor=up, mode="bilinear", align_corners=False)] if up > 1 else []
    return nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.GroupNorm(groups, width), *scale, nn.ReLU())


def crop(x: Tensor, size: Sequence[int]) -> Tensor:
    """The top left (B, D, h, w) of a map that up-sampling made a little larger."""
    return x[:, :, : size[0], : size[1]]


@torch.no_grad()
def edge_displacement(net: IrnNet, images: Tensor, flipped: Tensor, pad: int | None = 512) -> tuple[Tensor, Tensor]:
    """Boundary probability, mean logit of image and mirror image, and displacement of the image, at stride 4.

    edge = sigmoid(e/2 + flip(e')/2)  [released IRN, EdgeDisplacement]

    images, flipped (B, 3, H, W); flipped are the mirror images.  `pad`: zeros to the right and bottom up to this size,
    which group norm sees [IRN]; None: no padding [BECO].  A side longer than `pad` is left as it is (IRN cuts it off).
    Returns edge (B, 1, h, w) in [0, 1] and displacement (B, 2, h, w) with h = (H - 1) // 4 + 1.
    """
    b, _, height, width = images.shape
    x = torch.cat((images, flipped))  # (2 B, 3, H, W)
    if pad is not None:
        x = F.pad(x, (0, max(pad - width, 0), 0, max(pad - height, 0)))
    size = ((height - 1) // 4 + 1, (width - 1) // 4 + 1)
    edge, displacement = (crop(y, size).float() for y in net(x))
    return torch.sigmoid(edge[:b] / 2 + edge[b:].flip(-1) / 2), displacement[:b]
