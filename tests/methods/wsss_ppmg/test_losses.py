"""SEAM's losses and pixel correlation module against the released ones."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reference_vectors import vectors
from wsss_ppmg import correlation
from wsss_ppmg.correlation import revise, sharpened
from wsss_ppmg.losses import classification, least_quarter, normalised, seam_losses
from wsss_ppmg.nets import SeamNet


def close(ours: Tensor, theirs: Any) -> None:
    torch.testing.assert_close(ours.detach(), torch.as_tensor(theirs), rtol=0, atol=1e-5)


@vectors("ppmg/seam_loss")
def test_losses_and_gradients(ref: dict[str, Any]) -> None:
    names = ("cam1", "cam_rv1", "cam2", "cam_rv2")
    maps = [torch.tensor(ref[name], requires_grad=True) for name in names]
    tags = torch.tensor(ref["label_no_bg"])
    found = seam_losses(*maps, tags)
    total = torch.stack(list(found.values())).sum()
    total.backward()
    close(total, torch.tensor(ref["loss"]))
    close(found["cls"], torch.tensor((ref["loss_cls1"] + ref["loss_cls2"]) / 2))
    close(found["cls"], torch.tensor(ref["loss_cls"] - found["rvmin"].item()))
    close(found["rvmin"], torch.tensor((ref["loss_rvmin1"] + ref["loss_rvmin2"]) / 2))
    close(found["er"], torch.tensor(ref["loss_er"]))
    close(found["ecr"], torch.tensor(ref["loss_ecr1"] + ref["loss_ecr2"]))
    close(normalised(maps[0]), ref["max_norm_cam1"])
    for name, each in zip(names, maps):
        close(each.grad, ref[f"grad_{name}"])


def test_parts_by_hand() -> None:
    maps = torch.zeros(1, 3, 2, 4)
    maps[0, 1] = torch.tensor([[-1.0, 3, 1, 5], [6, 7, 8, 9]])
    assert least_quarter(maps).item() == pytest.approx(
        (0 + 1) / 2
    )  # of 0 (class 2), 3, 1, ...: the lowest two of eight
    logits, tags = torch.tensor([[4.75, 0.0]]), torch.tensor([[1.0, 0.0]])
    assert classification(maps, tags) == nn.functional.multilabel_soft_margin_loss(logits, tags)


class Levels(nn.Module):
    """A backbone that gives the levels it was made with."""

    def __init__(self, levels: list[Tensor]) -> None:
        super().__init__()
        self.levels, self.channels = levels, tuple(x.shape[1] for x in levels)

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.levels


@vectors("ppmg/seam_pcm")
def test_correlation_module(ref: dict[str, Any]) -> None:
    values = {k: torch.tensor(v) for k, v in ref.items()}
    weights = {k.removeprefix("w::"): v for k, v in values.items() if k.startswith("w::")}
    widths = (len(weights["f8_3.weight"]), len(weights["f8_4.weight"]))
    levels = Levels([values["x2"], values["x3"], values["x4"]])
    net = SeamNet(levels, len(weights["fc8.weight"]) - 1, widths=widths).eval()  # type: ignore[arg-type]
    net.load_state_dict(weights)
    maps = net.maps(values["img"])
    close(maps.cam, ref["cam"])
    close(maps.revised, ref["cam_rv"])
    with torch.no_grad():
        classes = torch.tensor([3, 1])
        close(net.revised_maps(values["img"], classes), torch.as_tensor(ref["cam_rv"])[:, classes])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, features = torch.rand(2, 3, 7, 9), torch.randn(2, 5, 7, 9)
    whole = revise(maps, features)
    monkeypatch.setattr(correlation, "BLOCK", 1)
    with torch.no_grad():
        torch.testing.assert_close(revise(maps, features), whole)


def test_sharpened_keeps_the_highest_class() -> None:
    cam = torch.tensor([[9.0, 9.0], [4.0, 1.0], [1.0, 2.0]]).view(1, 3, 1, 2)
    found = sharpened(cam)[0, :, 0]
    torch.testing.assert_close(found, torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), atol=2e-5, rtol=0)
    assert not sharpened(cam.requires_grad_()).requires_grad
