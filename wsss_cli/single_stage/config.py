"""The settings that the single-stage methods share; defaults are those of ToCo's released code on PASCAL VOC."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import Sample
from wsss_cli.engine import infer
from wsss_cli.engine.loop import Loop, total_iterations
from wsss_cli.errors import WsssError
from wsss_cli.nets.clip_net import ClipNet
from wsss_cli.nets.config import StemNet
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.nets.precision import Precision
from wsss_cli.places import FILE, WEIGHTS
from wsss_cli.promises import CHECKPOINT, Promises, each, label_of_each_cam
from wsss_cli.refine.crf_config import Crf
from wsss_cli.refine.par_config import Par
from wsss_cli.work import Pass, Work, areas, passes, reading, typical_size

CRF = Crf(gaussian_sxy=1, gaussian_compat=1, bilateral_sxy=121, bilateral_srgb=5, bilateral_compat=4)
"""Of predictions.  [Ru et al. 2023; rulixiang/ToCo, infer_seg; PUF and LOC-BE, unchanged]"""
CAM_CRF = Crf(gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=36, bilateral_srgb=3, bilateral_compat=4)
"""Of CAMs.  [rulixiang/ToCo, infer_cam_crf_label]"""


class VitNet(Pretrained):
    """A vision transformer with classifiers and the decoder LargeFOV."""

    IMAGENET: ClassVar[tuple[str, ...]] = (
        "vit_base_patch16_224.orig_in21k_ft_in1k",  # though its weights expect 0.5 [ToCo, LOC-BE, PUF, released code]
        "deit_base_patch16_224.fb_in1k",
    )
    PLAIN_VIT: ClassVar[bool] = True

    backbone: str = Field(
        "vit_base_patch16_224.orig_in21k_ft_in1k", description="timm's name of a plain vision transformer"
    )
    backbone_args: dict[str, Any] = Field({}, description="arguments of its constructor, e.g. {depth: 4}")
    pretrained: Annotated[str, WEIGHTS] = Field(
        "timm", description="timm: published weights, downloaded; none: random; or a weights FILE"
    )
    stem: StemNet | None = Field(
        None,
        description="a network whose last map takes the place of the image's patches, for small data and small "
        "transformers [hybrid: Dosovitskiy et al. 2021, sec. 3.1]; null: the patches, as released",
    )
    inner_block: int = Field(
        -3, ge=-64, le=64, description="whose tokens the auxiliary classifier sees; -3 is block 9 of 12 (ToCo)"
    )
    train_positions: bool = Field(False, description="learn the position embedding (PUF); else it stays (ToCo)")
    width: int = Field(512, gt=0, le=bounds.CHANNELS, description="channels of the decoder (ToCo)")
    dilation: int = Field(
        5, gt=0, le=bounds.SHARES, description="of the decoder's 3 x 3 convolutions (ToCo); less for small crops"
    )
    decoder_init: Literal["torch", "kaiming"] = Field(
        "torch", description="weights of the decoder at first: PyTorch's default (ToCo), or Kaiming, fan out (PUF)"
    )

    def patch(self) -> int | None:
        """Side of a patch in pixels, if the settings or the name say it."""
        named = re.search(r"_patch(\d+)", self.backbone)
        return self.backbone_args.get("patch_size") or (int(named[1]) if named else None)


def too_small(net: VitNet, side: int, where: str) -> Iterator[WsssError]:
    """A problem if images of this side hold no patch."""
    patch = net.patch()
    if patch is not None and side < patch:
        yield WsssError(f"{where} {side} holds no patch of {patch} pixels", "enlarge it, or choose smaller patches")


class Trained(StageConfig):
    """Settings of the training of a single-stage network, or the trained network that is taken instead."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead: the authors' model_iter_N.pth"
    )
    split: str | None = Field(None, description="the split to learn from; the data set's training split")

    def images(self, context: Context) -> Sequence[Sample] | None:
        return None if self.checkpoint is not None else context.data.tagged(self.split)

    def promises(self, context: Context) -> Promises:
        return CHECKPOINT

    def ends_before(self, context: Context, loop: Loop, where: str, setting: str, begins: int) -> Iterator[WsssError]:
        """A problem if the training ends before iteration `begins`: the decoder would be scored as it was at first.

        setting  that says so, with its value.  What keeps the iterations from being counted is told elsewhere.
        """
        try:
            images = self.images(context)
            total = begins + 1 if images is None else total_iterations(loop, len(images))
        except WsssError:
            return
        if begins >= total:
            length = (
                f"iterations {total}" if loop.iterations else f"epochs {loop.epochs:g}, which is {total} iterations"
            )
            what = f"{where}.{setting}: the segmentation learns from iteration {begins} on, which never comes"
            remedy = "train longer, or let it begin earlier; to do without it, for CAMs alone, set its weight to 0"
            yield WsssError(f"{what} with {where}.loop.{length}", remedy)

    def training_work(
        self, context: Context, loop: Loop, net: VitNet | ClipNet, side: int, learning: float, looking: float
    ) -> Iterator[Work]:
        """Crops of that side that the network sees: of each image `learning` with gradient, `looking` without."""
        samples = self.images(context)
        if samples is None:
            return
        seen, outputs = loop.crops(len(samples)), context.data.num_classes + 1
        yield Work("train", seen * learning, Pass(net, outputs, side, side, learns=True))
        yield Work("CAMs in training", seen * looking, Pass(net, outputs, side, side))
        yield from reading(seen, samples)


