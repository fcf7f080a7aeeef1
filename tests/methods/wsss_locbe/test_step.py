"""The training step against its parts put together plainly; what it leaves out; shares of ranks."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.released.locbe import Released
from on_one_device import RELEASED, OnOneDevice
from wsss_cli.cam.online import online_cams
from wsss_cli.losses.two_part import two_part_cross_entropy
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.single_stage.supervision import pseudo_labels
from wsss_locbe.config import Phase, Train, Windows
from wsss_locbe.nets import LocBe
from wsss_locbe.step import LocBeStep

LAST = 4  # an iteration of the last phase
NAMES = ["classification", "auxiliary", "boundary", "patch_contrast", "local", "segmentation", "energy"]


def gradients(net: LocBe, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    net.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def test_one_pass_gives_what_the_released_order_of_work_gives(
    net: LocBe, batch: dict[str, Tensor], config: Train
) -> None:
    """All images in one group, as those of one GPU."""
    config = config.model_copy(update={"windows": Windows(side=24, together=4)})
    ours = LocBeStep(net, config)(net, batch, LAST)
    with OnOneDevice(RELEASED):
        theirs = Released(net, config)(batch, LAST)
    assert list(ours) == list(theirs) == NAMES and all(value != 0 for value in ours.values())
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-8, msg=name)
    found, expected = gradients(net, ours), gradients(net, theirs)
    assert found.keys() == expected.keys() == {n for n, p in net.named_parameters() if p.requires_grad}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5 * value.abs().max().item() + 1e-9, msg=name)


@pytest.mark.parametrize(("k", "counted"), [(0, NAMES[:2]), (3, NAMES[:4]), (4, NAMES), (10**6, NAMES)])
def test_each_phase_has_its_losses(net: LocBe, batch: dict[str, Tensor], config: Train, k: int, counted: Any) -> None:
    losses = LocBeStep(net, config)(net, batch, k)
    assert list(losses) == NAMES and [name for name, value in losses.items() if value != 0] == counted
    found = gradients(net, losses)
    assert found.keys() == {name for name, p in net.named_parameters() if p.requires_grad}  # as DDP and AdamW want it
    assert all(bool((g != 0).any()) == (k >= 4) for name, g in found.items() if name.startswith("decoder."))


@pytest.mark.parametrize(("k", "passes"), [(0, [64]), (3, [64, 64]), (4, None)])
def test_nothing_is_run_for_what_does_not_count(
    net: LocBe, batch: dict[str, Tensor], config: Train, monkeypatch: pytest.MonkeyPatch, k: int, passes: Any
) -> None:
    whole, inner = [], []
    run, run_inner = ViT.forward, ViT.inner
    monkeypatch.setattr(ViT, "forward", lambda self, x: (whole.append(x.shape[2]), run(self, x))[1])
    monkeypatch.setattr(ViT, "inner", lambda self, x: (inner.append(x.shape[2]), run_inner(self, x))[1])
    LocBeStep(net, config)(net, batch, k)
    if passes is not None:  # without pseudo-labels the CAMs of the inner block do, without CAMs neither
        assert whole == passes and inner == ([64, 32, 96] if k else [])
    else:
        assert whole[:5] == [64, 64, 32, 96, 64] and all(side in (8, 16, 24) for side in whole[5:]) and not inner


def test_pseudo_labels_of_the_inner_block(
    net: LocBe, batch: dict[str, Tensor], config: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the COCO script has it at first: only those CAMs are made."""
    phase = Phase(segmentation=0.1, labels_from="inner")
    early = config.model_copy(update={"phases": (phase,)})
    monkeypatch.delattr("wsss_cli.single_stage.supervision.dense_energy_loss")  # of no weight here
    (inner,) = online_cams(net.inner_cams, batch["image"], batch["tags"])
    labels = pseudo_labels(batch["image"], inner, batch["tags"], batch["box"], config.thresholds, config.par)
    logits = F.interpolate(net.segmentation(batch["image"]), (64, 64), mode="bilinear", align_corners=False)
    found = LocBeStep(net, early)(net, batch, 0)
    torch.testing.assert_close(
        found["segmentation"], 0.1 * two_part_cross_entropy(logits, labels), rtol=1e-4, atol=1e-6
    )
    assert all(found[name] == 0 for name in ("boundary", "local", "patch_contrast", "energy"))


@pytest.mark.parametrize("loc_loss", ["official", "per_image"])
def test_shares_of_ranks_make_the_whole(net: LocBe, batch: dict[str, Tensor], config: Train, loc_loss: Any) -> None:
    """Of the losses that are means over images; those over pixels and pairs are told of all ranks by `reduce`."""
    windows = config.windows.model_copy(update={"loc_loss": loc_loss})
    step = LocBeStep(net, config.model_copy(update={"windows": windows}))
    parts = [step(net, {name: x[part] for name, x in batch.items()}, LAST) for part in (slice(0, 2), slice(2, 4))]
    whole = step(net, batch, LAST)
    for name in ("classification", "auxiliary", "boundary", "local", "energy"):
        torch.testing.assert_close(whole[name], (parts[0][name] + parts[1][name]) / 2, rtol=1e-4, atol=1e-6)


def test_no_confident_pixel_and_one_image(net: LocBe, batch: dict[str, Tensor], config: Train) -> None:
    """Both end the released code."""
    losses = LocBeStep(net, config)(net, batch | {"tags": torch.zeros(4, 3)}, LAST)
    assert losses["local"] == 0 and all(value.isfinite() for value in losses.values())
    assert all(g.isfinite().all() for g in gradients(net, losses).values())
    single = LocBeStep(net, config)(net, {name: x[:1] for name, x in batch.items()}, LAST)
    assert single["local"] > 0 and all(g.isfinite().all() for g in gradients(net, single).values())


def test_bf16_is_near(net: LocBe, batch: dict[str, Tensor], config: Train) -> None:
    full = LocBeStep(net, config)(net, batch, LAST)
    with torch.autocast("cpu", torch.bfloat16):
        half = LocBeStep(net, config)(net, batch, LAST)
    for name, value in full.items():
        assert half[name].dtype == torch.float32
        torch.testing.assert_close(half[name], value, rtol=0.1, atol=0.02, msg=name)


def test_groups_of_windows(net: LocBe, batch: dict[str, Tensor], config: Train) -> None:
    """Images of different groups have nothing to do with each other; within a group they do."""
    step = LocBeStep(net, config)
    swapped = {name: x[[2, 3, 0, 1]] for name, x in batch.items()}
    torch.testing.assert_close(step(net, swapped, LAST)["local"], step(net, batch, LAST)["local"])
    joined = config.model_copy(update={"windows": Windows(side=24, together=4)})
    assert LocBeStep(net, joined)(net, batch, LAST)["local"] != step(net, batch, LAST)["local"]
