"""Image operations against the released ones, draw for draw; padding that is 0 after normalisation."""

import random
from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_cli.batches import transforms as T


@vectors("beco/irn_img_ops")
def test_operations_are_irns(ref: dict[str, Any]) -> None:
    img, label = ref["img"], ref["label"]
    np.testing.assert_array_equal(T.rescale(img, 1.5, "bicubic"), ref["rescale_1p5"])
    np.testing.assert_array_equal(T.rescale(img, 0.5, "bicubic"), ref["rescale_0p5"])
    np.testing.assert_array_equal(T.rescale(ref["label64"], 0.25, "nearest"), ref["label64_quarter"])
    np.testing.assert_array_equal(ref["label64"][2::4, 2::4], ref["label64_quarter"])
    corner = T.top_left_crop(label.shape, 48)
    np.testing.assert_array_equal(T.place_labels(label, corner, 48), ref["top_left_48"])


@vectors("beco/irn_img_ops")
def test_random_operations_draw_as_irns(ref: dict[str, Any]) -> None:
    img, label, rng = ref["img"], ref["label"], random.Random(ref["py_seed"])
    long_side = T.long_side_scale(img.shape[:2], 40, 80, rng)
    np.testing.assert_array_equal(T.rescale(img, long_side, "bicubic"), ref["resize_long_40_80"])
    scale = T.uniform_scale(0.5, 1.5, rng)
    small, small_label = T.rescale(img, scale, "bicubic"), T.rescale(label, scale, "nearest")
    np.testing.assert_array_equal(small, ref["rand_scale_img"])
    np.testing.assert_array_equal(small_label, ref["rand_scale_label"])
    at = T.random_crop(small.shape[:2], 48, rng)
    np.testing.assert_array_equal(T.place(small, at, 48), ref["crop48_img"])
    np.testing.assert_array_equal(T.place_labels(small_label, at, 48), ref["crop48_label"])


@vectors("beco/crop")
def test_resized_crop_draws_as_torchvision(ref: dict[str, Any]) -> None:
    img, label, mask = ref["img"], ref["label"], ref["mask"]
    size, out = img.shape[:2], ref["out_img"].shape[1:]
    generator = torch.Generator().manual_seed(ref["torch_seed"])
    drawn = [T.random_resized_crop(size, generator) for _ in ref["params_ijhw"]]
    np.testing.assert_array_equal(drawn, ref["params_ijhw"])

    generator.manual_seed(ref["torch_seed"])
    window, mirrored = T.random_resized_crop(size, generator), torch.rand(1, generator=generator).item() < 0.5

    def crop(x: np.ndarray, mode: T.Mode) -> np.ndarray:
        resized = T.resize(window.cut(x), out, mode)
        return T.flip(resized) if mirrored else resized

    np.testing.assert_allclose(_normalised(crop(img, "bilinear")), ref["out_img"], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(crop(label, "nearest"), ref["out_label"])
    np.testing.assert_array_equal(crop(mask, "nearest"), ref["out_mask"][0] > 0)


@vectors("beco/crop")
def test_validation_ignores_the_aspect(ref: dict[str, Any]) -> None:
    out = ref["val_img"].shape[1:]
    np.testing.assert_allclose(_normalised(T.resize(ref["img"], out, "bilinear")), ref["val_img"], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(T.resize(ref["label"], out, "nearest"), ref["val_label"])


def test_padding_is_zero_after_normalisation() -> None:
    rng = random.Random(3)
    small, large = np.full((5, 20, 3), 200, np.uint8), np.full((30, 9, 3), 7, np.uint8)
    placed = [T.random_crop(x.shape[:2], 12, rng) for x in (small, large)]
    batch = torch.from_numpy(np.stack([T.place(x, at, 12) for x, at in zip((small, large), placed)]))
    out = T.normalise(batch, torch.tensor([at.valid for at in placed]))
    plain = T.normalise(batch)
    for image, raw, reference, at in zip(out, batch, plain, placed):
        inside = torch.zeros(12, 12, dtype=torch.bool)
        inside[at.y : at.y + at.h, at.x : at.x + at.w] = True
        assert (raw[~inside] == 0).all() and (raw[inside] > 0).all()
        assert (image[:, ~inside] == 0).all()
        assert torch.equal(image[:, inside], reference[:, inside])
    assert [(at.h, at.w) for at in placed] == [(5, 12), (12, 9)]


def test_random_crops_reach_every_place() -> None:
    rng = random.Random(0)
    crops = [T.random_crop((6, 3), 4, rng) for _ in range(200)]
    assert {(c.top, c.x) for c in crops} == {(top, x) for top in range(3) for x in range(2)}
    assert {(c.left, c.y, c.h, c.w) for c in crops} == {(0, 0, 4, 3)}


def test_a_misfit_falls_back_to_the_centre() -> None:
    window = T.random_resized_crop((10, 400), torch.Generator().manual_seed(0), area=(0.9, 1.0))
    assert window == (0, (400 - 13) // 2, 10, 13)


def _normalised(image: np.ndarray) -> np.ndarray:
    return T.normalise(torch.from_numpy(image.copy())[None])[0].numpy()
