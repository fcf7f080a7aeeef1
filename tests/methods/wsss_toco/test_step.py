"""The training step: the released order of work gives the same losses and gradients; phases; shares of a batch."""

from typing import Any

import pytest
import torch
from torch.utils.data import default_collate

from bench.released.toco import Released
from on_one_device import RELEASED, OnOneDevice
from wsss_cli.batches.loader import sample_rng
from wsss_cli.cam.regions import in_tokens
from wsss_cli.engine.ema import follow
from wsss_toco.config import Train
from wsss_toco.data import ToCoData, to_device
from wsss_toco.nets import ToCo, make_teacher
from wsss_toco.step import Needs, ToCoStep

NAMES = ("classification", "auxiliary", "patch_contrast", "class_contrast", "segmentation", "energy")


def batch(data: ToCoData, indices: Any = range(4)) -> dict[str, Any]:
    return to_device(default_collate([data.item(i, sample_rng(7, 0, i)) for i in indices]), torch.device("cpu"))


def gradients(net: ToCo, losses: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    net.zero_grad(set_to_none=True)
    sum(losses.values(), torch.zeros(())).backward()
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def certain(config: Train, least: float) -> Train:
    """Thresholds at which an untrained network is sure of something, and crops of mean region `least` background."""
    thresholds = config.thresholds.model_copy(update={"high": 0.5, "low": 0.35})
    return config.model_copy(
        update={"thresholds": thresholds, "local": config.local.model_copy(update={"least": least})}
    )


def test_one_pass_gives_what_the_released_order_of_work_gives(net: ToCo, data: ToCoData, config: Train) -> None:
    config, content = certain(config, 1.0), batch(data)
    ours = ToCoStep(net, make_teacher(net), config)(net, content, 3)
    found = gradients(net, ours)

    def draw(i: int, n: int) -> torch.Tensor:
        return torch.randperm(n, generator=torch.Generator().manual_seed(int(content["seed"][i])))

    with OnOneDevice(RELEASED):
        theirs = Released(net, make_teacher(net), config)(content, draw, 3)
    expected = gradients(net, theirs)
    assert tuple(ours) == NAMES and all(abs(value.item()) > 1e-9 for value in ours.values())
    for name in NAMES:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-8, msg=name)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5 * value.abs().max().item() + 1e-9, msg=name)


@pytest.mark.parametrize(
    ("starts", "zero", "needs"),
    [
        ({}, ("segmentation", "energy"), Needs(True, False, False)),
        ({"contrast_from": 5, "segmentation_from": 5}, NAMES[2:], Needs(False, False, False)),
        ({"contrast_from": 5, "segmentation_from": 0, "cam_from": 5}, NAMES[2:4], Needs(False, True, False)),
        ({"segmentation_from": 0}, (), Needs(True, True, True)),
    ],
)
def test_what_does_not_count_yet_has_gradients_of_zero(
    net: ToCo, data: ToCoData, config: Train, starts: dict[str, int], zero: tuple[str, ...], needs: Needs
) -> None:
    """As with a loss of weight 0: the optimiser and DDP see every parameter in every phase."""
    losses = config.losses.model_copy(update=starts)
    step = ToCoStep(net, make_teacher(net), config.model_copy(update={"losses": losses}))
    assert step.needs(0) == needs
    found = step(net, batch(data), 0)
    assert tuple(found) == NAMES and all(found[name] == 0 for name in zero)
    grads = gradients(net, found)
    trained = [name for name, p in net.named_parameters() if p.requires_grad]
    assert list(grads) == trained
    for part, name in (("decoder.conv6.weight", "segmentation"), ("proj_head.mlp.0.weight", "class_contrast")):
        assert grads[part].any() != (name in zero)


def test_no_sure_pixel_and_one_image(net: ToCo, data: ToCoData, config: Train) -> None:
    """The released loss is NaN there."""
    unsure = config.model_copy(update={"thresholds": config.thresholds.model_copy(update={"high": 0.99, "low": 0.001})})
    found = ToCoStep(net, make_teacher(net), unsure)(net, batch(data, [3]), 3)
    assert found["segmentation"] == 0 and all(value.isfinite() for value in found.values())
    assert all(grad.isfinite().all() for grad in gradients(net, found).values())


def test_the_teacher_follows_once_an_iteration(net: ToCo, data: ToCoData, config: Train) -> None:
    teacher, expected, content = make_teacher(net), make_teacher(net), batch(data)
    with torch.no_grad():
        net.proj_head.mlp[0].weight.add_(1)
    step = ToCoStep(net, teacher, config)
    for _ in range(2):  # as two passes of one accumulated step
        step(net, content, 0)
    follow(expected, net.proj_head, 0.9)
    for own, wanted in zip(teacher.parameters(), expected.parameters()):
        assert torch.equal(own, wanted) and not own.requires_grad


def test_bf16_is_nearly_fp32(net: ToCo, data: ToCoData, config: Train) -> None:
    step, content = ToCoStep(net, make_teacher(net), certain(config, 2.0)), batch(data)
    plain = step(net, content, 3)
    with torch.autocast("cpu", torch.bfloat16):
        half = step(net, content, 3)
    grads = gradients(net, half)
    for name in NAMES:
        torch.testing.assert_close(half[name], plain[name], rtol=0.1, atol=0.02, msg=name)
    assert all(g.isfinite().all() for g in grads.values())
    assert grads["encoder.body.blocks.0.attn.qkv.weight"].any()


def test_quirks_can_be_left_out(data: ToCoData, config: Train) -> None:
    boxes = torch.tensor([[0, 448, 30, 400], [17, 32, 16, 48]])
    assert in_tokens(boxes, 16).tolist() == [[0, 28, 2, 25], [2, 2, 1, 3]]
    plain = {"colours": {"probability": 0}, "grey": 0, "blur": 0}
    views = {"mirror_again": False, "main": plain, "local": plain, "crop": 64}
    still = ToCoData(data.samples, 4, type(config.views).model_validate(views))
    for i in range(4):  # the same pixels, in the box only
        item = still.item(i, sample_rng(1, 0, i))
        y0, y1, x0, x1 = item["box"].tolist()
        assert torch.equal(item["image"], item["local"])
        assert not item["image"].sum(2).bool()[:y0].any() and item["image"][y0:y1, x0:x1].sum() == item["image"].sum()
