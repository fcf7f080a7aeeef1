"""The dense CRF against pydensecrf's results, stored and live."""

import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

import wsss_irn.config
import wsss_ppmg.config
import wsss_weclip.config
from reference_vectors import vectors
from wsss_cli.errors import WsssError
from wsss_cli.refine import mean_field
from wsss_cli.refine.crf import (
    Crf,
    DenseCrf,
    dense_crf,
    unary_from_labels,
    unary_from_softmax,
    wrapped_image,
)
from wsss_cli.refine.crf_config import DEEPLAB, compact
from wsss_cli.single_stage import config as single_stage

PRESETS = {
    "deeplab": DEEPLAB,
    "predictions": single_stage.CRF,
    "cams": single_stage.CAM_CRF,
    "irn": wsss_irn.config.CRF,
    "afa": wsss_weclip.config.AFA_CRF,
    "rough": wsss_ppmg.config.ROUGH_CRF,
    "ppmg": wsss_ppmg.config.CRF,
}
"""All that the released code uses."""


def tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def assert_agree(ours: Tensor | np.ndarray, theirs: np.ndarray) -> None:
    """At least 99.9 % of the labels are equal."""
    assert (np.asarray(ours) == theirs).mean() >= 0.999


@vectors("bcm/densecrf")
def test_densecrf(ref: dict[str, Any]) -> None:
    image, unary = tensor(ref["image"]), unary_from_softmax(tensor(ref["prob"]))
    np.testing.assert_allclose(unary.flatten(1), ref["unary"], atol=1e-5)
    wrapped = wrapped_image(image.flip(2)).flip(2)  # the file's image is BGR
    np.testing.assert_array_equal(wrapped, ref["image_wrapped"])
    for crf, picture, name in (
        (_given(ref["params_voc"]), image, "q_voc"),
        (_given(ref["params_voc"]), wrapped, "q_wrapped"),
        (_given(ref["params_alt"]), image, "q_alt"),
    ):
        prob = dense_crf(picture, unary, crf)
        np.testing.assert_allclose(prob, ref[name], atol=1e-3)
        assert_agree(prob.argmax(0), ref[name].argmax(0))


def _given(params: np.ndarray) -> Crf:
    iterations, gaussian_compat, gaussian_sxy, bilateral_compat, bilateral_sxy, bilateral_srgb = params.tolist()
    return Crf(
        iterations=int(iterations),
        gaussian_sxy=gaussian_sxy,
        gaussian_compat=gaussian_compat,
        bilateral_sxy=bilateral_sxy,
        bilateral_srgb=bilateral_srgb,
        bilateral_compat=bilateral_compat,
    )


@vectors("beco/crf_softmax")
def test_beco(ref: dict[str, Any]) -> None:
    image = tensor(ref["image_uint8"])
    logits = interpolate(tensor(ref["pre_logits"]), image.shape[:2], mode="bilinear", align_corners=False)[0]
    unary = unary_from_softmax(logits.softmax(0))
    official = DEEPLAB.model_copy(update={"official_image": True})
    np.testing.assert_array_equal(wrapped_image(image), ref["image_wrapped"])
    prob = dense_crf(image, unary, official)
    assert_agree(prob.argmax(0), ref["crf_argmax_official_wrapped"])
    np.testing.assert_allclose(prob[:, ::4, ::4], ref["crf_prob_wrapped_sub"], atol=1e-3)
    assert_agree(dense_crf(image, unary, DEEPLAB).argmax(0), ref["crf_argmax_plain_image"])


@vectors("beco/irn_ir_label")
def test_irn(ref: dict[str, Any]) -> None:
    crf = wsss_irn.config.CRF
    field = DenseCrf(tensor(ref["img"]), crf)  # one object, many unaries
    for name in ("voc_fg", "voc_bg", "coco_fg", "coco_bg"):
        unary = unary_from_labels(tensor(ref[f"{name}_argmax"]), len(ref["keys"]), crf.gt_prob)
        assert_agree(field.infer(unary).argmax(0), ref[f"{name}_crf"])


@vectors("ppmg/seg_dense_crf")
def test_ppmg_infer(ref: dict[str, Any]) -> None:
    prob = dense_crf(tensor(ref["img_rgb"]).byte(), unary_from_softmax(tensor(ref["prob"])), DEEPLAB)
    np.testing.assert_allclose(prob, ref["q"], atol=1e-3)
    assert_agree(prob.argmax(0), ref["pred"])


