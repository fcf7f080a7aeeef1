"""A head that learns by four outputs, through `wsss train` on two ranks, then predicting."""

import math
from pathlib import Path

import pytest
import torch

import wsss_cli.engine.segment  # here once, not in every rank
import wsss_cli.nets.weights.pretrained  # noqa: F401
from processes import Wsss
from trained_run import load, rows

WORDS = ("irn", "--recipe", "tiny.yaml", "train.labels=masks", "train.net.head=danet", "train.net.width=16")
SHORT = ("train.augment.crop=32", "train.loop.log_every=1", "train.loop.epochs=1", "--workers", 0)


def test_ranks_train_every_output(wsss: Wsss) -> None:
    first, second = wsss.ranks(2, "train", *WORDS, *SHORT)
    assert first.code == second.code == 0, first.text + second.text
    folder = Path(wsss.folder / "runs/shapes/irn/default/train")
    for row in rows(folder):
        losses = {"cross_entropy", "pixels", "channels", "auxiliary"}
        assert losses <= row.keys() and all(row[name] > 0 for name in losses)
    state = load(folder)["model"]
    assert {"head.pam_conv_seg.weight", "auxiliary.0.conv_seg.weight"} <= state.keys()
    assert all(v.dtype in (torch.float32, torch.int64) for v in state.values())
    done = wsss("evaluate", *WORDS, *SHORT)
    assert done.code == 0 and "mIoU" in done.text, done.text


@pytest.mark.parametrize(("loss", "chance"), [("softmax", math.log(7)), ("sigmoid", math.log(2))])
def test_each_loss_starts_at_its_chance(wsss: Wsss, loss: str, chance: float) -> None:
    """An untrained network gives each of seven classes 1/7, by sigmoids each 1/2."""
    words = (*WORDS[:4], *SHORT, "--name", loss, f"train.loss={loss}")
    done = wsss("train", *words)
    assert done.code == 0, done.text
    first = rows(wsss.folder / "runs/shapes/irn" / loss / "train")[0]["cross_entropy"]
    assert first == pytest.approx(chance, rel=0.3)
