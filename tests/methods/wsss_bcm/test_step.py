"""Network, losses, gradients and three optimiser steps against the released code."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_bcm.config import Train
from wsss_bcm.labels import resize_labels
from wsss_bcm.losses import mask_loss, segmentation_losses
from wsss_bcm.nets import groups
from wsss_bcm.step import MaskedStep, base_step
from wsss_cli.engine.schedules import poly
from wsss_cli.nets.heads.outputs import Map
from wsss_cli.nets.multi_scale import MultiScale, at_scales

SCALES = ("05", "075")


def ids(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.uint8))


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=1e-5)


@vectors("bcm/msc_bcm")
def test_masked_logits_of_three_scales(ref: dict[str, Any], tiny_net: Any) -> None:
    net, x = tiny_net(ref, "w"), torch.from_numpy(ref["x"])
    logits, mask = net.train()(x)
    for found, name in zip(logits, ("logits_1x", *(f"logits_{s}" for s in SCALES), "logits_max"), strict=True):
        close(found, ref[name])
    close(mask, ref["bcm"])
    close(net.eval()(x), ref["eval_logits"])
    close(MultiScale(net.segment).eval()(x), ref["plain_msc_max"])
    for made, s in zip(at_scales(lambda image: image, x, (0.5, 0.75)), SCALES, strict=True):
        close(made, ref[f"img_{s}"])


@vectors("bcm/losses")
def test_losses_and_gradients(ref: dict[str, Any]) -> None:
    names = ("1x", *SCALES, "max")
    parts = {n: torch.from_numpy(ref[f"logits_{n}"]).requires_grad_() for n in names[:-1]}
    mask = torch.from_numpy(ref["bcm"]).requires_grad_()
    first = parts["1x"]
    grown = [torch.nn.functional.interpolate(parts[s], first.shape[2:], mode="bilinear") for s in SCALES]
    largest = torch.stack([first, *grown]).amax(0) * mask
    largest.retain_grad()
    close(largest, ref["logits_max"])
    logits = [*parts.values(), largest]
    step = MaskedStep(Train(fr_mode="official" if ref["fr_on"] else "off"), None)
    labels, boxes = ids(ref["labels"]), ids(ref["boxes"])
    used = step.labels(labels, boxes, largest.detach(), [tuple(x.shape[2:]) for x in logits])
    assert torch.equal(used[0], ids(ref["labels_used"]))
    losses = segmentation_losses(logits, used)
    masks = mask_loss(mask, resize_labels(boxes, tuple(mask.shape[2:])))
    close(torch.stack(list(losses.values())), ref["ce"])
    close(masks, 0.1 * ref["mse"])
    total = (sum(losses.values()) + masks) / 3
    close(total, ref["total"])
    total.backward()
    for name, part in parts.items():
        close(part.grad, ref[f"grad_{name}"])
    close(largest.grad, ref["grad_max"])
    close(mask.grad, ref["grad_bcm"])


@vectors("bcm/train_step")
def test_three_optimiser_steps(ref: dict[str, Any], tiny_net: Any, our_names: Any) -> None:
    net = tiny_net(ref, "init").train()
    step = MaskedStep(Train(fr_mode="official" if ref["fr_on"] else "off"), None)
    optimizer = torch.optim.SGD(groups(net, ref["lr"], 10, 20, 5e-4), lr=ref["lr"], momentum=0.9)
    base = [group["lr"] for group in optimizer.param_groups]
    steps = len(ref["lrs_after"])
    accumulate = len(ref["rec"]) // steps
    for k in range(steps):
        for group, rate in zip(optimizer.param_groups, base):
            group["lr"] = rate * poly(k, 2 * steps, every=2)
        optimizer.zero_grad()
        for i in range(k * accumulate, (k + 1) * accumulate):
            batch = {"image": torch.from_numpy(ref["images"][i]), "label": ids(ref["labels"][i])}
            losses = step(net, batch | {"box": ids(ref["boxes"][i])}, k)
            total = torch.stack(list(losses.values())).sum() / accumulate
            total.backward()
            close(torch.stack([*list(losses.values())[:4], 10 * losses["mask"]]), ref["rec"][i][:5])
            close(total, ref["rec"][i][5])
        optimizer.step()
        after = [rate * poly(k + 1, 2 * steps, every=2) for rate in base]
        np.testing.assert_allclose(after, ref["lrs_after"][k], rtol=1e-9)
    state = net.state_dict()
    for name, value in our_names(ref, "final").items():
        close(state[name], value)


def test_a_single_resize_is_that_of_deeplab_pytorch(tiny_net: Any) -> None:
    """Once from the whole map, for each output; so does the base phase."""
    torch.manual_seed(0)
    labels = torch.randint(0, 4, (2, 65, 65), dtype=torch.uint8)
    logits = [torch.randn(2, 4, n, n) for n in (9, 5, 7, 9)]
    sizes = [tuple(x.shape[2:]) for x in logits]
    single, double = (MaskedStep(Train(fr_mode="off", label_resize=how), None) for how in ("single", "double"))
    once, twice = (step.labels(labels, labels, logits[-1], sizes) for step in (single, double))
    assert torch.equal(once[0], twice[0]) and not torch.equal(once[1], twice[1])
    found = {"main": Map(logits[-1])} | {f"scale_{i}": Map(x) for i, x in enumerate(logits[:-1])}
    base = base_step(lambda image, outputs: found, {"image": None, "label": labels}, 0)  # type: ignore[arg-type]
    assert {k: v.item() for k, v in base.items()} == {k: v.item() for k, v in segmentation_losses(logits, once).items()}


def test_a_crop_without_labels_costs_nothing(tiny_net: Any) -> None:
    nothing = torch.full((1, 9, 9), 255, dtype=torch.uint8)
    logits = torch.randn(1, 4, 9, 9, requires_grad=True)
    loss = segmentation_losses([logits, logits], [nothing, nothing])
    sum(loss.values()).backward()
    assert all(v == 0 for v in loss.values()) and logits.grad.eq(0).all()
