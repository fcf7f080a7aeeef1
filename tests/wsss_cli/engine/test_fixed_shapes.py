"""Parts of networks with static shapes: which they are, compiled in place, and what is said where torch cannot."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from wsss_cli.engine import fixed_shapes
from wsss_cli.engine.fixed_shapes import benchmarked, compile_parts, no_compiler, static_parts, uncompiled
from wsss_cli.engine.loop import Loop
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.config import Net, build_segmenter

CPU = torch.device("cpu")
TINY = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2, "drop_path_rate": 0.2}


def transformer() -> ViT:
    torch.manual_seed(0)
    return ViT("vit_tiny_patch16_224", TINY, -2)


def segmenter() -> nn.Module:
    return build_segmenter(Net(backbone="test_resnet", pretrained="none", width=16, aspp_rates=(1, 2)), 3)


def test_what_is_compiled() -> None:
    vit, net = transformer(), segmenter()
    assert static_parts(nn.ModuleList([vit])) == list(vit.body.blocks)
    assert len(static_parts(net)) == 1 and isinstance(static_parts(net)[0], nn.Module)
    assert static_parts(nn.Linear(2, 2)) == []


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch's own, while it traces
def test_compiled_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the backend that runs what was traced as it is: g++ takes a minute; copies are compiled no more."""
    monkeypatch.setattr(fixed_shapes, "BACKEND", "eager")
    net, images = transformer().eval(), torch.rand(2, 3, 32, 32)
    names, plain = list(net.state_dict()), net(images)
    compile_parts(net, CPU)
    assert list(net.state_dict()) == names
    average = copy.deepcopy(net)
    for model in (net, average):
        torch.testing.assert_close(model(images), plain, rtol=0, atol=0)
    assert all(part._compiled_call_impl is not None for part in static_parts(net))
    assert all(part._compiled_call_impl is None for part in static_parts(average))
    net.train()(images).patches.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    with uncompiled(True):
        torch.testing.assert_close(net.eval()(images), plain, rtol=0, atol=0)


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "g++" in str(no_compiler())
    with pytest.raises(WsssError, match=r"loop\.compile needs a C\+\+ compiler"):
        compile_parts(segmenter(), CPU)
    for name in ("g++", "my-compiler"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    assert no_compiler() is None
    monkeypatch.setenv("CXX", "my-compiler")
    assert no_compiler() is None
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert no_compiler() is not None


def test_what_torch_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError("Python.h is not there\nand more")

    monkeypatch.setattr(fixed_shapes, "BACKEND", broken)
    monkeypatch.setattr(fixed_shapes, "no_compiler", lambda: None)
    with pytest.raises(WsssError, match="cannot compile here") as caught:
        compile_parts(segmenter(), CPU)
    assert "more" not in str(caught.value) and "loop.compile at false" in str(caught.value)


def test_kernels_are_tried_within_alone() -> None:
    before = torch.backends.cudnn.benchmark
    with benchmarked(True):
        assert torch.backends.cudnn.benchmark
        with benchmarked(False):
            assert not torch.backends.cudnn.benchmark
        assert torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.benchmark == before


def test_it_is_off() -> None:
    assert not Loop().compile
