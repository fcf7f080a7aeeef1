"""Backbones: ours, and any timm network with a feature pyramid, at any output stride that it allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import timm
import torch
from timm.layers import AvgPool2dSame, Format
from timm.models.res2net import Bottle2neck
from timm.models.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from wsss_cli.batches.transforms import MEAN, STD
from wsss_cli.errors import WsssError
from wsss_cli.nearest import nearest
from wsss_cli.nets.backbones.beyond_timm import BEYOND_TIMM
from wsss_cli.nets.normalisation import Normalisation

SUGGESTED = "resnet50, resnet101d and mobilenetv2_100 are backbones that allow output stride 8, 16 and 32"


class Renormalise(nn.Module):
    """Images normalised by ImageNet's mean and std -> by others: (B, 3, H, W) -> (B, 3, H, W)."""

    scale: Tensor
    shift: Tensor

    def __init__(self, own: Normalisation) -> None:
        super().__init__()
        values = (MEAN, STD, own.mean, own.std)
        mean, std, own_mean, own_std = (torch.tensor(v, dtype=torch.float64).view(3, 1, 1) for v in values)
        self.register_buffer("scale", (std / own_std).float(), persistent=False)
        self.register_buffer("shift", ((mean - own_mean) / own_std).float(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale + self.shift


def entry(normalise: Normalisation | None) -> nn.Module:
    """What images go through before a network's first layer; None: they are as its weights expect."""
    return nn.Identity() if normalise is None else Renormalise(normalise)


class Backbone(nn.Module):
    """A network without its classifier: images (B, 3, H, W) -> one feature map (B, channels[i], h, w) per level.

    name           one of ours (beyond_timm), or timm's name with or without a weights tag ("resnet50.tv_in1k")
    output_stride  stride of the last level; stages that would go beyond it keep the resolution
    dilate         those stages use dilation (DeepLab); False: stride 1 and no dilation (Ahn et al. 2019)
    args           further arguments of its constructor, such as {"pad_type": "same"}
    normalise      what its weights expect of images, if it is not ImageNet's mean and std

    `channels` and `strides` hold one number per level, fine to coarse.  Weights are random: see nets.weights.
    Raises WsssError for an unknown name, and for a network that has no such pyramid.
    """

    def __init__(
        self,
        name: str,
        output_stride: int = 16,
        dilate: bool = True,
        args: Mapping[str, Any] | None = None,
        normalise: Normalisation | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.args = dict(args or {})
        self.entry = entry(normalise)
        self.body: Any = _create(name, output_stride, self.args)
        self.channels: tuple[int, ...] = tuple(self.body.feature_info.channels())
        self.strides: tuple[int, ...] = tuple(self.body.feature_info.reduction())
        self.channels_last = getattr(self.body, "output_fmt", None) == Format.NHWC
        if self.strides[-1] != output_stride:
            raise WsssError(f"backbone '{name}' ends at stride {self.strides[-1]}, not {output_stride}", SUGGESTED)
        if not dilate:
            undilate(self.body)

    def forward(self, images: Tensor) -> list[Tensor]:
        levels = self.body(self.entry(images))
        return [x.permute(0, 3, 1, 2) for x in levels] if self.channels_last else levels

    def level(self, stride: int) -> int:
        """The first level of that stride.  Raises WsssError if there is none."""
        if stride not in self.strides:
            raise WsssError(f"backbone '{self.name}' has no level of stride {stride}, only {self.strides}", SUGGESTED)
        return self.strides.index(stride)

    def freeze(self, level: int) -> None:
        """No gradient to the modules up to the one that makes `level`; they are registered in the order of use."""
        name = self.body.feature_info.info[level]["module"]
        modules = dict(self.body.named_modules())
        # timm flattens outer Sequentials ("stages.0" becomes "stages_0"), and hook-based extractors keep a "body"
        last = modules.get(name) or modules.get(name.replace(".", "_", 1)) or modules[f"body.{name}"]
        for module in self.body.modules():
            if module is last:
                break
            for p in module.parameters(recurse=False):
                p.requires_grad_(False)
        last.requires_grad_(False)


def _create(name: str, output_stride: int, args: Mapping[str, Any]) -> Any:
    check_name(name)
    require_colours(args)
    stride = {} if output_stride == 32 else {"output_stride": output_stride}  # not every network knows the argument
    try:
        if name in BEYOND_TIMM:
            return BEYOND_TIMM[name](**stride, **args)
        return timm.create_model(name, pretrained=False, features_only=True, **stride, **args)
    except (TypeError, AssertionError, RuntimeError, NotImplementedError) as error:
        what = f"cannot build backbone '{name}' with output stride {output_stride} and {dict(args)}"
        raise WsssError(f"{what}: {error}" if str(error) else what, f"check backbone_args; {SUGGESTED}") from error


def require_colours(args: Mapping[str, Any]) -> None:
    """Raises WsssError for arguments of a network that does not see three channels."""
    if args.get("in_chans", 3) != 3:
        raise WsssError(f"backbone_args: in_chans {args['in_chans']} does not fit images, which have 3", "leave it out")


def check_name(name: str) -> None:
    """Raises WsssError with the nearest names if there is no such network, or no such weights tag."""
    if name in BEYOND_TIMM:
        return
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise WsssError(
            f"unknown backbone '{name}'{nearest(architecture, [*BEYOND_TIMM, *timm.list_models()])}",
            f'{", ".join(BEYOND_TIMM)}, or one of `python -c "import timm; print(timm.list_models())"`',
        )
    tagged = timm.list_models(f"{architecture}.*", pretrained=True)
    if tag and name not in tagged:
        raise WsssError(f"backbone '{architecture}' has no weights '{tag}'{nearest(name, tagged)}", ", ".join(tagged))


def undilate(body: nn.Module) -> None:
    """Dilation and padding of dilated convolutions back to 1, and no pooling where the stride is 1."""
    for module in body.modules():
        # an even kernel (the 2x2 down-sampling of ConvNeXt) has no centre: undilated it would change the size
        if isinstance(module, nn.Conv2d) and max(module.dilation) > 1 and module.kernel_size[0] % 2 == 1:
            module.dilation = (1, 1)
            if module.padding != (0, 0):  # 0: "same" padding, found at run time
                module.padding = tuple((k - 1) // 2 for k in module.kernel_size)
    for name, module in list(body.named_modules()):
        if isinstance(module, AvgPool2dSame):
            body.set_submodule(name, nn.Identity())


def multi_grid(layer: Iterable[Any], dilations: Sequence[int]) -> None:
    """Give the 3x3 convolution of each bottleneck of a ResNet layer its own dilation [Chen et al. 2017, sec. 3.1]."""
    for block, d in zip(layer, dilations, strict=True):
        block.conv2.dilation = block.conv2.padding = (d, d)


def uniform_dilation(backbone: Backbone) -> None:
    """Dilate the first block of a ResNet's (Res2Net's) dilated stages like their others, as DeepLabV2 and BECO do.

    timm, as torchvision, gives it the dilation of the stage before.  Networks of other blocks stay as timm built them.
    """
    layers: list[Any] = [getattr(backbone.body, f"layer{i}", ()) for i in (1, 2, 3, 4)]
    for layer in layers:
        if len(layer) > 1 and isinstance(layer[0], BasicBlock | Bottleneck | Bottle2neck):
            for conv, model in zip(_dilatable(layer[0]), _dilatable(layer[1]), strict=True):
                conv.dilation, conv.padding = model.dilation, model.padding


def _dilatable(block: nn.Module) -> list[nn.Conv2d]:
    """The 3x3 convolutions of a block."""
    return [m for m in block.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]


def plain_downsample(layer: Sequence[Any]) -> None:
    """No pooling in the shortcut of a ResNet-D layer that keeps the resolution."""
    layer[0].downsample[0] = nn.Identity()


def mmcls_resnetd(backbone: Backbone) -> bool:
    """Turn timm's dilated ResNet-D (50 layers or more) into that of mmcls, which BECO trains; say whether it applied.

    Output stride 16: layer4 with dilations 2, 4, 8 (timm: 1, 2, 2) and no pooling in its shortcut; output stride 8:
    4, 8, 16, and no pooling in layer3 either.  Other backbones and output stride 32 stay as timm built them.
    """
    stride = backbone.strides[-1]
    if not re.fullmatch(r"resnet(50|101|152|200)d(\..+)?", backbone.name) or stride == 32:
        return False
    base = 32 // stride
    multi_grid(backbone.body.layer4, (base, 2 * base, 4 * base))
    for layer in (backbone.body.layer3, backbone.body.layer4)[-1 if stride == 16 else 0 :]:
        plain_downsample(layer)
    return True


def freeze_batchnorm(module: nn.Module, affine: bool = False) -> None:
    """Batch normalisation by its running statistics for ever, also after .train(); `affine`: freeze gamma, beta too.

    A hook, not a mode, so that no parent's .train() undoes it; it survives deepcopy and any subclass of batch norm.
    """
    for m in module.modules():
        if isinstance(m, _BatchNorm):
            m.eval()
            m.register_forward_pre_hook(_use_running_statistics)
            if affine:
                m.requires_grad_(False)


def _use_running_statistics(module: nn.Module, _: object) -> None:
    module.training = False
