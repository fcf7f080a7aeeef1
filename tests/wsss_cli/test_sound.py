"""Damaged archives: whatever their directory says, that is told, and is no error of the disk."""

import errno
import zipfile
from pathlib import Path

import pytest

from wsss_cli.sound import zip_fault


@pytest.mark.parametrize("offset", [2**40, 2**63 - 1])
def test_a_part_that_lies_where_no_file_reaches(tmp_path: Path, offset: int) -> None:
    """The system refuses to go there: an OSError, of the damage and not of the disk."""
    path = tmp_path / "checkpoint.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data.pkl", b"some bytes")
        file.filelist[0].header_offset = offset
    assert zip_fault(path)


def test_an_error_of_the_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data.pkl", b"some bytes")

    def broken(self: zipfile.ZipFile) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(zipfile.ZipFile, "testzip", broken)
    with pytest.raises(OSError, match="Input/output"):
        zip_fault(path)
