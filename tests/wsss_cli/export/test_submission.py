"""The archive of the VOC server: its names, modes and bytes, and what is refused."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.export.submission import write_submission

LABELS = np.random.default_rng(0).integers(0, 21, (4, 6, 9)).astype(np.uint8)
SAMPLES = [Sample(f"2008_{i:06}", Path("none.jpg"), 9, 6, ()) for i in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for sample, labels in zip(SAMPLES, LABELS):
        write_labels(tmp_path / "labels" / f"{sample.id}.png", labels)
    return tmp_path / "labels"


def write(path: Path, folder: Path, competition: str = "comp6") -> Path:
    write_submission(path, SAMPLES, folder, competition, lambda n=1, note="": None)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("competition", ["comp5", "comp6"])
def test_as_the_server_wants_it(folder: Path, tmp_path: Path, competition: str) -> None:
    with tarfile.open(write(tmp_path / "s.tgz", folder, competition), "r:gz") as archive:
        members = archive.getmembers()
        assert [m.name for m in members] == [
            f"results/VOC2012/Segmentation/{competition}_test_cls/{s.id}.png" for s in SAMPLES
        ]
        for member, labels in zip(members, LABELS):
            file = archive.extractfile(member)
            assert file is not None and member.isreg()
            image = Image.open(io.BytesIO(file.read()))
            assert image.mode == "P" and image.format == "PNG" and (np.array(image) == labels).all()


def test_the_same_bytes_again(folder: Path, tmp_path: Path) -> None:
    first = write(tmp_path / "first.tgz", folder).read_bytes()
    assert write(tmp_path / "second.tar.gz", folder).read_bytes() == first


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("missing", "1 of 4 images have no prediction in .*: 2008_000002"),
        ("size", "2008_000002.png is 6 x 9, its image 9 x 6"),
        ("class", "2008_000002.png holds class ids 21, 255, not in 0..20"),
        ("damaged", "2008_000002.png is damaged"),
    ],
)
def test_what_the_server_would_refuse(folder: Path, tmp_path: Path, how: str, says: str) -> None:
    path = folder / "2008_000002.png"
    if how == "missing":
        path.unlink()
    elif how == "size":
        write_labels(path, LABELS[2].T)
    elif how == "class":
        write_labels(path, np.where(LABELS[2] == 0, 255, 21).astype(np.uint8))
    else:
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(WsssError, match=says):
        write(tmp_path / "s.tgz", folder)
    assert [p.name for p in tmp_path.iterdir()] == ["labels"]


def test_a_name_that_is_no_archive(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WsssError, match=r"s\.zip is to be a gzipped tar archive"):
        write(tmp_path / "s.zip", folder)
