"""Official checkpoints of IRN: every key accounted for, and refused where it does not fit."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.backbone import Backbone
from wsss_irn.checkpoint import CAM, IRN, load_official_cam, load_official_irn, official_name
from wsss_irn.nets import CamNet, IrnNet

STAGES = {
    "cam": ["stage1.4", "stage2.0", "stage3.0", "stage4.0"],
    "irn": ["stage2.0", "stage3.0", "stage4.0", "stage5.0"],
}


def resnet() -> Backbone:
    return Backbone("resnet50", 16, dilate=False)


def official(net: CamNet | IrnNet) -> dict[str, Tensor]:
    """The state dict that IRN's code would save: our tensors under its names, and again under those of containers."""
    kind, pairs = ("cam", CAM) if isinstance(net, CamNet) else ("irn", IRN)
    state = {official_name(k, pairs): torch.rand(v.shape) if v.ndim else v for k, v in net.state_dict().items()}
    for key, value in list(state.items()):
        for layer, stage in enumerate(STAGES[kind], 1):
            if key.startswith(f"resnet50.layer{layer}."):
                name = key.replace(f"resnet50.layer{layer}", stage)
                state[name] = state[name.replace("stage", "backbone.", 1)] = value
        if key.startswith(("fc_edge", "fc_dp")):
            group, index, rest = (
                key[3:].partition(".")[0].rstrip("1234567"),
                int(key.partition(".")[0][-1]),
                key.partition(".")[2],
            )
            state[f"{group}_layers.{index - 1}.{rest}"] = value
    if kind == "cam":
        return state | {"newly_added.0.weight": state["classifier.weight"]}
    mean = state["mean_shift.running_mean"]
    buffers = {
        "path_indices0": torch.zeros(2, 2, 9),
        "path_indices19": torch.zeros(6, 22, 9),
        "disp_target": torch.zeros(1),
    }
    return state | {"fc_dp7.4.running_mean": mean, "dp_layers.6.4.running_mean": mean} | buffers


def test_cam_checkpoint(tmp_path: Path) -> None:
    net, path = CamNet(resnet(), 20), tmp_path / "res50_cam.pth"
    state = official(net)
    torch.save(state, path)
    keys = load_official_cam(net, path)
    assert len(keys.used) + len(keys.aliases) + len(keys.buffers) == len(state)
    assert len(keys.used) == 318 + 1
    assert not keys.buffers
    for key, value in net.state_dict().items():
        assert torch.equal(value, state[official_name(key, CAM)])


def test_irn_checkpoint(tmp_path: Path) -> None:
    net, path = IrnNet(resnet()), tmp_path / "res50_irn.pth"
    state = official(net)
    torch.save(state, path)
    keys = load_official_irn(net, path)
    assert len(keys.used) + len(keys.aliases) + len(keys.buffers) == len(state)
    assert len(keys.buffers) == 3
    for key, value in net.state_dict().items():
        assert torch.equal(value, state[official_name(key, IRN)])
    assert "fc_dp7.3.weight" in state
    assert "fc_edge6.bias" in state


def test_messages(tmp_path: Path) -> None:
    cam, irn, path = CamNet(resnet(), 20), IrnNet(resnet()), tmp_path / "file.pth"
    torch.save(official(cam), path)
    with pytest.raises(WsssError, match=r"file.pth does not fit IRN net: .*boundary"):
        load_official_irn(irn, path)
    with pytest.raises(WsssError, match=r"'classifier.weight' has shape \(20, 2048, 1, 1\), not \(3, 2048, 1, 1\)"):
        load_official_cam(CamNet(resnet(), 3), path)
    torch.save(official(irn), path)
    with pytest.raises(WsssError, match="no official checkpoint of IRN: key"):
        load_official_cam(cam, path)
