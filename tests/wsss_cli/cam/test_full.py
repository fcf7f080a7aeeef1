"""CAMs of single-stage networks at the images' own size, or at stride 4."""

from pathlib import Path

import numpy as np
import pytest
import torch

from wsss_cli.cam.store import read_cam, write_cam
from wsss_cli.data.prepared import Sample
from wsss_cli.single_stage.build import build_single_stage
from wsss_cli.single_stage.config import Seeds, VitNet
from wsss_cli.single_stage.dump import cams_of


@pytest.mark.parametrize("full", [True, False])
def test_cams_are_kept_at_the_size_asked_for(tmp_path: Path, full: bool) -> None:
    torch.manual_seed(0)
    args = {"img_size": 64, "embed_dim": 48, "depth": 3, "num_heads": 3}
    net = build_single_stage(VitNet(backbone="vit_tiny_patch16_224", backbone_args=args, pretrained="none"), 3).eval()
    image = np.random.default_rng(0).integers(0, 256, (50, 37, 3), np.uint8)
    sample = Sample("a", Path("a.jpg"), 37, 50, (2,))
    (cam,) = cams_of(net, [image], [sample], Seeds(resize=64, scales=(1.0,), full=full), torch.device("cpu"))
    write_cam(tmp_path / "a.npz", cam)
    again = read_cam(tmp_path / "a.npz")
    assert again.cam.shape == (1, 13, 10) and again.full().shape == (1, 50, 37)
    assert (again.high_res is not None) == full
    grown = torch.nn.functional.interpolate(torch.from_numpy(again.cam)[None], (50, 37), mode="bilinear")[0]
    apart = (grown - again.full()).abs().max()
    assert apart > 0.01 if full else apart < 1e-3
