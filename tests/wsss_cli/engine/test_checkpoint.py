"""Checkpoints: everything comes back, nothing is half-written, what cannot be used is named."""

import io
import os
import pickle
import random
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.serialization import set_crc32_options

from processes import Forked
from wsss_cli.engine import checkpoint
from wsss_cli.errors import WsssError
from wsss_cli.ranks.distributed import Runtime

CPU = torch.device("cpu")


def draws() -> list[float]:
    return [
        random.random(),
        random.gauss(0, 1),
        float(np.random.rand()),
        float(np.random.randn()),
        float(torch.rand(())),
    ]


def test_every_generator_goes_on_where_it_was(tmp_path: Path) -> None:
    checkpoint.seed_all(3)
    random.gauss(0, 1), np.random.randn()  # both keep a second value for the next call
    checkpoint.save(tmp_path / "checkpoint.pt", {"x": torch.arange(3)}, Runtime(CPU))
    wanted = draws()
    checkpoint.seed_all(4)
    content = checkpoint.load(tmp_path / "checkpoint.pt")
    checkpoint.set_rng_state(content["rng"][0], CPU)
    assert draws() == wanted and content["x"].tolist() == [0, 1, 2]


def test_seeding_repeats_every_draw() -> None:
    checkpoint.seed_all(5)
    first = draws()
    checkpoint.seed_all(5)
    assert draws() == first


class _Odd:
    """Not among what weights_only allows."""


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("make", "message", "remedy"),
    [
        (lambda path: None, "there is no checkpoint", "train first"),
        (lambda path: path.write_bytes(b""), "is damaged", "copy or fetch it again"),
        (lambda path: path.write_bytes(b"\x89PNG not a checkpoint"), "is damaged", "copy or fetch it again"),
        (
            lambda path: (torch.save({"x": torch.zeros(500)}, path), _truncate(path)),
            "is damaged",
            "copy or fetch it again",
        ),
        (lambda path: torch.save({"x": _Odd()}, path), "is a pickle that runs code", "--trust-checkpoint"),
        (
            lambda path: path.write_bytes(pickle.dumps(_Odd(), protocol=2)),
            "is a pickle that runs code",
            "--trust-checkpoint",
        ),
        (lambda path: path.mkdir(), "is a folder, not a file", "move it away"),
        (lambda path: os.mkfifo(path), "is a pipe, not a file", "move it away"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, make: Any, message: str, remedy: str) -> None:
    path = tmp_path / "checkpoint.pt"
    make(path)
    with pytest.raises(WsssError) as error:
        checkpoint.load(path)
    assert str(path) in error.value.what and message in error.value.what and remedy in error.value.remedy


def test_no_flipped_bit_of_a_checkpoint_is_read_as_good(tmp_path: Path) -> None:
    """torch looks at no sum; what a flip may change unseen is the padding between the tensors."""
    path, rng = tmp_path / "c.pt", random.Random(0)
    torch.save({"x": torch.randn(400), "k": 3}, path)
    whole, good = path.read_bytes(), torch.load(path)["x"]
    told = 0
    for _ in range(200):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            assert torch.equal(checkpoint.load(path)["x"], good)
        except WsssError as error:
            told += 1
            assert str(path) in str(error)
    assert told > 130


def test_torchs_own_files_without_sums_are_read(tmp_path: Path) -> None:
    set_crc32_options(False)
    try:
        torch.save({"x": 1}, tmp_path / "c.pt")
    finally:
        set_crc32_options(True)
    assert checkpoint.load(tmp_path / "c.pt") == {"x": 1}


def test_code_is_read_only_where_it_is_trusted(tmp_path: Path) -> None:
    torch.save({"x": Path("a")}, tmp_path / "c.pt")
    assert checkpoint.load(tmp_path / "c.pt", trust=True) == {"x": Path("a")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "is no checkpoint of wsss"),
        ({"state_dict": {}}, "is no checkpoint of wsss"),
        ({"meta": {"method": "irn"}}, "is no checkpoint of wsss"),
        ({"meta": {"method": "irn", "classes": ["a", "b"]}}, "is a checkpoint of method 'irn', not of 'toy'"),
        ({"meta": {"method": "toy", "classes": ["a"]}}, "knows 1 classes, the data set has 2"),
        ({"meta": {"method": "toy", "classes": ["b", "a"]}}, "or they have other names"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(content: Any, message: str) -> None:
    with pytest.raises(WsssError, match=message):
        checkpoint.expect(content, Path("c.pt"), "toy", ("a", "b"))


def test_the_right_checkpoint_is_accepted() -> None:
    checkpoint.expect({"meta": {"method": "toy", "classes": ["a", "b"]}}, Path("c.pt"), "toy", ("a", "b"))


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full answers as a full disk does, to the writer inside torch as well."""
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"k": 1}, Runtime(CPU))
    real = Path.open

    def full(self: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if not self.name.endswith(".part"):
            return real(self, mode, *rest, **named)
        self.touch()
        return real(Path("/dev/full"), mode, *rest, **named)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(WsssError, match=f"no space left while writing {path}"):
        checkpoint.save(path, {"k": 2, "x": torch.zeros(1_000_000)}, Runtime(CPU))
    monkeypatch.undo()
    assert checkpoint.load(path)["k"] == 1 and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("room", [0, 1, 100, 999, 2_000, 4_096, 5_000, 8_192, 9_000, 9_500])
def test_a_full_disk_is_told_with_what_is_needed_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """However much of it still fits: torch makes other errors of the file's own in most cases."""
    path, runtime = tmp_path / "checkpoint.pt", Runtime(torch.device("cpu"))
    checkpoint.save(path, {"model": torch.zeros(2000), "k": 1}, runtime)
    before = path.read_bytes()
    plain = Path.open

    def full(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        return Small(io.FileIO(self, mode), room) if mode == "wb" else plain(self, mode, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(WsssError) as error:
        checkpoint.save(path, {"model": torch.zeros(2000), "k": 2}, runtime)
    assert "no space left while writing" in error.value.what and "takes 0.0 MiB" in error.value.what
    assert "the one from before is kept" in error.value.remedy
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_that_is_too_large_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        with pytest.raises(
            WsssError, match=f"{path} is larger than its file system, .* allows: a checkpoint takes 0.4"
        ):
            checkpoint.save(path, {"model": torch.zeros(100_000)}, Runtime(CPU))

    done = Forked(limited, tmp_path).wait()
    assert done.code == 0 and not list(tmp_path.iterdir()), done.text


class Small(io.BufferedWriter):
    """A file on a disk that has room for so many bytes."""

    def __init__(self, raw: io.FileIO, room: int) -> None:
        super().__init__(raw)
        self.room = room

    def write(self, data: Any) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(28, "No space left on device")
        return super().write(data)
