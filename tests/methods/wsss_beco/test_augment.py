"""The strong augmentation against the released code's OpenCV operations, and its draws."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_beco import augment as A
from wsss_beco.config import Strong
from wsss_cli.batches.transforms import normalise


def planes(image: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) float32."""
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]


def one(value: float) -> Tensor:
    return torch.tensor([value])


@vectors("beco/strong_aug")
def test_operations_are_opencvs(ref: dict[str, Any]) -> None:
    images, x = torch.from_numpy(ref["input_normalised"])[None], planes(ref["uint8_bgr_swapped"])
    equal = torch.testing.assert_close
    equal(A.to_bytes(images), x, rtol=0, atol=0)
    equal(A.from_bytes(x)[0], torch.from_numpy(ref["identity_roundtrip"]), rtol=0, atol=1e-5)
    bright = A.brightness_contrast(x, one(ref["alpha"]), one(ref["beta"]))
    equal(bright, planes(ref["brightness_contrast"]), rtol=0, atol=0)
    shifts = [one(ref[f"{name}_shift"]) for name in ("hue", "sat", "val")]
    equal(A.hue_saturation_value(x, *shifts), planes(ref["hsv_shift"]), rtol=0, atol=0)
    equal(A.grey(x), planes(ref["gray"]), rtol=0, atol=0)
    equal(A.blur(x, 3), planes(ref["blur3"]), rtol=0, atol=0)
    equal(A.blur(x, 5), planes(ref["blur5"]), rtol=0, atol=0)
    chain = A.blur(A.hue_saturation_value(bright, *shifts), 5)
    equal(chain, planes(ref["chain_bc_hsv_blur5"]), rtol=0, atol=0)


@vectors("beco/strong_aug")
def test_a_batch_is_augmented_sample_by_sample(ref: dict[str, Any]) -> None:
    images = torch.from_numpy(ref["input_normalised"])[None].repeat(3, 1, 1, 1)
    drawn = [ref[name] for name in ("alpha", "beta", "hue_shift", "sat_shift", "val_shift")]
    jitter = A.Jitter(
        torch.tensor([True, False, False]),
        *(torch.tensor([value] * 3) for value in drawn),
        grey=torch.tensor([False, True, False]),
        blur=torch.tensor([5, 0, 0]),
    )
    out = A.strong_augment(images, jitter)
    grey = A.from_bytes(planes(ref["gray"]))[0]
    for ours, theirs in zip(out, (ref["output_normalised"], grey, ref["identity_roundtrip"])):
        torch.testing.assert_close(ours, torch.as_tensor(theirs), rtol=0, atol=1e-5)
    assert torch.equal(images[0], torch.from_numpy(ref["input_normalised"]))  # the input is left alone


def test_every_colour_survives_hsv_nearly() -> None:
    """Hue is one of 180 and saturation one of 256: what is lost of a byte is little, and black, grey, white nothing."""
    levels = torch.tensor([0.0, 1, 2, 17, 64, 127, 128, 200, 254, 255])
    x = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, 1, -1)  # (1, 3, 1, 1000)
    back = A.from_hsv(*A.to_hsv(x))
    assert (back - x).abs().max() <= 5
    same = (x[:, 0] == x[:, 1]) & (x[:, 1] == x[:, 2])
    assert ((back - x).abs().amax(1)[same] <= 1).all()


def test_the_input_may_be_any_byte() -> None:
    bytes_ = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(1, 16, 16, 3)
    lost = bytes_.permute(0, 3, 1, 2).float() - A.to_bytes(normalise(bytes_)).flip(1)
    assert lost.min() == 0 and lost.max() == 1 and 0.1 < lost.mean() < 0.5


def test_draws_follow_their_settings() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [A.draw_jitter(generator, Strong()) for _ in range(4000)]
    share = {name: np.mean([getattr(j, name) for j in drawn]) for name in ("colour", "grey")}
    assert share["colour"] == pytest.approx(0.8, abs=0.03) and share["grey"] == pytest.approx(0.2, abs=0.03)
    blurs = np.array([j.blur for j in drawn])
    assert np.mean(blurs == 3) == pytest.approx(1 / 6, abs=0.03)
    assert np.mean(blurs == 5) == pytest.approx(1 / 3, abs=0.03)
    limits = {"contrast": 0.2, "brightness": 0.2, "hue": 20, "saturation": 30, "value": 20}
    for name, limit in limits.items():
        values = np.array([getattr(j, name) for j in drawn]) - (name == "contrast")
        assert 0.99 * limit < np.abs(values).max() <= limit and abs(values.mean()) < 0.05 * limit


def test_nothing_is_drawn_where_nothing_is_asked() -> None:
    none = Strong(colour=0, grey=0, blur=0)
    drawn = [A.draw_jitter(torch.Generator().manual_seed(i), none) for i in range(50)]
    assert not any(j.colour or j.grey or j.blur for j in drawn)
