"""`--fix`: only what is safe changes, the old data set is kept, the rest is refused with the reason."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drawn_folder import changed, drawn_folder
from wsss_cli.checks.dataset import check
from wsss_cli.data.labels import write_labels
from wsss_cli.data.prepared import Box, Prepared, Sample, read_prepared
from wsss_cli.errors import WsssError
from wsss_cli.preparation.mend import Mending, plan_mending, write_mended


def mended(prepared: Prepared) -> tuple[Mending, Prepared]:
    mending = plan_mending(prepared, check(prepared).findings)
    write_mended(prepared, mending)
    return mending, read_prepared(prepared.folder)


def splits(prepared: Prepared) -> dict[str, tuple[str, ...]]:
    return {s.id: s.splits for s in prepared.samples}


def spoilt(samples: list[Sample]) -> list[Sample]:
    """ä1 in train, part and val; ä4's boxes reach out of the image."""
    samples = changed(samples, 1, splits=("train", "part", "val", "all"))
    return changed(samples, 4, boxes=(Box(1, -3, 2, 9, 12), Box(1, 5, 5, 25, 30), Box(1, 1, 1, 2, 2)))


def test_all_that_is_safe(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path, spoilt)
    prepared.samples[3].image.write_bytes(b"")
    shutil.copyfile(prepared.samples[8].image, prepared.samples[5].image)
    assert prepared.samples[5].mask is not None
    write_labels(prepared.samples[5].mask, np.full((16, 20), 9, np.uint8))  # ä5 leaves: this needs no mending
    mending, after = mended(prepared)
    assert mending.changes == (
        "dropped 1 image(s) that cannot be read: ä3",
        "took 2 image(s) of 'val' out of 'train': ä1, ä5",
        "clipped the boxes of 1 image(s): ä4",
    )
    assert mending.refused == ()
    assert splits(after) == {
        "ä0": ("train", "part"),
        "ä1": ("val", "all"),
        "ä2": ("train",),
        "ä4": ("train",),
        **dict.fromkeys(("ä6", "ä7", "ä8"), ("val",)),
    }
    boxes = next(s.boxes for s in after.samples if s.id == "ä4")
    assert boxes == (Box(1, 0, 2, 9, 12), Box(1, 5, 5, 20, 16), Box(1, 1, 1, 2, 2))


def test_part_keeps_its_images(tmp_path: Path) -> None:
    """Seeds are scored on images of train: one that leaves train leaves that part too, which must not be empty then."""
    prepared = drawn_folder(
        tmp_path, lambda s: changed(changed(s, 0, splits=("train",)), 1, splits=spoilt(s)[1].splits)
    )
    with pytest.raises(WsssError, match=r"leave no image in split 'part' \(seeds\).*\n.*nothing was changed"):
        mended(prepared)
    assert read_prepared(prepared.folder) == prepared and not (tmp_path / "mine.previous").exists()


def test_the_old_one_is_kept_and_works(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path, spoilt)
    _, after = mended(prepared)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "mine", "mine.previous"]
    previous = read_prepared(tmp_path / "mine.previous")
    assert previous.info == prepared.info and splits(previous) == splits(prepared)
    assert after.info.hash != prepared.info.hash
    assert after.info.notes[-2:] == (
        "check --fix: took 1 image(s) of 'val' out of 'train': ä1",
        "check --fix: clipped the boxes of 1 image(s): ä4",
    )
    shutil.rmtree(tmp_path / "mine.previous")
    (tmp_path / "mine").rename(tmp_path / "moved")
    assert [f.level for f in check(read_prepared(tmp_path / "moved")).findings] == ["ok"]  # its files are its own


def test_only_one_generation_is_kept(tmp_path: Path) -> None:
    _, first = mended(drawn_folder(tmp_path, spoilt))
    first.samples[2].image.unlink()
    mended(first)
    assert splits(read_prepared(tmp_path / "mine.previous")) == splits(first)


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_folder(tmp_path, spoilt)
    monkeypatch.chdir(tmp_path)
    _, after = mended(read_prepared(Path("mine")))
    assert after.samples[0].image == Path("mine/images/ä0.png") and after.samples[0].image.exists()


def test_the_rest_is_refused_with_the_reason(tmp_path: Path) -> None:
    def bend(samples: list[Sample]) -> list[Sample]:
        outside = changed(samples, 0, boxes=(Box(1, 30, 30, 40, 40),))
        wider = changed(outside, 1, width=21)
        return changed(wider, 2, tags=(7,))

    prepared = drawn_folder(tmp_path, bend)
    masks = [s.mask for s in prepared.samples]
    assert masks[3] and masks[4] and masks[5]
    write_labels(masks[3], np.zeros((3, 3), np.uint8))
    write_labels(masks[4], np.full((16, 20), 9, np.uint8))
    masks[5].write_bytes(b"")
    mending = plan_mending(prepared, check(prepared).findings)
    assert mending.changes == () and mending.samples == prepared.samples
    assert {f.images[0]: (f.kind, f.remedy.split(":")[0]) for f in mending.refused} == {
        "ä0": ("box", "nothing is left of the box inside the image"),
        "ä1": ("image-size", "boxes and mask may belong to the image that was replaced"),
        "ä2": ("class-id", "which class was meant cannot be known"),
        "ä3": ("mask-size", "whether the image or the mask is the wrong one cannot be known"),
        "ä4": ("mask-id", "which class was meant cannot be known"),
        "ä5": ("unreadable-mask", "an image without its mask would no longer count in the score"),
    }


def test_a_folder_that_is_gone_is_no_reason_to_drop_it(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path)
    shutil.rmtree(tmp_path / "mine/images")
    with pytest.raises(WsssError, match=r"9 of 9 images of 'mine' cannot be read\n.*still where it was"):
        mended(prepared)


def test_ids_must_be_their_own(tmp_path: Path) -> None:
    prepared = drawn_folder(tmp_path, lambda samples: [*samples, replace(samples[0], splits=("val",))])
    with pytest.raises(WsssError, match="several images of 'mine' have the same id: ä0"):
        mended(prepared)
