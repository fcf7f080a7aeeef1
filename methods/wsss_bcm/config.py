"""The settings of BCM's stages; defaults are those of the released code (voc12_bcm.yaml, voc12_fr.yaml) unless said."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from wsss_cli.config import Config, StageConfig
from wsss_cli.engine import infer
from wsss_cli.engine.loop import Loop
from wsss_cli.nets.config import Net
from wsss_cli.refine.crf_config import PRESETS, Crf


class Seeds(StageConfig):
    """Label maps from boxes; neither they nor code for them was released."""

    model_config = ConfigDict(populate_by_name=True)  # "from" is no name for Python

    split: str | None = Field(None, description="the split to make seeds of; the data set's training split")
    origin: Literal["crf", "grabcut", "import"] = Field(
        "crf",
        alias="from",
        description="crf: dense CRF within the boxes [after WSSL's Bbox-Seg]; grabcut: where it agrees with GrabCut "
        "[after M&G+; extra `grabcut`]; import: ready-made label maps",
    )
    folder: str | None = Field(None, description="from=import: the folder, one ID.png each (SegmentationClassAug_MG)")
    centre: float = Field(0.2, gt=0, le=1, description="middle share of a box's area that is surely object [WSSL]")
    certainty: float = Field(0.9, gt=0.5, lt=1, description="probability of the class in that middle")
    fallback: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of its box below which a segment is given up: the middle is object, the rest of the box "
        "ignored [after Khoreva et al. 2017]; 0 never",
    )
    crf: Crf = Field(PRESETS["bcm_boxes"], description="the dense CRF")
    iterations: int = Field(5, gt=0, description="of GrabCut")


class Crop(Config):
    """Scale, crop and mirror of the training images."""

    scales: tuple[float, ...] = Field((0.5, 0.75, 1.0, 1.25, 1.5), min_length=1, description="one is drawn")
    size: int = Field(321, gt=0, description="side of the crop; smaller images are padded")
    longer_side: int | None = Field(None, gt=0, description="length that the longer side gets first; null: its own")
    flip: bool = Field(True, description="mirror half of the samples")


class Rates(Config):
    """SGD's learning rates: deeplab-pytorch's three groups."""

    lr: float = Field(2.5e-4, gt=0, description="of the backbone")
    head_factor: float = Field(10.0, gt=0, description="factor for the weights of ASPP and of the masking branch")
    bias_factor: float = Field(20.0, gt=0, description="factor for their biases, which have no weight decay")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum")
    weight_decay: float = Field(5e-4, ge=0, description="weight decay")
    power: float = Field(0.9, gt=0, description="lr * (1 - k / total) ** power")
    every: int = Field(10, gt=0, description="iterations between updates of the learning rate")


class Phase(Config):
    """One of the three trainings, each of which starts from the one before."""

    enabled: bool = Field(True, description="false: leave it out")
    checkpoint: str | None = Field(
        None,
        description="take these weights instead of this training and those before: deeplab-pytorch's or BCM's file",
    )
    rates: Rates = Field(Rates(), description="optimiser")
    loop: Loop = Field(Loop(epochs=11.3507, batch=12, accumulate=3), description="length; VOC: 10,000 iterations")


class Shift(Config):
    """How filling rates edit the labels."""

    strength: float = Field(0.3, ge=0, description="how far the variances of the scores shift a filling rate")
    low: float = Field(0.05, ge=0, le=1, description="score up to which a label may be dropped")
    high: float = Field(0.98, ge=0, le=1, description="score above which an ignored pixel may get a label")
    most: float = Field(0.05, ge=0, le=1, description="share of an image's pixels above which nothing is edited")


class Train(StageConfig):
    """DeepLabV2-MSC on the seeds (base), with the masking branch (bcm), and once more (fr)."""

    labels: str = Field("seeds", description="seeds: the run's; masks: the ground truth; or a folder of label maps")
    boxes: str | None = Field(
        None, description="a folder of painted box maps (SegmentationClassAug_Box); null: painted from the data's boxes"
    )
    split: str | None = Field(None, description="the split to learn from; the data set's training split")
    net: Net = Field(
        Net(backbone="resnet101_caffe", head="deeplabv2", freeze_bn=True),
        description="the network; VOC is published from the COCO weights of deeplab-pytorch, net.pretrained=FILE",
    )
    scales: tuple[float, ...] = Field((0.5, 0.75), description="at which the network sees each image as well (MSC)")
    crop: Crop = Field(Crop(), description="augmentation")
    base: Phase = Field(
        Phase(loop=Loop(epochs=18.9036, batch=10, accumulate=2)),
        description="DeepLabV2-MSC without masks, deeplab-pytorch's settings; VOC: 20,000 iterations",
    )
    bcm: Phase = Field(Phase(), description="box-driven class-wise masking")
    fr: Phase = Field(Phase(), description="filling-rate shifting: released as the same objective, begun again")
    mask_weight: float = Field(0.1, ge=0, description="weight of the masking branch's loss")
    fr_mode: Literal["official", "intended", "topk", "off"] = Field(
        "official",
        description="labels in bcm and fr: official, background outside boxes, as the released code comes out; "
        "intended: its slips repaired; topk: the CVPR paper's best share of each class; off: as they are",
    )
    shift: Shift = Field(Shift(), description="fr_mode official and intended")
    filling_rates: str = Field(
        "measured",
        description="fr_mode intended and topk: measured, on the labels; official, VOC's constants; or a FILE",
    )
    label_resize: Literal["double", "single"] = Field(
        "double",
        description="labels of the smaller scales: double, from those at the logits' size, as released; single, from "
        "the whole map, as deeplab-pytorch; base is always single",
    )

    def unneeded(self) -> tuple[str, ...]:
        return () if self.labels == "seeds" and self.last_taken() is None else ("seeds",)

    def phases(self) -> list[tuple[str, Phase]]:
        """Those that are not left out, in order."""
        return [(n, p) for n, p in (("base", self.base), ("bcm", self.bcm), ("fr", self.fr)) if p.enabled]

    def last_taken(self) -> str | None:
        """The last phase, if its weights are taken from a file: then nothing is trained."""
        phases = self.phases()
        return phases[-1][0] if phases and phases[-1][1].checkpoint is not None else None


class Instances(Config):
    """One mask for each box."""

    enabled: bool = Field(True, description="write instances.json (COCO)")
    shape: Literal["polygon", "rle"] = Field("polygon", description="polygon, as released; rle: run-length masks")
    tolerance: float = Field(2.0, ge=0, description="pixels that polygons may be off")
    overlap: Literal["share", "smaller"] = Field(
        "share", description="pixels under several boxes of a class: all of them (released), or the smallest"
    )
    area: Literal["box", "mask"] = Field("box", description="the field `area`: the box's, as released, or the mask's")


class Pseudo(StageConfig):
    """Pseudo-labels of the trained network, and instance labels."""

    split: str | None = Field(None, description="the split to make pseudo-labels of; the data set's training split")
    batch: int = Field(1, gt=0, description="images of equal shape per forward pass")
    confident: float | None = Field(
        0.95,
        gt=0,
        lt=1,
        description="also labels_prob/: the seed, but the network's class where it is surer; null: not",
    )
    clip: bool = Field(False, description="background where a pixel's class has no box over it")
    instances: Instances = Field(Instances(), description="instance labels")

    def unneeded(self) -> tuple[str, ...]:
        return () if self.confident is not None else ("seeds",)


class Infer(infer.Infer):
    """How the trained network is applied."""

    crf_settings: Crf = Field(PRESETS["bcm"], description="the dense CRF (official_image=true: with its quirk)")
