"""The dense CRF's values, and those that the papers' released code uses. Imports no torch: configurations hold it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wsss_cli import bounds
from wsss_cli.config import Config


class Crf(Config):
    """Dense CRF with one Gaussian and one bilateral kernel and Potts labels.  [Kraehenbuehl, Koltun 2011]"""

    backend: Literal["native", "pydensecrf"] = Field(
        "native", description="native: this package's, on CPU or GPU; pydensecrf: the compiled one, extra `crf`"
    )
    iterations: int = Field(10, ge=0, le=bounds.REPEATS, description="mean-field iterations; 10 in every released code")
    gaussian_sxy: float = Field(
        1, gt=0, le=bounds.DISTANCE, description="standard deviation of the Gaussian kernel, pixels (DeepLab)"
    )
    gaussian_compat: float = Field(
        3, ge=0, le=bounds.FACTOR, description="weight of the Gaussian kernel (DeepLab); 0 leaves it out"
    )
    bilateral_sxy: float = Field(
        67, gt=0, le=bounds.DISTANCE, description="bilateral kernel: standard deviation in pixels (DeepLab)"
    )
    bilateral_srgb: float = Field(
        3, gt=0, le=bounds.DISTANCE, description="bilateral kernel: the same in colour, 0..255 (DeepLab)"
    )
    bilateral_compat: float = Field(
        4, ge=0, le=bounds.FACTOR, description="weight of the bilateral kernel (DeepLab); 0 leaves it out"
    )
    clip: float = Field(1e-5, gt=0, lt=1, description="least probability in unary = -log p (pydensecrf.utils)")
    gt_prob: float = Field(0.7, gt=0, lt=1, description="certainty of given labels, unary from labels (IRN)")
    official_image: bool = Field(
        False,
        description="quirk of released DeepLab and BECO code: feed the mean-subtracted image cast to uint8, modulo 256",
    )


_DEEPLAB = Crf()
_TOCO = Crf(gaussian_sxy=1, gaussian_compat=1, bilateral_sxy=121, bilateral_srgb=5, bilateral_compat=4)
_TOCO_CAM = Crf(gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=36, bilateral_srgb=3, bilateral_compat=4)
_PPMG_ROUGH = Crf(gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=80, bilateral_srgb=13, bilateral_compat=10)

PRESETS: dict[str, Crf] = {
    "deeplab": _DEEPLAB,  # kazuto1011/deeplab-pytorch `crf`, which published 77.93 with official_image
    "beco": _DEEPLAB,  # ShenghaiRong/BECO test.py, there with official_image
    "bcm": _DEEPLAB,  # developfeng/BCM, unchanged from deeplab-pytorch
    "bcm_boxes": _DEEPLAB,  # masks from boxes, after WSSL's Bbox-Seg [Papandreou et al. 2015]
    "ppmg_infer": _DEEPLAB,  # Eli-YiLi/WSSS_MMSeg, test with crf=True
    "irn": Crf(  # jiwoon-ahn/irn cam_to_ir_label: from labels with gt_prob
        gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=50, bilateral_srgb=5, bilateral_compat=10, gt_prob=0.7
    ),
    "toco": _TOCO,  # rulixiang/ToCo infer_seg
    "puf": _TOCO,  # PUF infer_voc, infer_seg_coco
    "locbe": _TOCO,  # LOC-BE, unchanged from ToCo
    "toco_cam": _TOCO_CAM,  # rulixiang/ToCo infer_cam_crf_label
    "puf_cam": _TOCO_CAM,  # PUF, unchanged from ToCo
    "afa": Crf(  # rulixiang/afa infer_seg
        gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=64, bilateral_srgb=5, bilateral_compat=4
    ),
    "ppmg_rough": _PPMG_ROUGH,  # Eli-YiLi/PMM rough masks: all classes at once
    "ppmg": _PPMG_ROUGH.model_copy(update={"gaussian_compat": 10.0}),  # Eli-YiLi/PMM: class by class
}
"""By name, the values of the released code named beside each; official_image is off in all of them."""
