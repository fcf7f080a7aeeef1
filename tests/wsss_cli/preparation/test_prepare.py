"""The host's side of prepare: all problems told at once, nothing half-written, nothing lost."""

import errno
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from made_run import drawn_data
from prepared_data import prepare
from wsss_cli.checks.dataset import Finding, check
from wsss_cli.config import Config
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import BadSample, Box, DatasetInfo, Prepared, Sample, read_latest, read_prepared
from wsss_cli.dataset import Dataset
from wsss_cli.errors import WsssError
from wsss_cli.preparation.prepare import Review

INFO = DatasetInfo("plugin's", "test", ("cat", "dog"), {"train": "train", "val": "val"}, "generated", "masks")


@dataclass(frozen=True)
class Given(Dataset):
    """A plugin that tells the samples it was given."""

    samples: Iterable[Sample | BadSample] = ()
    info: DatasetInfo = INFO

    def function(self) -> Callable[[Any, Path], tuple[DatasetInfo, Iterable[Sample | BadSample]]]:
        return lambda options, folder: (self.info, self.samples)


def run(tmp_path: Path, samples: Iterable[Sample | BadSample], info: DatasetInfo = INFO, **options: Any) -> Prepared:
    plugin = Given("test", "", "", "", samples, info)
    return prepare(plugin, Config(), options.pop("name", "mine"), tmp_path / "data", **options)


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Four train and two val images of 10 x 8 with masks; each has a box of its class."""
    return [_sample(tmp_path / "raw", f"i{n}", "train" if n < 4 else "val", 1 + n % 2) for n in range(6)]


def _sample(folder: Path, id: str, split: str, label: int) -> Sample:
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(len(id)).integers(0, 255, (8, 10, 3)).astype(np.uint8)
    pixels[0, 0] = [ord(c) for c in id[:2].ljust(3)][:3]
    Image.fromarray(pixels).save(folder / f"{id}.png")
    labels = np.zeros((8, 10), np.uint8)
    labels[1:5, 2:6] = label
    write_labels(folder / f"{id}_mask.png", labels)
    image, mask = folder / f"{id}.png", folder / f"{id}_mask.png"
    return Sample(id, image, 10, 8, (label,), (Box(label, 2, 1, 6, 5),), mask, (split,))


def assert_nothing_left(tmp_path: Path) -> None:
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").iterdir())


def test_prepared_as_told(tmp_path: Path, samples: list[Sample]) -> None:
    steps: list[tuple[int, int]] = []
    prepared = run(tmp_path, samples, progress=lambda done, total: steps.append((done, total)))
    assert prepared.info.name == "mine" and prepared.info.kind == "test" and len(prepared.info.hash) == 16
    assert [replace(s, image_digest="", mask_digest="") for s in prepared.samples] == samples
    assert len({s.image_digest for s in prepared.samples}) == 6
    assert steps == [(n, 6) for n in range(1, 7)]
    assert read_latest(tmp_path / "data") == "mine"
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["latest", "mine"]
    assert check(prepared).findings == [Finding("ok", "6 images, 2 classes: every file is sound")]


def test_a_stream_of_unknown_length_will_do(tmp_path: Path, samples: list[Sample]) -> None:
    totals = set()
    assert len(run(tmp_path, iter(s for s in samples), progress=lambda _, total: totals.add(total)).samples) == 6
    assert totals == {0}


def _spoil(sample: Sample, how: str) -> Sample:
    assert sample.mask is not None
    match how:
        case "zero-byte image":
            sample.image.write_bytes(b"")
        case "truncated image":
            sample.image.write_bytes(sample.image.read_bytes()[:-90])
        case "missing image":
            sample.image.unlink()
        case "image of another size":
            return replace(sample, width=11)
        case "mask of another size":
            write_labels(sample.mask, np.zeros((10, 8), np.uint8))
        case "mask ids out of range":
            write_labels(sample.mask, np.full((8, 10), 3, np.uint8))
        case "colour mask":
            Image.new("RGB", (10, 8)).save(sample.mask)
        case "missing mask":
            sample.mask.unlink()
        case "box outside":
            return replace(sample, boxes=(Box(1, 2, 1, 11, 5),))
        case "box inverted":
            return replace(sample, boxes=(Box(1, 6, 1, 2, 5),))
        case "tag out of range":
            return replace(sample, tags=(3,))
        case _:
            raise AssertionError(how)
    return sample


@pytest.mark.parametrize(
    ("how", "file", "says"),
    [
        ("zero-byte image", "i1.png", "is empty"),
        ("truncated image", "i1.png", "is damaged"),
        ("missing image", "i1.png", "is missing"),
        ("image of another size", "i1.png", "is 10 x 8, but was declared 11 x 8"),
        ("mask of another size", "i1_mask.png", "is 8 x 10, but its image .*i1.png is 10 x 8"),
        ("mask ids out of range", "i1_mask.png", r"class ids 3, not in 0\.\.2 or 255"),
        ("colour mask", "i1_mask.png", "colour-coded"),
        ("missing mask", "i1_mask.png", "is missing"),
        ("box outside", "i1.png", r"box \(2, 1, 11, 5\) is inverted, empty or not inside 10 x 8"),
        ("box inverted", "i1.png", r"box \(6, 1, 2, 5\) is inverted"),
        ("tag out of range", "i1.png", r"class ids \[3\] are not in 1\.\.2"),
    ],
)
def test_one_bad_file(tmp_path: Path, samples: list[Sample], how: str, file: str, says: str) -> None:
    samples[1] = _spoil(samples[1], how)
    with pytest.raises(WsssError, match=says) as caught:
        run(tmp_path, samples)
    assert file in caught.value.what and "--skip-bad leaves the image out" in caught.value.remedy
    assert_nothing_left(tmp_path)
    said: list[Finding] = []
    prepared = run(tmp_path, samples, skip_bad=True, say=said.append)
    assert [s.id for s in prepared.samples] == ["i0", "i2", "i3", "i4", "i5"]
    assert [f.what for f in said] == ["1 of 6 images left out"]
    assert file in (prepared.folder / "skipped.txt").read_text()


def test_a_plugins_bad_sample_is_told_and_can_be_skipped(tmp_path: Path, samples: list[Sample]) -> None:
    bad = BadSample("i9", WsssError("i9.xml is no XML", "mend it"))
    with pytest.raises(WsssError, match=r"i9.xml is no XML\n  mend it"):
        run(tmp_path, [*samples, bad])
    prepared = run(tmp_path, [*samples, bad], skip_bad=True)
    assert (prepared.folder / "skipped.txt").read_text() == "i9\ti9.xml is no XML\n"

    said: list[Finding] = []
    twice = [bad, BadSample("i9", WsssError("i9.png is not there"))]  # of an image that two files name
    prepared = run(tmp_path, [*samples, *twice], name="two", skip_bad=True, say=said.append)
    assert [f.what for f in said] == ["1 of 7 images left out"]
    assert len((prepared.folder / "skipped.txt").read_text().splitlines()) == 2


def test_many_problems_are_told_together(tmp_path: Path) -> None:
    made = [_sample(tmp_path / "raw", f"i{n:02}", "val" if n < 2 else "train", 1) for n in range(20)]
    bad = [_spoil(s, "zero-byte image") if n >= 2 else s for n, s in enumerate(made)]
    with pytest.raises(WsssError, match=r"18 problems in the data") as caught:
        run(tmp_path, bad)
    assert "split 'train'" not in caught.value.what  # which is empty for no other reason
    assert caught.value.what.count("is empty") == 10
    assert "and 8 more" in caught.value.what
    assert "--skip-bad" in caught.value.remedy
    with pytest.raises(WsssError, match="split 'train', which is to be the train and seeds split, has no usable image"):
        run(tmp_path, bad, skip_bad=True)
    assert_nothing_left(tmp_path)


def test_an_id_in_train_and_val(tmp_path: Path, samples: list[Sample]) -> None:
    samples[2] = replace(samples[2], splits=("train", "val"))
    for skip_bad in (False, True):
        with pytest.raises(WsssError, match=r"1 image\(s\) in split 'train' \(train\) and in split 'val' \(val\): i2"):
            run(tmp_path, samples, skip_bad=skip_bad)
    assert_nothing_left(tmp_path)


def test_an_id_twice(tmp_path: Path, samples: list[Sample]) -> None:
    with pytest.raises(WsssError, match=r"i0.png: a second image with the id 'i0', which .*i0.png has"):
        run(tmp_path, [*samples, samples[0]])
    assert_nothing_left(tmp_path)


def test_splits_that_overlap_otherwise_are_fine(tmp_path: Path, samples: list[Sample]) -> None:
    both = [replace(s, splits=(*s.splits, "all")) for s in samples]
    assert len(run(tmp_path, both).split("all")) == 6


def test_an_empty_split(tmp_path: Path, samples: list[Sample]) -> None:
    with pytest.raises(
        WsssError, match=r"split 'val', which is to be the val split, has no usable image\n.*train \(4\)"
    ):
        run(tmp_path, samples[:4])
    assert_nothing_left(tmp_path)


def test_images_without_tag_or_mask_are_a_warning(tmp_path: Path, samples: list[Sample]) -> None:
    samples[0] = replace(samples[0], tags=(), boxes=())
    samples[4] = replace(samples[4], mask=None)
    said: list[Finding] = []
    prepared = run(tmp_path, samples, say=said.append)
    assert [(f.level, f.what) for f in said] == [
        ("warning", "1 train image(s) without a tag: i0"),
        ("warning", "1 of 2 images of split 'val' (val) have no mask: i4"),
    ]
    assert [f.images for f in said] == [("i0",), ("i4",)]  # of which --json tells
    assert check(prepared).findings == said


def test_seeds_must_lie_in_train(tmp_path: Path, samples: list[Sample]) -> None:
    said: list[Finding] = []
    run(tmp_path, samples, replace(INFO, splits={**INFO.splits, "seeds": "val"}), say=said.append)
    assert [f.what for f in said] == ["2 image(s) not in split 'train' but in 'val', where seeds are scored: i4, i5"]


def test_the_same_again_is_up_to_date(tmp_path: Path, samples: list[Sample]) -> None:
    before = (run(tmp_path, samples).folder / "samples.jsonl").stat()
    said: list[Finding] = []
    run(tmp_path, samples, say=said.append)
    assert [f.what for f in said] == [f"{tmp_path / 'data' / 'mine'} is up to date"]
    assert (tmp_path / "data" / "mine" / "samples.jsonl").stat().st_ino == before.st_ino


def test_other_content_needs_force(tmp_path: Path, samples: list[Sample]) -> None:
    first = run(tmp_path, samples)
    run(tmp_path, samples, name="second")
    with pytest.raises(WsssError, match=r"data/mine exists with other content\n.*--force.*--name"):
        run(tmp_path, samples[1:])
    assert read_latest(tmp_path / "data") == "second"
    assert len(first.samples) == 6 and len(check(first).findings) == 1
    assert len(run(tmp_path, samples[1:], force=True).samples) == 5
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["latest", "mine", "second"]


def test_the_same_files_at_another_place_need_no_force(tmp_path: Path, samples: list[Sample]) -> None:
    first = run(tmp_path, samples)
    shutil.move(tmp_path / "raw", tmp_path / "moved")
    moved = [replace(s, image=tmp_path / "moved" / s.image.name, mask=None) for s in samples]
    moved = [replace(s, mask=tmp_path / "moved" / f"{s.id}_mask.png") for s in moved]
    second = run(tmp_path, moved)
    assert second.info.hash == first.info.hash
    assert second.samples[0].image.parent == tmp_path / "moved"


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path, samples: list[Sample]) -> None:
    (tmp_path / "data" / "mine").mkdir(parents=True)
    (tmp_path / "data" / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(WsssError, match="exists and is no prepared data set"):
        run(tmp_path, samples, force=True)
    assert (tmp_path / "data" / "mine" / "thesis.tex").exists()


@pytest.mark.parametrize("name", ["", "latest", "a/b", "..", ".hidden", "my photos", "a\n"])
def test_names_that_cannot_be_folders(tmp_path: Path, samples: list[Sample], name: str) -> None:
    with pytest.raises(WsssError, match=r"cannot (be the|name a)"):
        run(tmp_path, samples, name=name)


def test_changed_files_are_found_by_check(tmp_path: Path, samples: list[Sample]) -> None:
    prepared = run(tmp_path, samples)
    assert samples[3].mask is not None
    write_labels(samples[3].mask, np.zeros((8, 10), np.uint8))
    samples[0].image.write_bytes(b"")
    found = check(prepared).findings
    assert [f.kind for f in found] == ["unreadable-image", "changed", "tag-not-in-mask"]
    assert "i0.png is empty" in found[0].what
    remedy = "put back what they were, or prepare again: no stage runs on them"
    assert found[1] == Finding("error", "files changed since they were prepared: i3", remedy)


@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, samples: list[Sample], force: bool) -> None:
    first = run(tmp_path, samples)

    def full() -> Iterator[Sample]:
        yield from samples[:3]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(WsssError, match=r"no space left while writing .*samples\.jsonl"):
        run(tmp_path, full(), force=force)
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["latest", "mine"]
    assert check(first).findings[0].level == "ok"


@pytest.mark.parametrize(
    ("number", "message"), [(errno.ENOSPC, "no space left"), (errno.EFBIG, "larger than its file system")]
)
def test_a_full_disk_in_the_plugin(tmp_path: Path, number: int, message: str) -> None:
    @dataclass(frozen=True)
    class Full(Dataset):
        def function(self) -> Callable[[Any, Path], tuple[DatasetInfo, Iterable[Sample | BadSample]]]:
            def fill(options: Any, folder: Path) -> tuple[DatasetInfo, Iterable[Sample | BadSample]]:
                (folder / "half").write_text("half")
                raise OSError(number, "refused")

            return fill

    with pytest.raises(WsssError, match=message):
        prepare(Full("full", "", "", ""), Config(), "mine", tmp_path / "data")
    assert_nothing_left(tmp_path)


def test_a_data_set_behind_a_link_stays_there(tmp_path: Path, samples: list[Sample]) -> None:
    place, big = run(tmp_path, samples).folder, tmp_path / "big"
    big.mkdir()
    place.rename(big / "mine")
    place.symlink_to(big / "mine")
    for first in (1, 2):
        run(tmp_path, samples[first:], force=True)
        assert place.is_symlink() and len(read_prepared(place).samples) == len(samples) - first
        assert [path.name for path in big.iterdir()] == ["mine"]
    assert sorted(path.name for path in place.parent.iterdir()) == ["latest", "mine"]


def test_an_interrupt_leaves_nothing(tmp_path: Path, samples: list[Sample]) -> None:
    def interrupted() -> Iterator[Sample]:
        yield samples[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, interrupted())
    assert_nothing_left(tmp_path)


def test_what_a_plugin_can_resume_is_kept(tmp_path: Path, samples: list[Sample]) -> None:
    """Its subfolders, on any failure; not what the host writes, nor half-written files, nor an empty folder."""
    part = tmp_path / "data" / ".mine.part"

    def interrupted() -> Iterator[Sample]:
        yield samples[0]
        write_labels(part / "masks" / "0.png", np.zeros((8, 10), np.uint8))
        (part / "masks" / ".1.png.7.part").write_bytes(b"half")
        raise KeyboardInterrupt

    def attempt(stream: Iterable[Sample | BadSample]) -> None:
        plugin = Given("test", "", "", "", stream, INFO, resumes=True)
        prepare(plugin, Config(), "mine", tmp_path / "data", say=said.append)

    said: list[Finding] = []
    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted())
    assert [p.relative_to(part).as_posix() for p in sorted(part.rglob("*"))] == ["masks", "masks/0.png"]
    assert said == [Finding("ok", f"what is made already is kept for the next try in {part}")]
    attempt(samples)
    assert (tmp_path / "data" / "mine" / "masks" / "0.png").exists() and not part.exists()
    with pytest.raises(WsssError):
        attempt(samples[:1])
    assert not part.exists()


def test_what_a_killed_run_left_is_cleared(tmp_path: Path, samples: list[Sample]) -> None:
    (tmp_path / "data" / ".mine.part").mkdir(parents=True)
    (tmp_path / "data" / ".mine.part" / "old").write_text("x")
    assert not (run(tmp_path, samples).folder / "old").exists()


def test_prepare_tells_what_check_tells(tmp_path: Path) -> None:
    """One walk feeds both: here tags that no mask holds."""
    data = drawn_data(tmp_path / "data")
    wrong = [replace(s, tags=(3,)) if s.mask and 3 not in s.tags else s for s in data.samples]
    review = Review(data.info, False, None)
    sound = list(review.sound(wrong))
    told = [f.what for f in review.conclude(tmp_path)]
    assert any("masks lack a class that their image is tagged with" in what for what in told)
    checked = {f.what for f in check(Prepared(tmp_path, data.info, tuple(sound))).findings}
    assert checked <= set(told)
