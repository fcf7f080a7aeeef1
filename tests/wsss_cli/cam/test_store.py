"""CAM files: what is written is read; IRN's pickles need trust; damaged files are named."""

from pathlib import Path

import numpy as np
import pytest
import torch

from wsss_cli.cam.store import Cam, read_cam, write_cam
from wsss_cli.errors import WsssError


def _cam(n: int = 2, scales: int = 0) -> Cam:
    rng = np.random.default_rng(0)
    parts = tuple(rng.random((n, 2 + i, 3 + i), dtype=np.float32) for i in range(scales))
    return Cam(np.arange(3, 3 + n), rng.random((n, 8, 11), dtype=np.float32), (30, 41), parts)


@pytest.mark.parametrize("scales", [0, 4])
def test_what_is_written_is_read(tmp_path: Path, scales: int) -> None:
    cam, path = _cam(scales=scales), tmp_path / "cam" / "2007_000032.npz"
    write_cam(path, cam)
    back = read_cam(path)
    assert back.size == (30, 41) and back.class_ids.tolist() == [3, 4]
    np.testing.assert_allclose(back.cam, cam.cam, atol=5e-4)
    assert back.cam.dtype == np.float32
    assert len(back.scale_maps) == scales
    assert back.full().shape == (2, 30, 41)
    np.testing.assert_allclose(back.full(), cam.full(), atol=1e-3)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_image_without_tags_has_no_maps(tmp_path: Path) -> None:
    write_cam(tmp_path / "a.npz", _cam(0))
    back = read_cam(tmp_path / "a.npz")
    assert back.cam.shape == (0, 8, 11)
    assert back.full().shape == (0, 30, 41)


def test_irns_own_files_need_trust(tmp_path: Path) -> None:
    path, cam = tmp_path / "2007_000032.npy", _cam()
    high_res = np.random.default_rng(1).random((2, 30, 41), dtype=np.float32)
    held = {"keys": torch.tensor([2, 3]), "cam": torch.from_numpy(cam.cam), "high_res": high_res}
    np.save(path, held, allow_pickle=True)
    with pytest.raises(WsssError, match=r"2007_000032.npy[\s\S]*--trust-checkpoint"):
        read_cam(path)
    back = read_cam(path, trust=True)
    assert back.class_ids.tolist() == [3, 4] and back.size == (30, 41)
    np.testing.assert_array_equal(back.cam, cam.cam)
    np.testing.assert_array_equal(back.full(), high_res)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", b"no archive at all"])
@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_damaged_files_are_named(tmp_path: Path, damage: bytes, suffix: str) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(damage)
    with pytest.raises(WsssError, match=r"bad\.np. holds no CAM"):
        read_cam(path, trust=True)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    write_cam(path, _cam())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WsssError, match=r"bad\.npz holds no CAM"):
        read_cam(path)


def test_a_missing_file_says_which_stage_makes_it(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="wsss seeds"):
        read_cam(tmp_path / "none.npz")


def test_full_size_maps_are_kept(tmp_path: Path) -> None:
    high_res = np.random.default_rng(2).random((2, 30, 41), dtype=np.float32).astype(np.float16).astype(np.float32)
    small = np.zeros((2, 8, 11), np.float32)
    write_cam(tmp_path / "a.npz", Cam(np.array([2, 3]), small, (30, 41), high_res=high_res))
    back = read_cam(tmp_path / "a.npz")
    np.testing.assert_array_equal(back.full(), high_res)
    assert back.scale_maps == () and back.cam.shape == small.shape
