"""A pipe in a file's place is refused; a guard ends what would wait for it without end."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wsss_bcm.filling import read_rates
from wsss_cli import sound
from wsss_cli.cam.store import read_cam
from wsss_cli.data.images import image_size, kind_of_file, read_image
from wsss_cli.data.labels import read_labels, read_mask01
from wsss_cli.data.npy import read_npy_dict
from wsss_cli.data.objects import from_json
from wsss_cli.data.xml_file import read_xml
from wsss_cli.downloads.download import digest_of
from wsss_cli.downloads.members import members
from wsss_cli.errors import WsssError
from wsss_cli.nets.clip_text import _read as read_text_features
from wsss_cli.places import file_digest
from wsss_cli.torchfile import read_torch
from wsss_coco.index import read_index
from wsss_folder.documents import read_json, read_text, read_yaml
from wsss_folder.masks import mask_values
from wsss_folder.recognise import _head
from wsss_folder.split_lists import read_lists
from wsss_folder.table import read_table
from wsss_folder.yolo_txt import begins_as_label
from wsss_voc.devkit import _text
from wsss_weclip.keeping import read_evidence

READERS: dict[str, Callable[[Path], Any]] = {
    "a.csv": read_table,
    "a.txt": read_text,
    "split.txt": lambda path: read_lists([path], None),  # type: ignore[arg-type]
    "label.txt": begins_as_label,
    "voc.txt": _text,
    "a.json": read_json,
    "coco.json": read_index,
    "objects.json": lambda path: from_json(path, (), (), ()),
    "rates.json": lambda path: read_rates(path, ("cat",)),
    "a.yaml": read_yaml,
    "a.xml": read_xml,
    "a.npy": read_npy_dict,
    "text.npz": lambda path: read_text_features(path, ()),
    "cam.npz": read_cam,
    "a.pt": read_torch,
    "a.jpg": read_image,
    "size.jpg": image_size,
    "kind.jpg": kind_of_file,
    "a.png": read_labels,
    "mask.png": read_mask01,
    "values.png": mask_values,
    "plain/a.npz": lambda path: read_evidence(path.parents[1], "a", False),
    "a.zip": lambda path: list(members(path)),
    "a.tgz": digest_of,
    "weights.pth": file_digest,
    "own.json": sound.read_text,
    "own.png": sound.fault,
}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises AssertionError in what takes longer."""

    def stop(*_: object) -> None:
        raise AssertionError(f"it waits for more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_no_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with within(5), pytest.raises(WsssError, match=rf"{re.escape(str(path))} is a pipe, not a file"):
        READERS[name](path)


def test_a_device_is_no_file_and_a_folder_of_pipes_is_passed_over(tmp_path: Path) -> None:
    with within(5), pytest.raises(WsssError, match="/dev/zero is a device, not a file"):
        read_json(Path("/dev/zero"))
    os.mkfifo(tmp_path / "a.json")
    with within(5):
        assert _head(tmp_path / "a.json") == ""


OURS = {
    "app.py",
    "browser.py",
    "checkout.py",
    "figures.py",
    "page.py",
    "scalenet.py",
    "smaller.py",
    "locks.py",
    "testing.py",
    "bounds.py",
    "memory.py",
}
"""Of the package itself, of a lock, of the kernel, or just written."""


def test_all_that_reads_files_of_others_asks_what_they_are() -> None:
    """By sound.open_file and what is made of it, or by is_file in the same line."""
    root = Path(sound.__file__).parents[1]
    reads = re.compile(r'\.open\("rb"\)|\.open\(encoding|\.read_bytes\(\)|\.read_text\(')
    found = {
        f"{path.name}: {line.strip()}"
        for room in ("wsss_cli", "datasets", "methods")
        for path in (root / room).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if reads.search(line) and "is_file()" not in line and path.name not in OURS
    }
    assert {line.partition(":")[0] for line in found} == {"sound.py", "sbd.py", "images.py"}, found
