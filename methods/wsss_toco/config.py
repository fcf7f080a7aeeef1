"""The settings of ToCo's training; defaults are those of the released code on PASCAL VOC unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.batches.views import View
from wsss_cli.config import Config
from wsss_cli.context import Context
from wsss_cli.engine.adamw import AdamW
from wsss_cli.engine.loop import Loop
from wsss_cli.errors import WsssError, caught
from wsss_cli.refine.par_config import Par
from wsss_cli.single_stage.config import Energy, Thresholds, Trained, VitNet, too_small
from wsss_cli.work import Work, areas


class Net(VitNet):
    """The network, and the projection head in which class tokens are compared."""

    backbone: str = Field(
        "deit_base_patch16_224.fb_in1k",
        description="timm's name of a plain vision transformer; published also vit_base_patch16_224.orig_in21k_ft_in1k",
    )
    prototypes: int = Field(1024, gt=0, le=bounds.CHANNELS, description="outputs of the projection head")
    hidden: int = Field(2048, gt=0, le=bounds.CHANNELS, description="channels of its hidden layers")
    bottleneck: int = Field(256, gt=0, le=bounds.CHANNELS, description="channels before its last layer")


class Views(Config):
    """Three views of an image: the one that is learnt, one of the whole image, and the source of local crops."""

    crop: int = Field(448, gt=0, le=bounds.SIDE, description="side of the square that all three are")
    scale: ranges.Scales = Field((0.5, 2.0), description="range of the random scale before the first crop")
    flip: bool = Field(True, description="mirror half of the images before the first crop")
    area: ranges.Shares = Field((0.4, 1.0), description="share of the image that the second view shows")
    main: View = Field(View(blur=1.0), description="of the view that is learnt")
    second: View = Field(View(blur=0.1, solarise=0.2), description="of the second view")
    local: View = Field(View(blur=0.5), description="of the source of local crops, from the same crop as main")
    mirror_again: bool = Field(
        True,
        description="released quirk: main and local are mirrored once more, each for itself, which neither the box of "
        "real pixels nor the regions know; false: their flip is left out",
    )


class LocalCrops(Config):
    """Small crops whose class tokens are compared with the whole view's."""

    size: int = Field(96, gt=0, le=bounds.SIDE, description="side in pixels")
    number: int = Field(8, gt=0, le=bounds.BATCH, description="per image")
    scales: tuple[ranges.Scale, ...] = Field((1.0, 0.5, 1.5), min_length=1, description="of the CAMs that guide them")
    least: float = Field(
        0.2,
        ge=0,
        le=bounds.FACTOR,
        description="mean region (0 background, 1 unsure, 2 sure) up to which a crop counts as background",
    )


class Losses(Config):
    """Weights of the losses, and the iterations (from 0) from which they hold; the two classifications weigh 1."""

    patch_contrast: float = Field(
        0.2, ge=0, le=bounds.FACTOR, description="w_ptc, weight of the contrast of patch tokens"
    )
    class_contrast: float = Field(
        0.5, ge=0, le=bounds.FACTOR, description="w_ctc, weight of the contrast of class tokens"
    )
    segmentation: float = Field(
        0.1, ge=0, le=bounds.FACTOR, description="w_seg, weight of the cross-entropy with the pseudo-labels"
    )
    energy: float = Field(0.05, ge=0, le=bounds.FACTOR, description="w_reg, weight of the dense energy")
    contrast_from: int = Field(
        0, ge=0, le=bounds.STEPS, description="first iteration with both contrasts (COCO: 12001)"
    )
    segmentation_from: int = Field(
        2001, ge=0, le=bounds.STEPS, description="first iteration with the other two (COCO: 8001)"
    )
    cam_from: int = Field(
        0,
        ge=0,
        le=bounds.STEPS,
        description="before it pseudo-labels come from the auxiliary classifier's CAMs (COCO: 12001)",
    )
    temperature: float = Field(0.5, gt=0, le=bounds.POWER, description="of the contrast of class tokens (COCO: 1)")
    momentum: float = Field(0.9, ge=0, le=1, description="of the teacher's projection head")
    token_box: Literal["unscaled", "scaled"] = Field(
        "unscaled",
        description="released quirk: the box of real pixels is laid over the patch tokens as if these were pixels; "
        "scaled: in tokens, those wholly inside",
    )


class Train(Trained):
    """One network learns the tags, and from its own CAMs to segment."""

    net: Net = Field(Net(), description="the network")
    views: Views = Field(Views(), description="augmentation")
    local: LocalCrops = Field(LocalCrops(), description="local crops")
    thresholds: Thresholds = Field(Thresholds(), description="of CAM scores, for regions, patch tokens, pseudo-labels")
    par: Par = Field(Par(), description="refinement of the CAMs to pseudo-labels")
    energy: Energy = Field(Energy(), description="the dense energy loss")
    losses: Losses = Field(Losses(), description="weights of the losses")
    optimiser: AdamW = Field(AdamW(), description="optimiser")
    loop: Loop = Field(Loop(iterations=20000, batch=4), description="length of the training")

    def work(self, context: Context) -> Iterator[Work]:
        """The view that is learnt and the local crops; CAMs at all scales, and the second view."""
        learning, looking = (
            1 + self.local.number * (self.local.size / self.views.crop) ** 2,
            1 + areas(self.local.scales, flip=True),
        )
        return self.training_work(context, self.loop, self.net, self.views.crop, learning, looking)

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        if self.losses.segmentation > 0:
            first = self.losses.segmentation_from
            yield from self.ends_before(context, self.loop, where, f"losses.segmentation_from {first}", first)
        if self.checkpoint is None:
            yield from too_small(self.net, self.views.crop, f"{where}.views.crop")
            yield from too_small(self.net, self.local.size, f"{where}.local.size")
            yield from caught(check_sizes, self)


def check_sizes(config: Train) -> None:
    """Raises WsssError if local crops do not fit into the views."""
    side, small = config.views.crop, config.local.size
    room = (side - 2 * (small // 2)) ** 2 if side > small else 0
    if room < config.local.number:
        raise WsssError(
            f"local.size {small} leaves no room for {config.local.number} crops in views.crop {side}",
            "make local.size smaller, about a fifth of views.crop",
        )
