"""The settings of WeCLIP's stages; defaults are those of the released code on PASCAL VOC unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from wsss_cli import bounds, ranges
from wsss_cli.config import Config, StageConfig
from wsss_cli.context import Context
from wsss_cli.data.prepared import Sample
from wsss_cli.engine import infer
from wsss_cli.engine.adamw import AdamW
from wsss_cli.engine.loop import Loop
from wsss_cli.errors import WsssError
from wsss_cli.nets.clip_names import Names
from wsss_cli.nets.clip_net import VIT_B16, ClipNet
from wsss_cli.nets.precision import Precision
from wsss_cli.parts import Part
from wsss_cli.places import FILE, WEIGHTS
from wsss_cli.promises import CHECKPOINT, Promises, each, label_of_each_cam
from wsss_cli.refine.crf_config import Crf
from wsss_cli.refine.par_config import Par
from wsss_cli.single_stage.config import Trained
from wsss_cli.work import Work

AFA_CRF = Crf(gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=64, bilateral_srgb=5, bilateral_compat=4)
"""[Ru et al. 2022; rulixiang/afa, infer_seg]"""


class Net(ClipNet):
    """Frozen CLIP, with WeCLIP+ frozen DINOv2 as well, and the small network that is trained on them."""

    IMAGENET: ClassVar[tuple[str, ...]] = (VIT_B16,)  # though CLIP's weights expect others [released code]

    levels: Literal["all", "last"] = Field(
        "all", description="blocks whose tokens are fused: all but the last one, or the one before it alone (WeCLIP+)"
    )
    cam_level: int = Field(
        -1,
        ge=-64,
        lt=0,
        description="block whose tokens enter the last one for the CAMs; released quirk of WeCLIP+, VOC: -2",
    )
    width: int = Field(256, gt=0, le=bounds.CHANNELS, description="channels of the fused map and of the decoder")
    blocks: int = Field(3, gt=0, le=1000, description="transformer blocks of the decoder")
    heads: int = Field(8, gt=0, le=1000, description="heads of their attention")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of the fused channels that training leaves out")
    half_projection: bool = Field(
        False, description="released quirk: the output projection of every attention in float16"
    )
    dino: str | None = Field(
        None, description="WeCLIP+: timm's name of a DINOv2 to learn from as well; published vit_small_patch14_dinov2"
    )
    dino_args: dict[str, Any] = Field({}, description="arguments of its constructor")
    dino_pretrained: Annotated[str, WEIGHTS] = Field("timm", description="its weights: timm, none, or a FILE of timm")


class Augment(Config):
    """The one view of an image that is learnt."""

    crop: int = Field(320, gt=0, le=bounds.SIDE, description="side of the random crop")
    scale: ranges.Scales = Field((0.5, 2.0), description="range of the random scale before the crop")
    flip: bool = Field(True, description="mirror half of the images before the crop")
    whole: bool = Field(
        False, description="show the whole image, its longer side resized to the crop: nothing but the flip is random"
    )


class Labels(Config):
    """How class activation maps become pseudo-labels."""

    plain_maps: int = Field(8, gt=0, le=12, description="last attention maps whose mean spreads CAMs at first")
    guided_from: int = Field(
        9144,
        ge=0,
        le=bounds.STEPS,
        description="first iteration, from 0, in which the predicted affinity chooses among the maps: released 15000, "
        "but validation counts as well (COCO: 40000; WeCLIP+: 0)",
    )
    guided_maps: int = Field(6, gt=0, le=12, description="last maps that it chooses from (COCO: 10; WeCLIP+: 8)")
    box_threshold: float | None = Field(
        0.4, gt=0, lt=1, description="CAMs spread from the boxes of what is above it (COCO: 0.7); null: from anywhere"
    )
    weigh: bool = Field(False, description="multiply the CAMs by the predicted scores of their classes (WeCLIP+)")
    par: Par = Field(Par(iterations=20, down=1), description="pixel-adaptive refinement")
    padding: bool = Field(True, description="released quirk: what lies outside the image is labelled, too")
    trust_from: int | None = Field(
        None,
        ge=0,
        le=bounds.STEPS,
        description="first iteration, from 0, in which sure predictions replace labels (WeCLIP+: 18001)",
    )
    trust_above: float = Field(0.75, gt=0, lt=1, description="score above which a prediction is sure (WeCLIP+)")

    @property
    def maps(self) -> int:
        """Attention maps that may be asked for."""
        return max(self.plain_maps, self.guided_maps)


class Losses(Config):
    """Weights of the losses; the cross-entropy's is 1."""

    affinity: float = Field(0.1, ge=0, le=bounds.FACTOR, description="of the predicted affinity")
    radius: int = Field(8, ge=0, le=bounds.RADIUS, description="rows and columns between two cells of a pair, at most")
    cross: float = Field(
        0.1, ge=0, le=bounds.FACTOR, description="of what CLIP's and DINO's decodings teach each other (WeCLIP+)"
    )
    dice: float = Field(0.0, ge=0, le=bounds.FACTOR, description="of the Dice loss (WeCLIP+: 1)")


