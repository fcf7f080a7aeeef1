"""The network from pixels to scores, as ONNX has it, and what is said where ONNX cannot have it."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colour_model import Colours
from wsss_cli.engine.infer import Infer, predict
from wsss_cli.errors import WsssError
from wsss_cli.models import onnx
from wsss_cli.models.onnx import Agreement, Whole, left_out, require_packages, write_onnx

SIZES = ((1, 24, 32), (2, 17, 40))


def test_whole_is_what_is_predicted() -> None:
    images = torch.randint(0, 256, (2, 20, 30, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    net = nn.Sequential(nn.AvgPool2d(4), Colours())
    expected = predict(net, images, Infer(), (20, 30))
    found = Whole(net)(images.permute(0, 3, 1, 2).float())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (Infer(), []),
        (Infer(scales=(0.5, 1.0), flip=True), ["scales", "flip"]),
        (Infer(resize=512, window=300, crf=True), ["resize", "window", "crf"]),
        (Infer(short_side=512), ["short_side"]),
    ],
)
def test_what_the_file_does_not_do_is_named(config: Infer, names: list[str]) -> None:
    assert left_out(config) == names


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "find_spec", lambda name: None if name != "onnx" else object())
    with pytest.raises(WsssError, match=r"needs onnxruntime, onnxscript\n.*pip install 'wsss\[onnx\]'"):
        require_packages()


@pytest.mark.parametrize(
    ("difference", "message"), [(0.4, r"off by 0.4 on 2 x 17 x 40 pixels"), (float("nan"), "off by nan"), (1e-5, "")]
)
def test_another_function_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, difference: float, message: str
) -> None:
    """Whatever the exporter makes of a network, it is kept only if it computes the same at every size."""
    found = [Agreement(SIZES[0], 0.0, 0.0), Agreement(SIZES[1], difference, 0.5)]
    monkeypatch.setattr(onnx, "require_packages", lambda: None)
    monkeypatch.setattr(onnx, "_export", lambda whole, path, size: path.write_bytes(b"graph"))
    monkeypatch.setattr(onnx, "_compare", lambda path, whole, size: found[SIZES.index(size)])
    path = tmp_path / "model.onnx"
    if message:
        with pytest.raises(WsssError, match=message):
            write_onnx(path, Colours(), SIZES)
        assert not path.exists()
    else:
        assert write_onnx(path, Colours(), SIZES) == found and path.read_bytes() == b"graph"


def test_what_the_exporter_raises_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("Unsupported: operator of this head\nand a page\nof explanations")

    monkeypatch.setattr(onnx, "require_packages", lambda: None)
    monkeypatch.setattr(onnx, "_export", fail)
    with pytest.raises(WsssError) as caught:
        write_onnx(tmp_path / "model.onnx", Colours(), SIZES)
    assert caught.value.what == "the network cannot be exported to ONNX: Unsupported: operator of this head"
    assert "another head" in caught.value.remedy and not list(tmp_path.iterdir())


class Strided(nn.Module):
    """Logits at half the size."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images)


class Constant(Strided):
    """Made into a graph, it keeps the size that it was traced at."""

    def forward(self, images: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(super().forward(images), (5, 3))


def test_onnxruntime_agrees(tmp_path: Path) -> None:
    for package in onnx.PACKAGES:
        pytest.importorskip(package)
    found = write_onnx(tmp_path / "model.onnx", Strided(), SIZES)
    assert [a.shape for a in found] == list(SIZES) and max(a.scores for a in found) < 1e-5
    assert (tmp_path / "model.onnx").stat().st_size > 500
    with pytest.raises(WsssError, match=r"the exported network|cannot be exported"):
        write_onnx(tmp_path / "other.onnx", Constant(), SIZES)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