@vectors("ppmg/cvs_ppmg")
def test_ppmg_masks(ref: dict[str, Any]) -> None:
    image, cams = tensor(ref["img_bgr"]).byte(), tensor(ref["cams"])
    background = (1 - cams.amax(0, keepdim=True)) ** 24
    rough = dense_crf(image.flip(2), unary_from_softmax(torch.cat([background, cams])), wsss_ppmg.config.ROUGH_CRF)
    np.testing.assert_allclose(rough, ref["rough_crf_alpha24"], atol=1e-3)
    assert_agree(rough.argmax(0), ref["rough_crf_alpha24"].argmax(0))
    for against, smoothed, expected in zip(ref["bg_f32"], ref["cvs_f32"], ref["crf_fg_f32"]):  # each class by itself
        prob = dense_crf(image, unary_from_softmax(tensor(np.stack([against, smoothed]))), wsss_ppmg.config.CRF)
        np.testing.assert_allclose(prob[1], expected, atol=1e-3)
        assert_agree(prob[1] > 0.5, expected > 0.5)


def scene(classes: int, absent: float) -> tuple[Tensor, Tensor]:
    """A textured picture (90, 121, 3) of an odd number of pixels, and the unary of 3 sure and other weak classes."""
    generator = torch.Generator().manual_seed(classes)
    grid = torch.randn(1, 3 + classes, 12, 16, generator=generator)
    smooth = interpolate(grid, (90, 121), mode="bilinear", align_corners=True)[0]
    pixel = torch.randn(3, 90, 121, generator=generator)
    image = (128 + 40 * smooth[:3] + 6 * pixel).clamp(0, 255).byte().permute(1, 2, 0)
    logits = 2 * smooth[3:]
    logits[3:] += absent
    return image.contiguous(), unary_from_softmax(logits.softmax(0))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("classes", "absent"), [(2, 0.0), (21, 0.0), (21, -9.0), (30, -5.0)])
def test_backends_agree(name: str, classes: int, absent: float) -> None:
    pytest.importorskip("pydensecrf.densecrf")
    image, unary = scene(classes, absent)
    ours = dense_crf(image, unary, PRESETS[name])
    theirs = dense_crf(image, unary, PRESETS[name].model_copy(update={"backend": "pydensecrf"}))
    torch.testing.assert_close(ours.contiguous(), theirs, atol=1e-3, rtol=0)
    assert_agree(ours.argmax(0), theirs.argmax(0).numpy())


@pytest.mark.parametrize("compat", [30, 3000])
def test_messages_of_any_weight(compat: float) -> None:
    """Of those whose exponentials float32 holds, and of others."""
    pytest.importorskip("pydensecrf.densecrf")
    image, unary = scene(9, 0.0)
    crf = Crf(bilateral_compat=compat, iterations=2)
    ours, theirs = (
        dense_crf(image, unary, crf),
        dense_crf(image, unary, crf.model_copy(update={"backend": "pydensecrf"})),
    )
    torch.testing.assert_close(ours.contiguous(), theirs, atol=1e-2, rtol=0)
    assert_agree(ours.argmax(0), theirs.argmax(0).numpy())


