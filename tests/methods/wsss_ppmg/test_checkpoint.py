"""Official checkpoints: every key of the lists loads; COCO's raw ids; files that do not fit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from key_lists import keys
from wsss_cli.data.labels import write_labels
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones import scalenet
from wsss_cli.nets.config import Net, build_segmenter
from wsss_ppmg.checkpoint import (
    SEAM,
    SEGMENTER,
    load_official_seam,
    load_official_segmenter,
    load_start,
    official_name,
)
from wsss_ppmg.coco_ids import RAW, read_compact
from wsss_ppmg.config import Rough, SeamNetwork
from wsss_ppmg.nets import build

SEAM_NETS = {"scalenet101_SEAM": SeamNetwork(), "resnet38_SEAM": Rough().net}
SEGMENTERS = {
    "seg_scalenet101_psp": "scalenet101",
    "seg_res2net101_psp": "res2net101d",
    "seg_wideres38_psp": "wideresnet38",
}


def numbered(what: str) -> dict[str, Tensor]:
    """The tensors of a key list, each filled with a number of its own: a few bytes each."""
    shapes = keys(f"ppmg/{what}")
    return {key: torch.tensor(float(i)).expand(shape) for i, (key, shape) in enumerate(shapes.items())}


def holds(net: nn.Module, state: dict[str, Tensor], pairs: object) -> None:
    """Each tensor of the net is that of its official name, and none of the file is left."""
    own = {official_name(k, pairs): v for k, v in net.state_dict().items()}  # type: ignore[arg-type]
    assert own.keys() == state.keys()
    for key, value in own.items():
        assert value.shape == state[key].shape and value.flatten()[-1] == state[key].flatten()[-1], key


@pytest.mark.parametrize("what", SEAM_NETS)
def test_classification_networks(what: str, tmp_path: Path) -> None:
    state = numbered(what)
    torch.save(state, tmp_path / "net.pth")
    with torch.device("meta"):
        net = build(SEAM_NETS[what], 20)
    net.to_empty(device="cpu")
    load_official_seam(net, tmp_path / "net.pth")
    holds(net, state, SEAM)


@pytest.mark.parametrize("what", SEGMENTERS)
def test_segmentation_networks(what: str, tmp_path: Path) -> None:
    state = numbered(what)
    torch.save(
        {"meta": {"CLASSES": ["a"], "mmcv_version": "1.1.4"}, "state_dict": state, "optimizer": {}}, tmp_path / "n.pth"
    )
    with torch.device("meta"):
        net = build_segmenter(Net(backbone=SEGMENTERS[what], head="pspnet", pretrained="none"), 21)
    net.to_empty(device="cpu")
    load_official_segmenter(net, 20, tmp_path / "n.pth")
    holds(net, state, SEGMENTER)


def test_messages(tmp_path: Path) -> None:
    net, path = build(SeamNetwork(backbone="test_resnet", freeze=None), 3), tmp_path / "file.pth"
    official = {official_name(k): v for k, v in net.state_dict().items()}
    torch.save(official | {"fc8.weight": torch.zeros(21, 512, 1, 1)}, path)
    with pytest.raises(WsssError, match=r"file.pth does not fit SEAM's network: .*'fc8.weight' has shape \(21"):
        load_official_seam(net, path)
    with pytest.raises(WsssError, match="has 21 outputs and the data set 3 classes, not 91 and 80"):
        load_official_seam(net, path, raw_coco_ids=True)
    torch.save(official | {"more.weight": torch.zeros(1)}, path)
    with pytest.raises(WsssError, match=r"'backbone.body.more.weight' has no place in it"):
        load_official_seam(net, path)


def test_a_file_to_start_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the backbone alone, of a whole network, and of one with other classes, of which the backbone is taken."""
    monkeypatch.setitem(scalenet.DEPTHS, "scalenet50", (1, 1, 1, 1))
    config, path = SeamNetwork(backbone="scalenet50"), tmp_path / "net.pth"
    whole = build(config, 3)
    official = {official_name(k): v for k, v in whole.state_dict().items()}
    body = {k: v for k, v in official.items() if not k.startswith("f")}
    for state, takes_head in (
        (body | {"fc.weight": torch.zeros(1000, 2048)}, False),
        (official, True),
        (official | {"fc8.weight": torch.zeros(21, 2048, 1, 1)}, False),
    ):
        torch.save(state, path)
        other = build(config, 3)
        load_start(other, str(path))
        assert torch.equal(other.backbone.body.conv1.weight, official["conv1.weight"])
        assert torch.equal(other.fc8.weight, whole.fc8.weight) == takes_head
        assert torch.equal(other.f9.weight, whole.f9.weight) == takes_head


def test_raw_coco_ids(tmp_path: Path) -> None:
    assert len(RAW) == 81 and (RAW[1], RAW[12], RAW[80]) == (1, 13, 90)
    net, path = build(SeamNetwork(backbone="test_resnet", freeze=None), 80), tmp_path / "coco.pth"
    official = {official_name(k): v for k, v in net.state_dict().items()}
    depth = net.fc8.weight.shape[1]
    rows = torch.arange(91.0).view(91, 1, 1, 1).expand(91, depth, 1, 1)
    torch.save(official | {"fc8.weight": rows}, path)
    load_official_seam(net, path, raw_coco_ids=True)
    assert net.fc8.weight[:, 0, 0, 0].tolist() == list(RAW)
    seg = build_segmenter(Net(backbone="test_resnet", head="pspnet", width=8, pretrained="none"), 81)
    state = {official_name(k, SEGMENTER): v for k, v in seg.state_dict().items()}
    biases = {f"{head}.conv_seg.bias": torch.arange(91.0) for head in ("decode_head", "auxiliary_head")}
    weights = {f"{head}.conv_seg.weight": torch.zeros(91, 8, 1, 1) for head in ("decode_head", "auxiliary_head")}
    torch.save({"state_dict": state | biases | weights}, path)
    load_official_segmenter(seg, 80, path, raw_coco_ids=True)
    assert seg.head.conv_seg.bias.tolist() == seg.auxiliary[0].conv_seg.bias.tolist() == list(RAW)  # type: ignore[union-attr]


def test_label_maps_of_raw_ids(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.png", np.array([[0, 1, 13], [90, 255, 0]], np.uint8))
    assert read_compact(tmp_path / "a.png").tolist() == [[0, 1, 12], [80, 255, 0]]
    write_labels(tmp_path / "b.png", np.array([[0, 66]], np.uint8))
    with pytest.raises(WsssError, match=r"b.png holds 66, which is none of COCO's 80 raw category ids"):
        read_compact(tmp_path / "b.png")
