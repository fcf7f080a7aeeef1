"""CAMs on disk: `npz` of float16 maps at stride 4, present classes only; IRN's own `.npy` can be read."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from wsss_cli.cam.merge import merge_high_res, upsample
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import writing
from wsss_cli.sound import open_file

DAMAGED = (OSError, ValueError, KeyError, EOFError, AttributeError, ImportError, zipfile.BadZipFile, pickle.PickleError)
"""What numpy raises for a file that is cut short, empty or something else."""


@dataclass(frozen=True)
class Cam:
    """The CAMs of one image.

    class_ids (n,) 1..C of the classes present; cam (n, h, w) float32 in [0, 1] at stride 4; size (H, W) of the
    image; scale_maps (n, h', w') of each scale, from which the full-resolution CAM is merged as IRN does: a hundredth
    of its size on disk; high_res (n, H, W) float32, the same merged: in IRN's own files, and of methods whose CAMs are
    no such merge
    """

    class_ids: NDArray[np.int64]
    cam: NDArray[np.float32]
    size: tuple[int, int]
    scale_maps: tuple[NDArray[np.float32], ...] = ()
    high_res: NDArray[np.float32] | None = None

    def full(self) -> Tensor:
        """(n, H, W): the full-resolution merge, or the enlarged CAM where its parts were not kept."""
        if self.high_res is not None:
            return torch.from_numpy(self.high_res)
        if self.scale_maps:
            return merge_high_res([torch.from_numpy(m) for m in self.scale_maps], self.size)
        return upsample(torch.from_numpy(self.cam), self.size)


def cam_path(folder: Path, sample: Sample) -> Path:
    """Where a stage's folder has the CAMs of an image."""
    return folder / "cam" / f"{sample.id}.npz"


def write_cam(path: Path, cam: Cam, dtype: DTypeLike = np.float16) -> None:
    """Write `path` (.npz), whole or not at all."""
    parts = {f"scale_{i}": maps.astype(dtype) for i, maps in enumerate(cam.scale_maps)}
    if cam.high_res is not None:
        parts["high_res"] = cam.high_res.astype(dtype)
    with writing(path, flushed=False) as aside, aside.open("wb") as file:
        arrays = {"keys": cam.class_ids, "cam": cam.cam.astype(dtype), "size": np.array(cam.size), **parts}
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub has a bool among the keywords


def read_cam(path: Path, trust: bool = False) -> Cam:
    """Read a `.npz` of ours, or a `.npy` [released IRN], which is a pickle and so needs `trust`.

    Raises WsssError naming the file: missing, damaged, of another kind, or not trusted.
    """
    try:
        return _read_pickled(path, trust) if path.suffix == ".npy" else _read(path)
    except FileNotFoundError as error:
        raise WsssError(f"no CAM {path}", "run `wsss seeds`, which makes it") from error
    except PermissionError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the file's rights") from error
    except DAMAGED as error:
        raise WsssError(f"{path} holds no CAM: {error}", "delete it: the next command makes it again") from error


def _read(path: Path) -> Cam:
    with open_file(path) as raw, np.load(raw, allow_pickle=False) as file:
        h, w = file["size"].tolist()
        high_res = file["high_res"].astype(np.float32) if "high_res" in file.files else None
        scales = sum(name.startswith("scale_") for name in file.files)
        parts = tuple(file[f"scale_{i}"].astype(np.float32) for i in range(scales))
        return Cam(file["keys"].astype(np.int64), file["cam"].astype(np.float32), (h, w), parts, high_res)


def _read_pickled(path: Path, trust: bool) -> Cam:
    """A pickled dict: keys, 0-based; cam at stride 4 and high_res, normalised. Tensors or arrays."""
    if not trust:
        raise WsssError(
            f"{path} is a pickle, which can run code when it is read",
            "if you trust its origin, pass --trust-checkpoint",
        )
    with open_file(path) as raw:
        held: dict[str, Any] = np.load(raw, allow_pickle=True).item()
    high_res = np.asarray(held["high_res"], dtype=np.float32)
    keys = np.asarray(held["keys"], dtype=np.int64) + 1
    return Cam(
        keys, np.asarray(held["cam"], dtype=np.float32), (high_res.shape[1], high_res.shape[2]), high_res=high_res
    )
