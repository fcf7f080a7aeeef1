"""A third party's plain-CAM method, which is its METHOD and one setting, through every command."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from processes import Wsss
from wsss_cli.cam.store import Cam, read_cam, write_cam
from wsss_cli.classifier.stages import write_label
from wsss_cli.data.label_format import BYTE
from wsss_cli.data.labels import read_labels


def test_every_command_runs(wsss: Wsss) -> None:
    for words in (
        ("evaluate", "plain_cam", "--train"),
        ("evaluate", "--stage", "seeds"),
        ("evaluate", "--stage", "pseudo"),
    ):
        result = wsss(*words, "--workers", 0, "--json", seconds=120)
        assert result.code == 0, result.text
        assert 0 <= json.loads(result.out)["scores"][0]["miou"] <= 1
    for words in (
        ("check",),
        ("report",),
        ("export", "labels", "--format", "png", "--out", "out"),
        ("methods", "plain_cam"),
    ):
        result = wsss(*words)
        assert result.code == 0, result.text
    run = wsss.folder / "runs/dots/plain_cam/default"
    alone = len((run / "report.html").read_text())
    assert wsss("report", "--compare", "plain_cam/default", "--compare", "plain_cam/default").code == 0
    assert abs(len((run / "report.html").read_text()) - alone) < 9, "the run stands beside itself"
    config = (run / "pseudo/config.yaml").read_text()
    assert "background: 0.2" in config and len(list((run / "seeds/cam").glob("*.npz"))) == 10
    assert torch.load(run / "seeds/cam_net/checkpoint.pt", weights_only=True)["meta"]["method"] == "plain_cam"


def test_trained_weights_are_taken_instead(wsss: Wsss) -> None:
    words = ("seeds", "plain_cam", "--workers", 0)
    assert wsss(*words, seconds=120).code == 0
    run = wsss.folder / "runs/dots/plain_cam"
    file = run / "default/seeds/cam_net/checkpoint.pt"
    again = wsss(*words, "--name", "taken", f"training.checkpoint={file}", seconds=120)
    assert again.code == 0, again.text
    for path in sorted((run / "default/seeds/cam").glob("*.npz")):
        assert np.array_equal(read_cam(path).cam, read_cam(run / "taken/seeds/cam" / path.name).cam)
    assert not (run / "taken/seeds/cam_net/metrics.jsonl").exists()


@pytest.mark.parametrize(("background", "wanted"), [(0.0, [[3, 5], [3, 0]]), (0.5, [[3, 5], [0, 0]])])
def test_the_strongest_class_or_background_where_it_is_weak(
    background: float, wanted: list[list[int]], tmp_path: Path
) -> None:
    maps = np.array([[[1.0, 0.2], [0.4, 0.0]], [[0.3, 0.8], [0.2, 0.0]]], dtype=np.float32)
    write_cam(tmp_path / "a.npz", Cam(np.array([3, 5]), maps[:, :1, :1], (2, 2), high_res=maps))
    write_label(tmp_path / "a.png", tmp_path / "a.npz", background, BYTE, ())
    assert read_labels(tmp_path / "a.png").tolist() == wanted