def test_merged_classes_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare classes go on as one; when they become likely again, each goes on by itself."""
    pytest.importorskip("pydensecrf.densecrf")
    image, unary = scene(21, -9.0)
    unary[20, 40:60, 40:60] = unary.amin(0)[40:60, 40:60] + 6
    counts, iterate = [], mean_field._iterate

    def spy(kernels: Any, energy: Tensor, *rest: Any) -> Any:
        counts.append(energy.shape[1])
        return iterate(kernels, energy, *rest)

    monkeypatch.setattr(mean_field, "_iterate", spy)
    ours = dense_crf(image, unary, wsss_ppmg.config.ROUGH_CRF)
    theirs = dense_crf(image, unary, wsss_ppmg.config.ROUGH_CRF.model_copy(update={"backend": "pydensecrf"}))
    torch.testing.assert_close(ours.contiguous(), theirs, atol=1e-4, rtol=0)
    assert counts[0] == counts[2] == 21 > counts[1]


@pytest.mark.parametrize(("classes", "absent"), [(2, 0.0), (9, 0.0), (21, -9.0)])
def test_compact_lattices_give_the_same(monkeypatch: pytest.MonkeyPatch, classes: int, absent: float) -> None:
    image, unary = scene(classes, absent)
    found = []
    for small in (False, True):
        monkeypatch.setattr("wsss_cli.refine.crf.compact", lambda classes, pixels, small=small: small)
        crf = DenseCrf(image, DEEPLAB)
        found.append((crf.infer(unary).contiguous(), crf.infer_each(unary[:, None] - unary[:2].flip(0))))
        assert mean_field.is_compact(crf._kernels[small]) is small
    torch.testing.assert_close(found[1], found[0], atol=1e-4, rtol=0)
    assert torch.equal(found[1][0].argmax(0), found[0][0].argmax(0))


def test_compact_where_it_pays() -> None:
    found = [compact(classes, pixels) for classes, pixels in ((4, 100), (5, 100), (21, 1000 * 1000), (21, 1024 * 1024))]
    assert found == [True, False, False, True]


@pytest.mark.parametrize("backend", ["native", "pydensecrf"])
def test_images_of_one_size_in_one_pass(backend: str) -> None:
    if backend == "pydensecrf":
        pytest.importorskip("pydensecrf.densecrf")
    crf = DEEPLAB.model_copy(update={"backend": backend})
    image, unary = scene(5, 0.0)
    images, unaries = torch.stack([image, image.flip(0), image]), torch.stack([unary, unary.flip(1), unary.flip(0)])
    together = DenseCrf(images, crf).infer(unaries)
    for prob, one, energies in zip(together, images, unaries):
        alone = dense_crf(one, energies, crf)
        torch.testing.assert_close(prob, alone, atol=1e-5, rtol=0)
        assert torch.equal(prob.argmax(0), alone.argmax(0))
    with pytest.raises(ValueError, match="does not fit"):
        DenseCrf(images, crf).infer(unaries[:2])


@pytest.mark.parametrize("problems", [1, 3, 9])
def test_problems_of_two_labels_in_one_pass(problems: int) -> None:
    image, unary = scene(2 * problems, 0.0)
    pairs, crf = unary.unflatten(0, (problems, 2)), DenseCrf(image, wsss_ppmg.config.CRF)
    found = crf.infer_each(pairs)
    assert found.shape == (problems, *image.shape[:2])
    for ours, pair in zip(found, pairs):
        torch.testing.assert_close(ours, crf.infer(pair)[1], atol=1e-5, rtol=0)
    assert crf.infer_each(pairs[:0]).shape == (0, *image.shape[:2])
    with pytest.raises(ValueError, match="does not fit"):
        crf.infer_each(pairs[:, :, 1:])


def test_problems_of_two_labels_with_pydensecrf() -> None:
    pytest.importorskip("pydensecrf.densecrf")
    image, unary = scene(4, 0.0)
    settings = wsss_ppmg.config.CRF
    ours, theirs = (
        DenseCrf(image, settings.model_copy(update={"backend": b})).infer_each(unary.unflatten(0, (2, 2)))
        for b in ("native", "pydensecrf")
    )
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)


def test_leaves_out_a_kernel_of_no_weight() -> None:
    image, unary = scene(4, 0.0)
    alone = Crf(gaussian_compat=0, bilateral_compat=0)
    torch.testing.assert_close(dense_crf(image, unary, alone), (-unary).softmax(0))


def test_unary_from_labels() -> None:
    unary = unary_from_labels(torch.tensor([[0, 2]]), 3, 0.7)
    probability = torch.exp(-unary)[:, 0]
    torch.testing.assert_close(probability, torch.tensor([[0.7, 0.15], [0.15, 0.15], [0.15, 0.7]]))


def test_missing_backend_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    image, unary = scene(4, 0.0)
    with pytest.raises(WsssError, match=r'pip install "wsss\[crf\]"'):
        dense_crf(image, unary, Crf(backend="pydensecrf"))


def test_sizes_that_differ_are_named() -> None:
    image, unary = scene(4, 0.0)
    with pytest.raises(ValueError, match="does not fit"):
        dense_crf(image, unary[:, 1:], Crf())
    with pytest.raises(ValueError, match="uint8"):
        dense_crf(image.float(), unary, Crf())
