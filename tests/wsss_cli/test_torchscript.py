"""Files of torch.jit.save, as OpenAI publishes CLIP: their tensors are read, their program is not."""

import pickle
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from wsss_cli.errors import WsssError
from wsss_cli.nets.weights.reading import read_weights
from wsss_cli.torchfile import read_torch

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Scaled(nn.Module):
    """Parameters of two types, one a view of a larger storage, a buffer, a list."""

    sizes: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(12.0).view(3, 4).T[1:].half())
        self.register_buffer("count", torch.tensor(7))
        self.register_buffer("none", torch.zeros(0))
        self.sizes = [2, 3]

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.float() * self.sizes[0]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(Scaled(), nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 2)))


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("how", ["script", "trace"])
def test_the_state_dict_of_a_program(tmp_path: Path, how: str, trust: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    net, path = network(), tmp_path / "net.pt"
    program = torch.jit.script(net) if how == "script" else torch.jit.trace(net, torch.zeros(1, 3))
    torch.jit.save(program, str(path))
    monkeypatch.setattr(torch.jit, "load", None)
    found, expected = read_torch(path, trust), net.state_dict()
    assert list(found) == list(expected) and [x.dtype for x in found.values()] == [x.dtype for x in expected.values()]
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert read_weights(path).keys() == found.keys()


def test_what_else_an_archive_asks_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "more.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("more/constants.pkl", b"")
        archive.writestr("more/data.pkl", pickle.dumps(Counter(), protocol=2))
    with pytest.raises(WsssError, match=r"more than tensors: it asks for collections\.Counter") as raised:
        read_torch(path, trust=True)
    assert "state dict" in raised.value.remedy


@pytest.mark.parametrize("lacking", ["data/1", "data.pkl"])
def test_a_damaged_archive_is_told(tmp_path: Path, lacking: str) -> None:
    whole, path = tmp_path / "whole.pt", tmp_path / "part.pt"
    torch.jit.save(torch.jit.script(network()), str(whole))
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as archive:
        for name in source.namelist():
            if not name.endswith(f"/{lacking}"):
                archive.writestr(name, source.read(name))
    with pytest.raises(WsssError, match="is damaged or holds no tensors"):
        read_torch(path)


def test_a_file_of_weights_is_none(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "plain.pt")
    assert zipfile.is_zipfile(tmp_path / "plain.pt") and read_torch(tmp_path / "plain.pt")["weight"].tolist() == [1, 1]
