"""Whole images, from their bytes to CAMs and pseudo-labels, against the released functions."""

from typing import Any

import numpy as np
import pytest
import torch

from bench.released.clipes import Released
from on_one_device import RELEASED, OnOneDevice
from reference_vectors import vectors
from tiny_clip import state_of, tower_of, weights_beside
from wsss_cli.cam.label import threshold_label
from wsss_cli.cam.merge import upsample
from wsss_cli.data.label_format import BYTE
from wsss_cli.metrics.confusion import confusion
from wsss_cli.metrics.confusion import scores as scored
from wsss_cli.nets.backbones.backbone import entry
from wsss_cli.nets.backbones.clip import MEAN, STD
from wsss_cli.nets.clip_net import ClipNet
from wsss_cli.nets.normalisation import Normalisation
from wsss_cli.refine.crf import wrapped_image
from wsss_clipes.cams import cams_of, whole_patches
from wsss_clipes.config import Pseudo, Seeds
from wsss_clipes.labels import pseudo_label, scores


@vectors("clipes/preprocess")
def test_images_are_enlarged_and_normalised_as_released(ref: dict[str, Any]) -> None:
    image = whole_patches(ref["image"], 16)
    found = (image / 255 - MEAN) / STD
    where = list(ref["scales"]).index(1.0)
    for i, view in ((0, found), (1, found[:, ::-1])):  # the mirrored one is made and not used
        np.testing.assert_allclose(view.transpose(2, 0, 1), np.squeeze(ref[f"out{2 * where + i}"]), rtol=0, atol=1e-5)


@vectors("clipes/seeds")
@pytest.mark.parametrize(("kind", "threshold"), [("voc", 0.4), ("coco", 0.7)])
def test_seeds_are_the_released_ones(
    ref: dict[str, Any], request: pytest.FixtureRequest, kind: str, threshold: float
) -> None:
    weights = weights_beside(request)
    tower = tower_of(state_of(weights), weights["heads"])
    tower.entry = entry(Normalisation(mean=MEAN, std=STD))
    config = Seeds(box_threshold=threshold, net=ClipNet(logit_scale=float(torch.tensor(weights["logit_scale"]).exp())))
    names, ids = ("", "tags_in_order") if kind == "voc" else ("_coco", "tags_coco")
    text = torch.from_numpy(ref[f"fg_text{names}"]), torch.from_numpy(ref[f"bg_text{names}"])
    order = np.atleast_1d(ref[ids])
    np.testing.assert_array_equal(ref[f"keys{names}"], order)
    tags = torch.zeros(1, len(text[0]))
    tags[0, torch.from_numpy(order).long()] = 1
    image = torch.from_numpy(whole_patches(ref["image"], tower.body.patch_embed.patch_size[0])[None].copy())
    (found,) = cams_of(tower, image, tags, text, config)
    full = upsample(found.half().float(), ref["image"].shape[:2])
    expected = ref[f"attn_highres_{kind}"].astype(np.float32)[np.argsort(order)]
    np.testing.assert_allclose(full, expected, rtol=0, atol=2e-3)
    with OnOneDevice(RELEASED):
        released = Released(tower, text, config)(ref["image"], [int(i) + 1 for i in order])
    np.testing.assert_allclose(released[np.argsort(order)], expected, rtol=0, atol=2e-3)


@vectors("clipes/pseudo")
def test_pseudo_labels_are_the_released_ones(ref: dict[str, Any]) -> None:
    image, cams = torch.from_numpy(ref["image"]), torch.from_numpy(ref["cams"]).float()
    keys, config = torch.from_numpy(ref["keys"]) + 1, Pseudo()
    np.testing.assert_array_equal(wrapped_image(image).flip(-1), ref["crf_image_bgr"])
    prob = scores(image, cams, config)
    np.testing.assert_allclose(prob, ref["Q"], rtol=0, atol=5e-4)
    for sure, name in ((0.95, "pseudo_label"), (0.0, "label_without_ignore")):
        assert (pseudo_label(prob, keys, sure, BYTE).numpy() != ref[name]).mean() <= 1e-3
    np.testing.assert_allclose(scores(image, cams, Pseudo(half=False)), ref["Q_float32_unary"], rtol=0, atol=5e-4)
    plain = Pseudo(half=False, bgr=False, crf=config.crf.model_copy(update={"official_image": False}))
    np.testing.assert_allclose(scores(image, cams, plain), ref["Q_plain_rgb_image"], rtol=0, atol=5e-4)


@vectors("clipes/pseudo")
@pytest.mark.parametrize(
    ("threshold", "label", "miou"),
    [
        (0.3, "label_threshold_0p3", "miou_3"),
        (0.5, "label_power_1", "miou_10"),  # 1 - m > m where m < 0.5
        ((3 - 5**0.5) / 2, "label_power_2", "miou_20"),  # (1 - m)^2 > m where m < 0.382
    ],
)
def test_a_constant_background_scores_as_released(ref: dict[str, Any], threshold: float, label: str, miou: str) -> None:
    cams, keys = torch.from_numpy(ref["cams"]).float(), torch.from_numpy(ref["keys"]) + 1
    assert (threshold_label(cams, keys, threshold).numpy() != ref[label]).mean() <= 1e-3
    matrix = confusion(torch.from_numpy(ref["gt"]), torch.from_numpy(ref[label]), 21)
    assert scored(matrix, "ground_truth").miou == pytest.approx(ref[miou], abs=1e-9)
