"""What stands around the training: settings with a name, the batch, the authors' networks."""

from pathlib import Path
from typing import Any

import pytest
import torch

from wsss_beco import METHOD, stages
from wsss_beco.config import Infer, Train
from wsss_cli.config import as_dict, resolve
from wsss_cli.data.prepared import DatasetInfo, Prepared
from wsss_cli.engine.loop import Loop
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.nets.config import Net
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.refine.crf_config import DEEPLAB

CPU = Runtime(torch.device("cpu"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"protocol": "native", "resize": None, "scales": (1.0,), "fusion": "mean", "member": "both"}),
        ({"protocol": "512"}, {"resize": 512, "scales": (1.0,), "fusion": "mean"}),
        ({"protocol": 512, "member": 2}, {"protocol": "512", "resize": 512, "member": "2"}),
        ({"protocol": "512", "resize": 256}, {"resize": 256}),
        (
            {"protocol": "512_multi_scale"},
            {"resize": 512, "scales": (0.5, 0.75, 1.0, 1.25, 1.5), "fusion": "coarse_max", "flip": False},
        ),
    ],
)
def test_a_protocol_sets_what_is_not_given(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = resolve(Infer, "infer", given)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.crf_settings == DEEPLAB
    assert resolve(Infer, "infer", as_dict(found)) == found  # as config.yaml and the record hold it


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(WsssError, match=r"'infer.protocol' = '511': input should be 'native'"):
        resolve(Infer, "infer", {"protocol": 511})


@pytest.mark.parametrize(
    ("loop", "world", "message"),
    [
        (Loop(batch=8), 1, "keep loop.batch=16 and accumulate, where memory is short: loop.accumulate=2"),
        (Loop(batch=8), 2, "loop.accumulate=2"),
        (Loop(batch=4), 1, "loop.accumulate=4"),
        (Loop(batch=32), 1, "effective batch 32, but the learning rate is meant for 16: keep loop.batch=16"),
        (Loop(batch=16, accumulate=4), 2, ""),
    ],
)
def test_the_batch_is_told_and_checked(loop: Loop, world: int, message: str) -> None:
    text, warning = stages.effective_batch(loop, world, 16)
    assert text.startswith(f"effective batch {loop.batch}: ranks {world} x accumulated passes {loop.accumulate} x")
    assert message in warning and bool(message) == bool(warning)


@pytest.mark.parametrize(("loop", "world"), [(Loop(batch=6), 2), (Loop(batch=8, accumulate=8), 1), (Loop(batch=3), 1)])
def test_shares_that_cannot_be_paired(loop: Loop, world: int) -> None:
    with pytest.raises(WsssError, match=f"make it a multiple of {2 * world * loop.accumulate}"):
        stages.effective_batch(loop, world, 16)


def test_the_authors_networks_instead_of_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net(backbone="test_resnet", width=16, aspp_rates=(1, 2, 3))  # pretrained=timm, which must not be fetched
    config = Train(net=net, checkpoint="best_ckpt.pth")
    assert config.unneeded() == ("pseudo",)
    splits = {"train": "train", "val": "val", "seeds": "train"}
    data = Prepared(tmp_path, DatasetInfo("toy", "toy", ("a", "b"), splits, "drawn", "masks", hash="x"), ())
    asked = []

    def load(net: Any, path: str, trust: bool) -> None:
        asked.append((path, trust))
        for i, one in enumerate((net.network1, net.network2)):
            torch.nn.init.constant_(one.head.classifier.bias, i + 1)

    monkeypatch.setattr(stages, "load_official", load)
    job = Job(data, METHOD, "train", config, tmp_path, {}, CPU)
    assert stages.train(job) == {} and asked == [("best_ckpt.pth", False)]
    infer = Job(data, METHOD, "infer", Infer(), tmp_path, {}, CPU)
    both = stages.predictor(tmp_path / "checkpoint.pt", infer)
    assert [one.head.classifier.bias.unique().tolist() for one in both.networks] == [[1.0], [2.0]]


def test_a_folder_of_labels_alone_is_refused(tmp_path: Path) -> None:
    job: Any = None
    with pytest.raises(WsssError, match="--confidence DIR"):
        stages.confidence(job, Train(labels=str(tmp_path)), [])
    assert stages.confidence(job, Train(labels=str(tmp_path), confidence="all"), []) is None
    assert stages.confidence(job, Train(labels="masks"), []) is None
