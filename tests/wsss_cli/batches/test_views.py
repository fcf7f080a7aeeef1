"""Crops and views: the released crop from the released draws, and what views keep and change."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reference_vectors import vectors
from wsss_cli.batches import views
from wsss_cli.batches.transforms import as_bytes, denormalise, normalise
from wsss_cli.batches.views import Colours, View, augment, rescaled, resized_crop, scaled_crop

STILL = View(flip=0, colours=Colours(probability=0), grey=0)


@pytest.fixture
def image() -> Any:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@vectors("toco/scale_crop")
def test_crop_of_the_released_draws(ref: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    np.testing.assert_array_equal(rescaled(ref["image"], ref["ratio"]), ref["scaled"])
    drawn = {"w": (ref["w_pad"], ref["w_start"]), "h": (ref["h_pad"], ref["h_start"])}
    order = iter(max(drawn[side]) for side in "wh")  # a side is padded or cut; width is drawn first

    class Given(random.Random):
        def randrange(self, *_: Any) -> int:
            return next(order)

    monkeypatch.setattr(views, "uniform_scale", lambda *_: ref["ratio"])
    found = scaled_crop(ref["image"], (0.5, 2.0), False, ref["crop_size"], Given())
    np.testing.assert_array_equal(found.image, ref["crop"])
    np.testing.assert_array_equal(found.box, ref["img_box"])


@vectors("toco/denorm")
def test_levels_are_cut_off(ref: dict[str, Any]) -> None:
    x = torch.from_numpy(ref["x"])
    levels = denormalise(x)
    real = ((levels >= 0) & (levels < 256)).numpy()  # the released cast wraps what lies outside
    np.testing.assert_allclose(as_bytes(x).numpy()[real], ref["out"][real], atol=1e-6)


def test_denormalise_is_the_inverse(image: Any) -> None:
    x = torch.from_numpy(image)[None]
    torch.testing.assert_close(denormalise(normalise(x)).round().byte().permute(0, 2, 3, 1), x)


def test_a_box_holds_the_image(image: Any) -> None:
    image[:] = np.maximum(image, 1)  # nothing in it is black
    for seed in range(20):
        found = scaled_crop(image, (0.5, 2.0), True, 48, random.Random(seed))
        y0, y1, x0, x1 = found.box
        real = np.zeros((48, 48), bool)
        real[y0:y1, x0:x1] = True
        assert (found.image.any(2) == real).all()


def test_views_differ_as_they_say(image: Any) -> None:
    rng = random.Random(0)
    np.testing.assert_array_equal(augment(image, STILL, rng), image)
    mirrored = augment(image, STILL.model_copy(update={"flip": 1.0}), rng)
    np.testing.assert_array_equal(mirrored, image[:, ::-1])
    grey = augment(image, STILL.model_copy(update={"grey": 1.0}), rng)
    assert (grey[..., 0] == grey[..., 1]).all() and (grey[..., 0] == grey[..., 2]).all()
    inverted = augment(image, STILL.model_copy(update={"solarise": 1.0}), rng)
    np.testing.assert_array_equal(inverted, np.where(image < 128, image, 255 - image))
    blurred = augment(image, STILL.model_copy(update={"blur": 1.0, "blur_radius": (2.0, 2.0)}), rng)
    assert blurred.std() < 0.5 * image.std()
    still = Colours(probability=1, brightness=0, contrast=0, saturation=0, hue=0)
    assert np.abs(augment(image, STILL.model_copy(update={"colours": still}), rng).astype(int) - image).max() < 8


def test_hue_turns_the_circle() -> None:
    red = Image.new("RGB", (1, 1), (250, 10, 10))
    assert views.shift_hue(red, 1 / 3).getpixel((0, 0))[1] > 240  # type: ignore[index]
    assert views.shift_hue(red, -1 / 3).getpixel((0, 0))[2] > 240  # type: ignore[index]


def test_draws_depend_on_the_generator_alone(image: Any) -> None:
    view = View(blur=0.5, solarise=0.2)
    torch.manual_seed(1)
    first = augment(resized_crop(image, (0.4, 1.0), 32, random.Random(3)), view, random.Random(4))
    torch.manual_seed(2)
    np.testing.assert_array_equal(
        augment(resized_crop(image, (0.4, 1.0), 32, random.Random(3)), view, random.Random(4)), first
    )
