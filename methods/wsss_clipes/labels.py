"""CAMs to pseudo-labels: the dense CRF, and what stays unsure is ignored.  [Lin et al. 2023, released code]"""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.cam.label import with_background
from wsss_cli.data.label_format import LabelFormat
from wsss_cli.refine.crf import dense_crf, wrapped_image
from wsss_clipes.config import Pseudo


def scores(image: Tensor, cam: Tensor, config: Pseudo) -> Tensor:
    """Scores of [background, classes] after the CRF: image (H, W, 3) uint8 RGB, cam (n, H, W) -> (n + 1, H, W)."""
    crf = config.crf
    shown = wrapped_image(image) if crf.official_image else image
    plain = crf.model_copy(update={"official_image": False})
    return dense_crf(shown.flip(-1) if config.bgr else shown, unary(cam, config), plain)


def unary(cam: Tensor, config: Pseudo) -> Tensor:
    """Energies -log [1 - max, maps] of scores in float16, as released: (n, H, W) -> (n + 1, H, W) float32."""
    cam = cam.half()
    prob = torch.cat([1 - cam.amax(0, keepdim=True), cam]).clamp(config.crf.clip, 1)
    energies = -prob.float().log()
    return energies.half().float() if config.half else energies


def pseudo_label(prob: Tensor, keys: Tensor, sure: float, form: LabelFormat) -> Tensor:
    """argmax, ignored where it is less than `sure`: (n + 1, H, W), keys (n,) ids -> (H, W) ids of the format `form`."""
    best, index = prob.max(0)
    return form.tensor(torch.where(best < sure, form.ignore, with_background(keys)[index]))
