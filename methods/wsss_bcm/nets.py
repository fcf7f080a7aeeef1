"""DeepLab with the masking branch: class maps in [0, 1] that each class's logits are multiplied by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from wsss_cli.engine.segment import with_scales
from wsss_cli.nets.backbones.backbone import freeze_batchnorm
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.nets.multi_scale import MSC_SCALES, at_scales, largest_logits
from wsss_cli.nets.segmenter import Head


class Masked(nn.Module):
    """A segmenter whose features also give a mask for each class: images (B, 3, H, W) -> logits (B, K, h, w).

    The largest logit over the scales, times the mask of the image itself, which is sigmoid of a 1x1 convolution.  In
    training it gives what the losses are put on: ((logits of the image, of each scale, the masked ones), mask).

    [Song et al. 2019, released code]  A negative logit is thus drawn to 0 where the mask is small.
    """

    def __init__(self, backbone: nn.Module, head: Head, num_outputs: int, scales: Sequence[float] = MSC_SCALES) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.bcm = nn.Conv2d(_width(head), num_outputs, 1)
        nn.init.normal_(self.bcm.weight, std=0.01)
        nn.init.zeros_(self.bcm.bias)  # type: ignore[arg-type]
        self.scales = tuple(scales)

    def forward(self, images: Tensor) -> Tensor | tuple[tuple[Tensor, ...], Tensor]:
        features = self.head.embeddings(self.backbone(images))
        first, mask = self.head.classifier(features), self.bcm(features).sigmoid()
        others = at_scales(self.segment, images, self.scales)
        masked = largest_logits(first, others) * mask
        return ((first, *others, masked), mask) if self.training else masked

    def segment(self, images: Tensor) -> Tensor:
        """The logits of one scale, for which the masking branch is not asked."""
        return self.head(self.backbone(images))


def _width(head: Head) -> int:
    """Channels of the features that the head's classifier sees."""
    return next(m.in_channels for m in head.classifier.modules() if isinstance(m, nn.Conv2d))


def build(phase: str, net: Net, num_outputs: int, scales: Sequence[float], trust: bool = False) -> nn.Module:
    """The network of a phase: plain DeepLab-MSC for "base", else with the masking branch.

    With net.freeze_bn the backbone's batch norms are fixed altogether, as released: in no group of the optimiser.
    """
    plain = build_segmenter(net, num_outputs, trust)
    if net.freeze_bn:
        freeze_batchnorm(plain.backbone, affine=True)
    if phase == "base":
        return with_scales(plain, scales)
    return Masked(plain.backbone, plain.head, num_outputs, scales)


def plain_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of any phase's network without the wrapper's prefix: backbone.*, head.*, bcm.*."""
    return {key.removeprefix("net."): value for key, value in state.items()}


def groups(net: nn.Module, lr: float, head_factor: float, bias_factor: float, decay: float) -> list[dict[str, Any]]:
    """deeplab-pytorch's parameter groups: the backbone at 1x, other weights at 10x, their biases at 20x without decay.

    What needs no gradient is in none.
    """
    parts: dict[str, list[nn.Parameter]] = {"backbone": [], "weight": [], "bias": []}
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            own = "bias" if name.endswith("bias") else "weight"
            parts["backbone" if "backbone" in name.split(".") else own].append(parameter)
    rates = {"backbone": (lr, decay), "weight": (lr * head_factor, decay), "bias": (lr * bias_factor, 0.0)}
    return [{"params": parts[part], "lr": rate, "weight_decay": wd} for part, (rate, wd) in rates.items()]
