"""The whole network against the released one, and what a training step shows it."""

from typing import Any

import numpy as np
import torch

from formula_weights import by_formula
from reference_vectors import vectors
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_locbe.checkpoint import load_official
from wsss_locbe.nets import Crop, LocBe, Views

TINY = {"img_size": 64, "embed_dim": 48, "depth": 4, "num_heads": 12, "mlp_ratio": 2}


def tiny(num_classes: int = 4, width: int = 512) -> LocBe:
    torch.manual_seed(0)
    return LocBe(ViT("vit_tiny_patch16_224", TINY), LargeFov(48, num_classes + 1, width), num_classes)


@vectors("locbe/tiny_net")
def test_outputs_are_the_released_ones(ref: dict[str, Any], tmp_path: Any) -> None:
    """But for attn_pred, which enters no loss and is not computed; its two tensors are named as unused."""
    net = tiny(ref["cls_max_pool"].shape[1])
    by_formula(net.decoder)
    state = {key[3:]: torch.from_numpy(value) for key, value in ref.items() if key.startswith("sd.")}
    state |= {f"decoder.{name}": value for name, value in net.decoder.state_dict().items()}
    torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "model_iter_20000.pth")
    unused = load_official(net, tmp_path / "model_iter_20000.pth")
    assert set(unused) == {"encoder.head.weight", "encoder.head.bias", "attn_proj.weight", "attn_proj.bias"}
    images = torch.from_numpy(ref["x"])
    with torch.no_grad():
        seen = net(images, True, lambda features: Views(erased=images)).whole
        hybrid = net.hybrid_tag_logits(seen.features.patches)
        cams, inner = net.class_maps(seen.features)
    found = {
        "cls_token": seen.features.cls,
        "fmap": seen.features.patches,
        "cls_max_pool": seen.tags,
        "cls_hybrid_pool": hybrid,
        "cls_aux": seen.inner_tags,
        "seg": seen.logits,
        "cam": cams,
        "cam_aux": inner,
    }
    for name, value in found.items():
        np.testing.assert_allclose(value, ref[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_views_are_seen_as_if_each_were_shown_alone() -> None:
    net = tiny(width=8)
    images, erased = torch.randn(2, 2, 3, 64, 64).unbind()
    crops = [images[:, :, :h, :w] for h, w in ((32, 32), (32, 16), (32, 32), (16, 32))]
    crops[2] = crops[2][:1]  # of a group of one
    views = Views(erased=erased, crops=tuple(Crop(0, crop) for crop in crops))
    shown = []
    with torch.no_grad():
        seen = net(images, False, lambda features: (shown.append(features), views)[1])
        assert seen.whole.logits is None and seen.views is views and shown == [seen.whole.features]
        torch.testing.assert_close(seen.erased_tags, net.hybrid_tag_logits(net.encoder(erased).patches))
        for crop, token in zip(crops, seen.local):
            torch.testing.assert_close(token, net.encoder(crop).cls, rtol=1e-4, atol=1e-5)
