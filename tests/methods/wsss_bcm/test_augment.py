"""Scale, crop and mirror against the released code."""

import random
from typing import Any

import numpy as np

from reference_vectors import vectors
from wsss_bcm.augment import augment
from wsss_bcm.config import Crop


@vectors("bcm/augment")
def test_draws_and_pixels_are_the_released_ones(ref: dict[str, Any]) -> None:
    image = np.ascontiguousarray(ref["image_bgr"][..., ::-1])
    crop = Crop(size=ref["crop"], longer_side=None if ref["base"] < 0 else ref["base"])
    maps = [ref[name].astype(np.uint8) for name in ("label", "box")]
    for s in range(sum(name.endswith("_draws") for name in ref)):
        seed = int(ref[f"out{s}_draws"][4])
        made, (label, box) = augment(image, maps, crop, random.Random(seed))
        bgr = made.numpy()[..., ::-1] - ref["mean_bgr"]  # (S, S, 3)
        np.testing.assert_allclose(bgr.transpose(2, 0, 1), ref[f"out{s}_image"], rtol=0, atol=1e-5)
        np.testing.assert_array_equal(label, ref[f"out{s}_label"])
        np.testing.assert_array_equal(box, ref[f"out{s}_box"])


def test_small_images_are_padded_at_the_right_and_the_bottom() -> None:
    image = np.full((6, 9, 3), 7, np.uint8)
    crop = Crop(size=16, scales=(1.0,), flip=False)
    made, (label,) = augment(image, [np.ones((6, 9), np.uint8)], crop, random.Random(0))
    assert (made[:6, :9] == 7).all() and (label[:6, :9] == 1).all()
    assert (made[6:] == made[15, 15]).all() and (label[6:] == 255).all() and (label[:, 9:] == 255).all()
    np.testing.assert_allclose(made[15, 15], (122.675, 116.669, 104.008), rtol=1e-6)
