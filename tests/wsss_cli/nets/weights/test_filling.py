"""Weights files: formats, containers, corruption, trust, counts."""

from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.filling import load_exactly, load_weights, read_weights

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


def same(state: dict[str, torch.Tensor]) -> bool:
    return list(state) == list(STATE) and all(torch.equal(state[k], STATE[k]) for k in STATE)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: OrderedDict(s),
        lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"state": {0: torch.ones(1)}}},
        lambda s: {"model": {"state_dict": s}},
        lambda s: {"net_state_dict": {f"module.{k}": v for k, v in s.items()}},
        lambda s: s | {"epoch": 3},
        lambda s: {"optim_state_dict": {}, "model_state_dict": {}, "net_state_dict": s},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_containers(tmp_path: Path, wrap: Callable[[dict[str, Any]], Any], zipped: bool) -> None:
    torch.save(wrap(STATE), tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    assert same(read_weights(tmp_path / "w.pth"))


def test_nested_names_are_joined(tmp_path: Path) -> None:
    torch.save({"net_state_dict": {"network1": STATE, "network2": STATE}}, tmp_path / "w.pth")
    assert list(read_weights(tmp_path / "w.pth")) == [f"network{i}.{k}" for i in (1, 2) for k in STATE]


def test_safetensors(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.safetensors").keys() == STATE.keys()


@pytest.mark.parametrize("zipped", [True, False])
def test_code_needs_trust(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "w.pth"
    torch.save({"state_dict": STATE, "meta": Fraction(1, 2)}, path, _use_new_zipfile_serialization=zipped)
    asked = r"w\.pth is a pickle that runs code when it is read: it asks for fractions.Fraction\n.*--trust-checkpoint"
    with pytest.raises(WsssError, match=asked):
        read_weights(path)
    assert same(read_weights(path, trust=True))


def test_whole_module_is_read_where_trusted(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2), tmp_path / "w.pth")
    with pytest.raises(WsssError, match=r"--trust-checkpoint"):
        read_weights(tmp_path / "w.pth")
    assert set(read_weights(tmp_path / "w.pth", trust=True)) == {"weight", "bias"}


DAMAGE = [
    lambda b: b"",
    lambda b: b[: len(b) // 2],
    lambda b: b[: len(b) // 3],
    lambda b: b[:20],
    lambda b: b"<html>404",
]


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "old.pth"])
@pytest.mark.parametrize("trust", [True, False])
@pytest.mark.parametrize("damage", DAMAGE)
def test_corrupt(tmp_path: Path, name: str, trust: bool, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / name
    if path.suffix == ".pth":
        torch.save(STATE, path, _use_new_zipfile_serialization=name == "w.pth")
    else:
        save_file(STATE, path)
    path.write_bytes(damage(path.read_bytes()))
    message = rf"{name} \(\d+ bytes\) is damaged or holds no tensors: .*\n  copy or fetch it again"
    with pytest.raises(WsssError, match=message):
        read_weights(path, trust)


def test_code_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"a": torch.ones(1), "b": Fraction(1, 2)}, tmp_path / "w.pth")
    monkeypatch.delattr("fractions.Fraction")
    with pytest.raises(WsssError, match=r"w\.pth needs code that is not installed: .*Fraction"):
        read_weights(tmp_path / "w.pth", trust=True)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="no weights file"):
        read_weights(tmp_path / "w.pth")
    torch.save({"epoch": 1}, tmp_path / "w.pth")
    with pytest.raises(WsssError, match="holds no tensors"):
        read_weights(tmp_path / "w.pth")


def test_counts() -> None:
    net = nn.Sequential(OrderedDict(a=nn.Linear(3, 2), norm=nn.BatchNorm1d(2), head=nn.Linear(2, 2)))
    body = {k: v + 1 for k, v in net.state_dict().items() if k.startswith(("a.", "norm.")) and "num_" not in k}
    found = load_weights(net, body | {"fc.weight": torch.ones(1)}, "net", "FILE", may_miss=("head.",))
    assert found.matched == tuple(body)
    assert (found.missing, found.mismatched, found.unused) == (("head.weight", "head.bias"), (), ("fc.weight",))
    assert all(torch.equal(net.state_dict()[k], v) for k, v in body.items())


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weight": torch.ones(2, 3)}, "FILE does not fit net: 1 of 2 tensors match; 'bias' is missing"),
        ({"weight": torch.ones(2, 4), "bias": torch.ones(2)}, r"'weight' has shape \(2, 4\), not \(2, 3\)"),
    ],
)
def test_refused_whole(state: dict[str, torch.Tensor], message: str) -> None:
    net = nn.Linear(3, 2)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with pytest.raises(WsssError, match=message):
        load_weights(net, state, "net", "FILE")
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_exactly_refuses_what_has_no_place() -> None:
    net = nn.Linear(3, 2)
    before, state = net.weight.clone(), {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
    with pytest.raises(WsssError, match="FILE does not fit net: 'scale' has no place in it"):
        load_exactly(net, state | {"scale": torch.ones(1)}, "net", "FILE")
    with pytest.raises(WsssError, match="'bias' is missing"):
        load_exactly(net, {"weight": torch.ones(2, 3), "scale": torch.ones(1)}, "net", "FILE")
    assert torch.equal(net.weight, before)
    assert load_exactly(net, state, "net", "FILE").matched == ("weight", "bias")
    assert torch.equal(net.weight, state["weight"])
