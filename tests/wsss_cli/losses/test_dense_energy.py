"""The dense energy loss and its released gradient."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_cli.batches.transforms import MEAN, STD
from wsss_cli.losses.dense_energy import bilateral_lattice, dense_energy_loss, energy, filtered


def close(found: Any, expected: Any) -> None:
    """To 1e-5 of the largest value."""
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@vectors("toco/energy_fn")
def test_energy_and_gradient(ref: dict[str, Any]) -> None:
    image, prob, region, unknown = (torch.from_numpy(ref[name]) for name in ("image", "S", "roi", "unlabelled"))
    prob.requires_grad_()
    found = energy(image, prob, region, unknown, ref["sigma_rgb"], ref["sigma_xy"])
    found.backward()
    np.testing.assert_allclose(found.item(), ref["loss_f64"], rtol=1e-5)
    close(prob.grad, ref["grad_S"])


@vectors("toco/energy_loss")
def test_loss_of_toco(ref: dict[str, Any]) -> None:
    mean, std = (torch.tensor(v).view(3, 1, 1) * 255 for v in (MEAN, STD))
    images = torch.from_numpy(ref["img_normalised"]) * std + mean
    logits = torch.from_numpy(ref["logit"]).requires_grad_()
    labels, boxes = torch.from_numpy(ref["label"]).to(torch.uint8), torch.from_numpy(ref["img_box"])
    sizes = ref["sigma_rgb"], ref["sigma_xy"], ref["scale_factor"]
    loss = dense_energy_loss(images, logits, labels, boxes, ref["weight_f64"], *sizes)
    loss.backward()
    np.testing.assert_allclose(loss.item(), ref["loss_f64"], rtol=1e-5)
    close(logits.grad, ref["grad_logit"])


@vectors("puf/energy_loss")
def test_loss_of_puf(ref: dict[str, Any]) -> None:
    logits = torch.from_numpy(ref["logits"]).requires_grad_()
    images, labels = torch.from_numpy(ref["img_u8"]), torch.from_numpy(ref["label"]).to(torch.uint8)
    sizes = ref["sigma_rgb"], ref["sigma_xy"], ref["scale"]
    loss = dense_energy_loss(images, logits, labels, None, 1.0, *sizes)
    loss.backward()
    # The released sum is numpy's float32 dot product of N * K * h * w terms, all of one sign (ours adds in pairs, and
    # ToCo's vectors hold a float64 sum). OpenBLAS loses 2e-8 of it at 1e4 terms, 3e-6 at 5e5, 2e-5 at 2e6.
    terms = logits.numel() * ref["scale"] ** 2
    np.testing.assert_allclose(loss.item(), ref["loss_over_weight"][0], rtol=1e-5 + 1e-11 * terms)
    close(logits.grad, ref["grad_logits_over_weight"])


def test_one_lattice_of_all_images_gives_the_same() -> None:
    """As on a GPU."""
    generator = torch.Generator().manual_seed(0)
    images, maps = torch.rand(2, 3, 9, 7, generator=generator) * 255, torch.rand(2, 4, 9, 7, generator=generator)
    alone = filtered(maps, [bilateral_lattice(one, 15.0, 5.0) for one in images.split(1)])
    torch.testing.assert_close(filtered(maps, [bilateral_lattice(images, 15.0, 5.0)]), alone)
