"""Pseudo-masks against the released ones, to the pixel; their quirks; the ablations."""

from typing import Any

import numpy as np
import pytest
import torch

from reference_vectors import vectors
from wsss_cli.cam.store import Cam
from wsss_cli.refine.crf import DenseCrf
from wsss_ppmg.config import CRF, Pseudo
from wsss_ppmg.labels import pseudo_label
from wsss_ppmg.masks import against_background, by_share, energies, proportional, shares, smoothed, variation

TYPES = {"f16": np.float16, "f32": np.float32}


@vectors("ppmg/cvs_ppmg")
@pytest.mark.parametrize("kind", TYPES)
def test_every_step(ref: dict[str, Any], kind: str) -> None:
    cams = ref["cams"].astype(TYPES[kind])
    np.testing.assert_allclose([variation(cam) for cam in cams], ref[f"cov_scaled_{kind}"], atol=1e-6)
    scores = np.stack([smoothed(cam) for cam in cams])
    np.testing.assert_allclose(scores, ref[f"cvs_{kind}"], atol=1e-6)
    pairs = [against_background(s[None], 11) for s in scores]
    np.testing.assert_allclose([pair[0] for pair in pairs], ref[f"bg_{kind}"], atol=1e-6)
    crf = DenseCrf(torch.tensor(ref["img_bgr"]).byte(), CRF)
    likely = crf.infer_each(energies(np.stack(pairs))).numpy()
    np.testing.assert_allclose(likely, ref[f"crf_fg_{kind}"], atol=1e-3)
    np.testing.assert_allclose(shares(cams, ref[f"crf_fg_{kind}"] > 0.5), ref[f"importance_{kind}"], atol=1e-9)
    ids = np.concatenate([[0], ref["keys"] + 1])
    np.testing.assert_array_equal(ids[by_share(cams, ref[f"crf_fg_{kind}"] > 0.5)], ref[f"mask_{kind}"])
    found = ids[proportional(cams, scores, lambda s: crf.infer_each(energies(s)).numpy(), 11)]
    assert (found != ref[f"mask_{kind}"]).sum() <= 1


@vectors("ppmg/cvs_ppmg")
def test_the_stage_gives_the_released_mask(ref: dict[str, Any]) -> None:
    image = ref["img_bgr"].astype(np.uint8)[:, :, ::-1]
    keys = (ref["keys"] + 1).astype(np.int64)
    cam = Cam(keys, ref["cams"][:, ::4, ::4], image.shape[:2], high_res=ref["cams"])
    assert (pseudo_label(image, cam, Pseudo()) != ref["mask_f16"]).sum() <= 1
    ablations = [Pseudo(cvs=cvs, ppmg=ppmg) for cvs, ppmg in ((False, True), (True, False), (False, False))]
    others = [pseudo_label(image, cam, config) for config in ablations]
    for other in others:
        assert set(np.unique(other)) <= {0, *keys}
        assert 0 < (other != ref["mask_f16"]).mean() < 0.5


def test_smoothing_expands_cams() -> None:
    cam = np.array([[0.0, 0.04, 0.2, 0.9]], dtype=np.float32)
    high = np.array([0.2, 0.9])
    cv = 0.3 * high.std() / high.mean()
    assert variation(cam) == pytest.approx(cv)
    np.testing.assert_allclose(smoothed(cam), [[0, 0, 0.2 ** (1 - cv), 0.9 ** (1 - cv)]], rtol=1e-5)
    nothing = np.full((2, 2), 0.03, np.float16)
    assert variation(nothing) == 0 and not smoothed(nothing).any()


def test_a_large_object_overflows_only_where_asked() -> None:
    """400 x 400 scores of 0.3 and 0.7: their sum, 80,000, is no float16."""
    cam = np.full((400, 400), 0.3, np.float16)
    cam[:, 200:] = 0.7
    assert variation(cam) == pytest.approx(0.3 * 0.2 / 0.5, abs=1e-3)
    assert smoothed(cam).dtype == np.float16 and smoothed(cam).max() < 1
    assert np.isinf(variation(cam, overflow=True)) and np.isinf(smoothed(cam, overflow=True)).all()


def test_small_objects_win_overlaps_and_pixels_without_a_cam_fall_back() -> None:
    cams = np.zeros((2, 1, 6), np.float32)
    cams[0, 0, :4], cams[1, 0, 3] = 1, 0.5
    claimed = np.zeros((2, 1, 6), bool)
    claimed[0, 0, :5], claimed[1, 0, 3] = True, True  # pixel 4 is the CRF's own: no CAM there
    assert by_share(cams, claimed).tolist() == [[1, 1, 1, 2, 0, 0]]


def test_energies_are_not_normalised() -> None:
    np.testing.assert_allclose(
        energies(np.array([[[0.0, 0.5, 2.0]]], np.float32))[0, 0], -np.log([1e-5, 0.5, 1]), rtol=1e-5
    )