class Train(Trained):
    """A small network on frozen CLIP learns to segment from CLIP's own class activation maps."""

    checkpoint: Annotated[str | None, FILE] = Field(
        None, description="take this trained network instead: the authors' state dict"
    )
    text: Names = Field(Names(), description="what CLIP is told of the classes")
    net: Net = Field(Net(), description="the network")
    augment: Augment = Field(Augment(), description="augmentation")
    keep_features: Literal["no", "float16", "float32"] = Field(
        "no",
        description="with augment.whole: keep what the frozen networks see of each image on disk, in this precision "
        "(ViT-B, crops of 320, float16: 11 MB an image, twice with flips), so that it is computed once",
    )
    labelling: Labels = Field(Labels(), description="pseudo-labels")
    losses: Losses = Field(Losses(), description="weights of the losses")
    optimiser: AdamW = Field(
        AdamW(lr=2e-4, warm_up=50, power=1.0), description="optimiser; nothing but heads is trained: lr times 10"
    )
    loop: Loop = Field(Loop(iterations=30000, batch=4), description="length of the training")

    def parts(self) -> Sequence[Part]:
        learnt = ("checkpoint", "net", "augment", "keep_features", "labelling", "losses", "optimiser", "loop", "seed")
        return Part("text", ("text.npz",), ("text",)), Part(
            "network", ("checkpoint.pt", "metrics.jsonl"), learnt, of=("text",)
        )

    def promises(self, context: Context) -> Promises:
        return {"": (*CHECKPOINT[""], "text.npz")} if self.checkpoint is None else CHECKPOINT

    def work(self, context: Context) -> Iterator[Work]:
        """CLIP looks at each image and makes CAMs; what is trained costs little beside it."""
        return self.training_work(context, self.loop, self.net, self.augment.crop, 0.3, 1.3)

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        if self.keep_features != "no" and not self.augment.whole:
            yield WsssError(
                f"{where}.keep_features, but every crop is drawn at random and seen once",
                "show whole images: --set train.augment.whole=true",
            )


class Seeds(Precision, StageConfig):
    """Write CLIP's class activation maps, spread as the trained network says."""

    split: str | None = Field(None, description="the split to make CAMs of; the data set's training split")
    labelling: Labels = Field(Labels(), description="which maps and boxes, as in training; always guided")
    batch: int = Field(1, gt=0, le=bounds.BATCH, description="images of equal shape per forward pass; same result")

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.tagged(self.split)

    def promises(self, context: Context) -> Promises:
        return {"cam": each(self.images(context), ".npz")}


class Pseudo(StageConfig):
    """Refine the class activation maps to label maps."""

    par: Par = Field(Par(iterations=20, down=1), description="pixel-adaptive refinement, as in training")

    def promises(self, context: Context) -> Promises:
        return label_of_each_cam(context.promised["seeds"])


class Infer(infer.Infer):
    """How the trained network is applied; defaults are those of the released test script."""

    scales: tuple[ranges.Scale, ...] = Field(
        (1.0, 0.75), min_length=1, description="image scales whose predictions are fused (WeCLIP+: 1, 1.5)"
    )
    flip: bool = Field(True, description="also predict the mirrored image")
    fusion: infer.Fusion = Field(
        "coarse_mean",
        description="of scales and flips: coarse_mean: mean of logits, at the resolution of those of the unscaled "
        "image (WeCLIP); mean: of softmax scores; max: largest logit; coarse_max, sum_max, max_sum: BECO's, ToCo's",
    )
    long_side: int | None = Field(
        512,
        gt=0,
        le=bounds.SIDE,
        description="length that the longer side of the data set's image is resized to first, up or down",
    )
    rounding: infer.Rounding = Field(
        "factor", description="of the sizes of scaled images; factor: down, sampled at the very factor"
    )
    crf_settings: Crf = Field(AFA_CRF, description="the dense CRF (AFA)")
