"""Data that is not what was prepared is used by nobody."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drawn_folder import drawn_folder
from wsss_cli.checks.dataset import check_sample
from wsss_cli.data.prepared import Prepared, Sample, read_info, read_prepared, write_prepared
from wsss_cli.data.unchanged import require_same_objects, require_unchanged
from wsss_cli.errors import WsssError


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return drawn_folder(tmp_path, checked)


def checked(samples: list[Sample]) -> list[Sample]:
    """With their digests, as `wsss prepare` records them."""
    return [found for sample in samples if (found := check_sample(sample, 2).sample) is not None]


def other_pixels(path: Path) -> None:
    """A picture of the very same size in bytes."""
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("which", ["image", "mask"])
@pytest.mark.parametrize(
    "change",
    [other_pixels, lambda path: path.write_bytes(b""), lambda path: path.unlink(), lambda p: p.write_text("x")],
)
def test_a_replaced_file_is_named(prepared: Prepared, which: str, change: Callable[[Path], Any]) -> None:
    require_unchanged(prepared.samples)
    path = getattr(prepared.samples[1], which)
    change(path)
    with pytest.raises(WsssError, match=rf"{path.name} is not the file that was prepared\n  put back what it was"):
        require_unchanged(prepared.samples)


def test_a_copy_with_other_times_is_the_same(prepared: Prepared) -> None:
    for sample in prepared.samples:
        os.utime(sample.image, ns=(1, 1))
    require_unchanged(prepared.samples)


def test_what_has_its_size_and_time_is_not_read(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> bytes:
        raise AssertionError(path)

    monkeypatch.setattr(Path, "read_bytes", fail)
    require_unchanged(prepared.samples)


def lines_of(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: [*lines, lines[0]],
        lambda lines: [lines[0].replace('"tags": [', '"tags": [2, '), *lines[1:]],
        lambda lines: [],
        lambda lines: [*lines[:-1], lines[-1][:20]],
    ],
)
def test_lines_that_were_lost_doubled_or_altered_are_not_used(prepared: Prepared, change: Any) -> None:
    lines_of(prepared.folder / "samples.jsonl", change)
    with pytest.raises(WsssError, match=r"samples\.jsonl cannot be read: .*\n  run `wsss prepare` again"):
        read_prepared(prepared.folder)


@pytest.mark.parametrize("old", ["classes", "train", "name: m", "lines: "])
def test_a_head_that_was_altered_is_not_used(prepared: Prepared, old: str) -> None:
    path = prepared.folder / "dataset.yaml"
    text = path.read_text()
    path.write_text(text.replace(old, old[:-1] + "x", 1))
    with pytest.raises(WsssError, match=r"dataset\.yaml cannot be read"):
        read_prepared(prepared.folder)


def test_what_an_older_version_wrote_is_read(prepared: Prepared) -> None:
    """It had no stamps, and no sums."""
    head = prepared.folder / "dataset.yaml"
    lines_of(head, lambda lines: [line for line in lines if not line.startswith(("lines:", "sum:"))])
    path = prepared.folder / "samples.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "stamps"}) + "\n" for row in rows))
    old = read_prepared(prepared.folder)
    require_unchanged(old.samples)
    other_pixels(old.samples[0].image)
    with pytest.raises(WsssError, match="is not the file that was prepared"):
        require_unchanged(old.samples)


def test_the_hash_is_of_what_the_files_hold_not_of_when_they_were_written(tmp_path: Path) -> None:
    first = drawn_folder(tmp_path / "a", checked)
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)
    assert drawn_folder(tmp_path / "b", checked).info.hash == first.info.hash


@pytest.mark.parametrize("change", [other_pixels, lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_replaced_objects_are_named(tmp_path: Path, change: Callable[[Path], Any]) -> None:
    data = drawn_folder(tmp_path)
    objects = tmp_path / "objects"
    objects.mkdir()
    path = Path(shutil.copy(data.samples[1].mask or "", objects / "a.png"))
    write_prepared(tmp_path / "d", replace(data.info, instances=(objects,)), data.samples)
    info = read_info(tmp_path / "d")
    require_same_objects(info)
    change(path)
    with pytest.raises(WsssError, match="objects is not what it was when the data set was prepared"):
        require_same_objects(info)
