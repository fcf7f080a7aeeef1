"""PUF's whole network against the released code: two views, one, an odd size; CAMs; prediction."""

from typing import Any

import numpy as np
import torch

from official_puf import images, network
from reference_vectors import ROOT, load, vectors
from wsss_cli.cam.online import online_cams
from wsss_cli.engine.infer import _logits_of_scales, fuse_logits
from wsss_puf.config import Infer
from wsss_puf.nets import SecondView

CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@vectors("puf/network")
@torch.no_grad()
def test_outputs_are_the_released_ones(ref: dict[str, Any]) -> None:
    net = network(ref, "sd")
    one, two, b = images(ref["img1_u8"]), images(ref["img2_u8"]), len(ref["img1_u8"])
    mask = torch.from_numpy(ref["mask"])
    assert not mask[:b].any()
    out = net(one, SecondView(two, mask[b:]))
    assert out.logits is not None and out.classes is not None and out.masked is not None
    scores = ref["mv.project_out"]  # (2B, 1 + N, P)
    maps = [x.relu() for x in net.maps_of(out.patches, out.inner)]
    for found, expected in (
        (out.tags, ref["mv.top_cls_out"]),
        (out.inner_tags, ref["mv.aux_cls_out"]),
        (out.logits, ref["mv.seg_out"]),
        (out.patches, ref["mv.top_fmap"]),
        (out.inner, ref["mv.aux_fmap"]),
        (maps[0], ref["mv.top_cam"]),
        (maps[1], ref["mv.aux_cam"]),
        (out.classes[0], scores[b:, 0]),
        (out.masked, scores[b:, 1:][ref["mask"][b:].reshape(b, -1)]),
        (net.class_scores(one), scores[:b, 0]),
    ):
        np.testing.assert_allclose(found, expected, **CLOSE)
    seen, mean = net.patch_scores(one, mask[b:])
    np.testing.assert_allclose(seen, scores[:b, 1:][ref["mask"][b:].reshape(b, -1)], **CLOSE)
    np.testing.assert_allclose(mean[0], scores[:b, 1:].mean((0, 1)), **CLOSE)


@vectors("puf/network")
@torch.no_grad()
def test_one_view_and_an_odd_size(ref: dict[str, Any]) -> None:
    net = network(ref, "sd")
    for view, prefix in (("img1_u8", "sv"), ("rect_u8", "rect")):
        x = images(ref[view])
        out, features = net(x), net.encoder(x)
        top, inner = (m.relu() for m in net.cams(x))
        np.testing.assert_allclose(net.inner_cams(x)[0].relu(), inner, **CLOSE)
        found = {
            "top_cls_out": out.tags,
            "aux_cls_out": out.inner_tags,
            "seg_out": net.segmentation(x),
            "top_cam": top,
            "aux_cam": inner,
            "top_fmap": features.patches,
        }
        for name, value in found.items():
            if f"{prefix}.{name}" in ref:
                np.testing.assert_allclose(value, ref[f"{prefix}.{name}"], **CLOSE)


@vectors("puf/multi_scale_cam")
@torch.no_grad()
def test_cams_are_the_released_ones(ref: dict[str, Any]) -> None:
    net = network(load(ROOT / "puf" / ref["weights_from"]), "sd")
    for view, names in (("img1_u8", ("cam", "aux_cam")), ("rect_u8", ("rect_cam", "rect_aux_cam"))):
        x = images(ref[view])
        tags, scales = torch.ones(len(x), ref[names[0]].shape[1]), ref["scales"].tolist()
        for known in (None, net.cams(x)):
            found = online_cams(net.cams, x, tags, scales, relu_first=True, known=known)
            for cams, name in zip(found, names):
                np.testing.assert_allclose(cams, ref[name], **CLOSE)
        (inner,) = online_cams(net.inner_cams, x, tags, scales, relu_first=True)
        np.testing.assert_allclose(inner, ref[names[1]], **CLOSE)


@vectors("puf/infer")
@torch.no_grad()
def test_prediction_is_the_released_one(ref: dict[str, Any]) -> None:
    net = network(load(ROOT / "puf" / ref["weights_from"]), "sd")
    config, x = Infer(scales=ref["scales"].tolist()), images(ref["rect_u8"])
    logits = fuse_logits(_logits_of_scales(net.segmentation, x, config, x.shape[2:]), config.fusion)
    np.testing.assert_allclose(logits, ref["seg_logits"], **CLOSE)
    np.testing.assert_array_equal(logits.argmax(1), ref["pred"])
