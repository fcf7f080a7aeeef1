"""Files of torch.jit.save, as OpenAI publishes CLIP."""

import zipfile
from pathlib import Path

import pytest

from wsss_cli.errors import WsssError
from wsss_cli.torchfile import read_torch


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("trust", [False, True])
def test_a_program_is_no_file_of_weights(tmp_path: Path, trust: bool) -> None:
    import torch

    path = tmp_path / "ViT-B-16.pt"
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), str(path))
    with pytest.raises(WsssError, match="TorchScript archive") as raised:
        read_torch(path, trust)
    assert "safetensors" in str(raised.value) + str(raised.value.__dict__)
    torch.save({"weight": torch.ones(2)}, path)
    assert zipfile.is_zipfile(path) and read_torch(path, trust)["weight"].tolist() == [1, 1]