class Thresholds(Config):
    """What a class activation map's score says."""

    high: float = Field(0.7, gt=0, lt=1, description="surely a class above it (COCO: 0.65)")
    low: float = Field(0.25, gt=0, lt=1, description="surely background at or below it")


class Energy(Config):
    """The dense energy loss, whose filter is the permutohedral lattice."""

    weight: float = Field(
        1e-7, ge=0, le=bounds.FACTOR, description="factor of the energy, before the loss weight (rloss)"
    )
    sigma_rgb: float = Field(15.0, gt=0, le=bounds.DISTANCE, description="standard deviation in colour, 0..255 (rloss)")
    sigma_xy: float = Field(
        100.0, gt=0, le=bounds.DISTANCE, description="standard deviation in pixels of the crop (rloss)"
    )
    scale: float = Field(0.5, gt=0, le=1, description="size at which it is computed (rloss)")


class Infer(infer.Infer):
    """How the trained network is applied; defaults are those of ToCo's infer_seg_voc."""

    scales: tuple[ranges.Scale, ...] = Field(
        (1.0, 1.5, 1.25), min_length=1, description="image scales whose predictions are fused (COCO: 1, 1.25, 1.5)"
    )
    flip: bool = Field(True, description="also predict the mirrored image")
    fusion: infer.Fusion = Field(
        "sum_max",
        description="of scales and flips: sum_max: logits summed over flips, the largest over scales (VOC); max_sum: "
        "the other way round (COCO); mean: mean of softmax scores; max: largest logit; coarse_max: BECO's",
    )
    gate: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="predict no class whose own tag the network finds less probable in what it sees; null: all, as "
        "released",
    )
    rounding: Literal["nearest", "down"] = Field("down", description="of the sizes of scaled images (ToCo: down)")
    resize_by: Literal["pil", "torch"] = Field(
        "torch", description="of infer.resize (COCO: 448): pil smooths what it shrinks; torch: bilinear (ToCo)"
    )
    crf_settings: Crf = Field(CRF, description="the dense CRF (ToCo)")


class Seeds(Precision, StageConfig):
    """Write the trained network's class activation maps."""

    split: str | None = Field(None, description="the split to make CAMs of; the data set's training split")
    source: Literal["cam", "inner", "segmentation"] = Field(
        "cam",
        description="cam: of the last block; inner: of the auxiliary classifier's block; segmentation: scores of the "
        "decoder (ToCo infer_seg_as_cam)",
    )
    resize: int | None = Field(
        448, gt=0, le=bounds.SIDE, description="side of a square that images are resized to first (ToCo)"
    )
    scales: tuple[ranges.Scale, ...] | None = Field(
        None, min_length=1, description="image scales; null: 1, 0.5, 1.5, and of segmentation 1, 1.25, 1.5 (ToCo)"
    )
    full: bool = Field(
        False,
        description="keep CAMs at the images' size, as released, 16 times the disk space; false: at stride 4, by which "
        "some labels differ (the method's README)",
    )
    batch: int = Field(1, gt=0, le=bounds.BATCH, description="images of equal shape per forward pass; same result")

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(self.split)

    def promises(self, context: Context) -> Promises:
        return {"cam": each(self.images(context), ".npz")}

    def work(self, context: Context) -> Iterator[Work]:
        samples, network = self.images(context), context.configs["train"].net
        size = (self.resize, self.resize) if self.resize is not None else typical_size(samples)
        seen = len(samples) * areas(self.scales or (1.0, 0.5, 1.5), flip=True)
        yield passes("make CAMs", seen, network, context.data.num_classes, size)


class Pseudo(StageConfig):
    """Refine the class activation maps to label maps."""

    refine: Literal["par", "crf", "none"] = Field(
        "par",
        description="par: pixel-adaptive refinement, as in training; crf: dense CRF (ToCo infer_cam_crf_label); none: "
        "thresholds alone",
    )
    thresholds: Thresholds = Field(Thresholds(), description="background scores; ignored where they disagree")
    par: Par = Field(Par(), description="pixel-adaptive refinement")
    crf: Crf = Field(CAM_CRF, description="the dense CRF of refine=crf (ToCo)")

    def promises(self, context: Context) -> Promises:
        return label_of_each_cam(context.promised["seeds"])
