"""VOC from its archives, given or downloaded: SegmentationClassAug and train_aug are made as the field makes them."""

import random
import shutil
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from prepared_data import prepare
from range_server import Server, serving
from tiny_voc import SIZE, mat, sbd_archive, tiny_voc, voc_archive, write_image, write_list
from wsss_cli.checks.dataset import Finding
from wsss_cli.console import log
from wsss_cli.data.labels import read_labels, voc_palette
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.downloads.download import Remote, digest_of
from wsss_cli.errors import WsssError
from wsss_voc import DATASET, source
from wsss_voc.archives import contents, place, place_mask
from wsss_voc.devkit import train_aug
from wsss_voc.sbd import read_mask

SBD_IDS = ("img_1", "img_2", "img_3", "img_4")  # of VOC's train, of SBD alone, of SBD alone, of VOC's val


@pytest.fixture
def devkit(tmp_path: Path) -> Path:
    """VOC as published: masks of train and val alone, no train_aug."""
    devkit = tiny_voc(tmp_path / "voc", masks=["SegmentationClass"])
    (devkit / "ImageSets/Segmentation/train_aug.txt").unlink()
    for id in ("img_2", "img_3"):
        (devkit / "SegmentationClass" / f"{id}.png").unlink()
    return devkit


@pytest.fixture
def voc(devkit: Path, tmp_path: Path) -> Path:
    return voc_archive(devkit, tmp_path / "VOCtrainval_11-May-2012.tar")


@pytest.fixture
def masks() -> dict[str, NDArray[np.uint8]]:
    """SBD's masks, each a rectangle of its own."""
    made = {}
    for number, id in enumerate(SBD_IDS):
        made[id] = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        made[id][number : 20 + number, 3:30] = 20 - number
    return made


@pytest.fixture
def sbd(tmp_path: Path, masks: dict[str, NDArray[np.uint8]]) -> Path:
    return sbd_archive(tmp_path / "benchmark.tgz", masks)


def run(tmp_path: Path, *archives: Path, say: list[Finding] | None = None, **options: Any) -> Prepared:
    host = {key: options.pop(key) for key in ("skip_bad", "force") if key in options}
    config = DATASET.config_class()(archive=archives, **options)
    return prepare(DATASET, config, "voc", tmp_path / "data", say=None if say is None else say.append, **host)


def ids(prepared: Prepared, split: str) -> list[str]:
    return sorted(s.id for s in prepared.split(split))


def mask_of(prepared: Prepared, id: str) -> NDArray[np.uint8]:
    found: Sample = next(s for s in prepared.samples if s.id == id)
    assert found.mask is not None
    return read_labels(found.mask)


def assert_refused(tmp_path: Path, says: str, *archives: Path, **options: Any) -> WsssError:
    with pytest.raises(WsssError, match=says) as caught:
        run(tmp_path, *archives, **options)
    left = {path.name for path in tmp_path.glob("data/*")} | {path.name for path in tmp_path.glob("data/.*")}
    assert caught.value.remedy and left <= {"downloads"}
    return caught.value


def test_voc_and_sbd(tmp_path: Path, devkit: Path, voc: Path, sbd: Path, masks: dict[str, NDArray[np.uint8]]) -> None:
    said: list[Finding] = []
    prepared = run(tmp_path, voc, sbd, say=said)
    assert prepared.info.splits == {"train": "train_aug", "val": "val", "seeds": "train"}
    assert ids(prepared, "train_aug") == ["img_0", "img_1", "img_2", "img_3"]
    assert ids(prepared, "train") == ["img_0", "img_1"] and ids(prepared, "val") == ["img_4", "img_5"]
    for id in ("img_0", "img_1", "img_4", "img_5"):  # VOC's own mask wins
        assert (mask_of(prepared, id) == read_labels(devkit / "SegmentationClass" / f"{id}.png")).all()
    for id in ("img_2", "img_3"):
        assert (mask_of(prepared, id) == masks[id]).all()
    assert prepared.info.masks == "SegmentationClassAug"
    assert [f.what for f in said if f.level == "ok"] == [
        "list 'train_aug' made: the 4 images with a mask in SegmentationClassAug that are not on 'val'",
        "images on VOC's lists: train 2 of 1,464, train_aug 4 of 10,582, val 2 of 1,449",
    ]
    assert f"{voc.name} ({digest_of(voc)}), {sbd.name} (md5:" in prepared.info.source


def test_the_data_set_is_whole_by_itself(tmp_path: Path, voc: Path, sbd: Path) -> None:
    prepared = run(tmp_path, voc, sbd)
    voc.unlink(), sbd.unlink(), shutil.rmtree(tmp_path / "voc")
    here = prepared.folder / "VOC2012"
    assert sorted(p.name for p in here.iterdir()) == sorted(
        ["Annotations", "ImageSets", "JPEGImages", "SegmentationClass", "SegmentationClassAug"]
    )
    for sample in prepared.samples:
        assert sample.image.is_relative_to(here) and sample.image.is_file()
        assert sample.mask is not None and sample.mask.is_relative_to(here) and sample.mask.is_file()


def test_sbds_masks_become_palette_pngs(tmp_path: Path, voc: Path, sbd: Path) -> None:
    path = next(s.mask for s in run(tmp_path, voc, sbd).samples if s.id == "img_2")
    with Image.open(path) as image:
        palette = image.getpalette()
        assert image.mode == "P" and palette is not None
        assert palette[: 3 * 21] == [value for colour in voc_palette(21) for value in colour]


def test_again_is_up_to_date(tmp_path: Path, voc: Path, sbd: Path) -> None:
    first = run(tmp_path, voc, sbd)
    said: list[Finding] = []
    assert run(tmp_path, voc, sbd, say=said).info.hash == first.info.hash
    assert f"{first.folder} is up to date" in [f.what for f in said]


def test_a_warning_that_this_is_not_all_of_voc(
    tmp_path: Path, voc: Path, sbd: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "propagate", True)
    run(tmp_path, voc, sbd)
    assert "these archives do not hold the whole of VOC 2012" in caplog.text
    caplog.clear()
    monkeypatch.setattr("wsss_voc.prepare.PUBLISHED", {"train": 2, "train_aug": 4, "val": 2, "test": 1456})
    run(tmp_path, voc, sbd)
    assert "do not hold" not in caplog.text


def test_without_sbd(tmp_path: Path, voc: Path) -> None:
    prepared = run(tmp_path, voc, sbd=False)
    assert prepared.info.splits["train"] == "train" and len(prepared.samples) == 4
    assert prepared.info.masks == "SegmentationClass"


def test_sbd_for_a_devkit_on_disk(tmp_path: Path, devkit: Path, sbd: Path) -> None:
    prepared = run(tmp_path, sbd, root=devkit)
    assert ids(prepared, "train_aug") == ["img_0", "img_1", "img_2", "img_3"]
    assert not (devkit / "SegmentationClassAug").exists()
    sample = next(s for s in prepared.samples if s.id == "img_2")
    assert sample.image.parent == devkit / "JPEGImages"
    assert sample.mask == prepared.folder / "VOC2012/SegmentationClassAug/img_2.png"


def test_the_test_images_archive(tmp_path: Path, voc: Path, sbd: Path) -> None:
    extra = tmp_path / "extra"
    write_image(extra, "2008_000006", (2, 3, 20, 30))
    write_list(extra, "test", ["2008_000006"])
    prepared = run(tmp_path, voc, sbd, voc_archive(extra, tmp_path / "VOC2012test.tar"))
    assert ids(prepared, "test") == ["2008_000006"] and len(prepared.split("train_aug")) == 4


def test_the_lists_rule_gives_the_fields_count() -> None:
    """Of 11,355 ids of SBD and 2,913 of VOC, which share 2,237, 10,582 are left without val, in order."""
    rng = random.Random(0)
    every = [f"2008_{n:06}" for n in rng.sample(range(10**6), 12031)]
    train, val, alone = set(every[:1464]), set(every[1464:2913]), set(every[2913:])
    sbd = alone | set(rng.sample(every[:2913], 2237))
    assert len(sbd) == 11355
    made = train_aug(train | val | sbd, val)
    assert len(made) == 10582 and made == sorted(train | alone)


@pytest.fixture
def published(voc: Path, sbd: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The archives on a server that breaks once in the middle of each."""
    files = {path.name: path.read_bytes() for path in (voc, sbd)}
    digests = {path.name: digest_of(path) for path in (voc, sbd)}
    monkeypatch.setattr("wsss_cli.downloads.download.CHUNK", 100)
    monkeypatch.setattr("wsss_cli.downloads.download.LONGEST_PAUSE", 0.0)
    with serving(Server(files, drops=[2000, 10**9, 300, 10**9])) as server:
        for which, path in (("VOC", voc), ("SBD", sbd)):
            remote = Remote(path.name, (server.url(path.name),), digests[path.name])
            monkeypatch.setattr(source, which, remote)
            path.unlink()
        yield server


def test_downloaded(tmp_path: Path, published: Server) -> None:
    prepared = run(tmp_path)
    assert len(prepared.split("train_aug")) == 4
    kept = sorted(p.name for p in (tmp_path / "data" / "downloads").iterdir() if p.suffix != ".lock")
    assert kept == ["VOCtrainval_11-May-2012.tar", "benchmark.tgz"]
    assert published.wanted == [None, "bytes=2000-", None, "bytes=300-"]
    assert published.sent == sum(map(len, published.files.values()))
    assert run(tmp_path).info.hash == prepared.info.hash and len(published.asked) == 4  # not fetched again


def test_only_what_is_missing_is_downloaded(tmp_path: Path, published: Server) -> None:
    own = tmp_path / "my voc.tar"
    own.write_bytes(published.files["VOCtrainval_11-May-2012.tar"])
    published.drops = []
    run(tmp_path, own)
    assert [name for name, _ in published.asked] == ["benchmark.tgz"]


def test_no_network(tmp_path: Path, published: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = Remote("VOCtrainval_11-May-2012.tar", ("http://127.0.0.1:9/VOC.tar",), "md5:0")
    monkeypatch.setattr(source, "VOC", remote)
    error = assert_refused(tmp_path, "VOCtrainval_11-May-2012.tar cannot be downloaded: 127.0.0.1:9: ")
    assert error.remedy == "fetch it by hand from http://127.0.0.1:9/VOC.tar and pass it with --archive FILE"
    assert published.asked == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (mat(np.ones((36, 48), np.uint8))[:-40], "img_3.mat of SBD is damaged or holds no GTcls.Segmentation"),
        (b"", "img_3.mat of SBD is damaged"),
        (b"not MATLAB at all" * 30, "img_3.mat of SBD is damaged"),
        (mat(np.full((36, 48), 21, np.uint8)), r"img_3.mat of SBD holds class ids outside 0\.\.20"),
        (mat(np.ones((36, 48), np.float32)), "img_3.mat of SBD: GTcls.Segmentation is float32"),
        (mat(np.ones((36, 48, 3), np.uint8)), "img_3.mat of SBD: GTcls.Segmentation is uint8"),
        (mat(np.ones((48, 36), np.uint8)), "img_3.png is 36 x 48, but its image .*img_3.jpg is 48 x 36"),
        (None, "img_3.mat of SBD is missing, but its list names it"),
    ],
    ids=["cut", "empty", "text", "ids", "float", "colour", "size", "missing"],
)
def test_a_bad_mat_names_its_file(
    tmp_path: Path, voc: Path, masks: dict[str, Any], content: bytes | None, says: str
) -> None:
    masks["img_3"] = content
    absent = ["img_3"] if content is None else []
    sbd = sbd_archive(tmp_path / "benchmark.tgz", {k: m for k, m in masks.items() if m is not None}, absent)
    assert "\n" not in assert_refused(tmp_path, says, voc, sbd).what
    prepared = run(tmp_path, voc, sbd, skip_bad=True)
    assert ids(prepared, "train_aug") == ["img_0", "img_1", "img_2"]
    assert "img_3" in (prepared.folder / "skipped.txt").read_text()


def test_a_mat_without_the_struct(tmp_path: Path) -> None:
    file = BytesIO()
    savemat(file, {"other": np.zeros(3)})
    (tmp_path / "x.mat").write_bytes(file.getvalue())
    with pytest.raises(WsssError, match=r"x\.mat of SBD .* no GTcls"):
        read_mask(tmp_path / "x.mat")


def test_archives_that_do_not_fit(tmp_path: Path, devkit: Path, voc: Path, sbd: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as pack:
        pack.writestr("photos/a.jpg", b"x")
    assert_refused(tmp_path, r"other\.zip holds neither VOC nor SBD nor SegmentationClassAug", tmp_path / "other.zip")
    assert_refused(tmp_path, "--root .* and --archive both give a devkit", voc, root=devkit)
    assert_refused(tmp_path, "cut short.*", sbd_cut(sbd), voc)
    assert_refused(tmp_path, "nowhere.tar cannot be read: No such file", tmp_path / "nowhere.tar")
    shutil.rmtree(devkit / "Annotations")
    less = voc_archive(devkit, tmp_path / "less.tar")
    assert_refused(tmp_path, r"less\.tar.*: no VOC devkit, there is no Annotations in it", less, sbd=False)


def sbd_cut(sbd: Path) -> Path:
    cut = sbd.with_name("cut.tgz")
    cut.write_bytes(sbd.read_bytes()[:-300])
    return cut


@pytest.mark.parametrize("how", ["folder", "above", "zip", "flat zip", "zip as --archive"])
def test_ready_made_masks(tmp_path: Path, voc: Path, masks: dict[str, NDArray[np.uint8]], how: str) -> None:
    made = tiny_voc(tmp_path / "made", masks=["SegmentationClassAug"]) / "SegmentationClassAug"
    (made / "img_5.png").unlink()  # some hold the training masks alone: VOC's own are there for val
    with zipfile.ZipFile(tmp_path / "aug.zip", "w") as pack:
        for path in made.glob("*.png"):
            pack.write(path, path.name if how == "flat zip" else f"SegmentationClassAug/{path.name}")
        pack.writestr("__MACOSX/SegmentationClassAug/._img_0.png", b"of macOS")
    given = {"folder": made, "above": made.parent}.get(how, tmp_path / "aug.zip")
    if how == "zip as --archive":
        prepared = run(tmp_path, voc, given)
    else:
        prepared = run(tmp_path, voc, aug=given)
    assert ids(prepared, "train_aug") == ["img_0", "img_1", "img_2", "img_3"]
    assert (mask_of(prepared, "img_3") == read_labels(made / "img_3.png")).all()
    assert prepared.info.masks == "SegmentationClass, SegmentationClassAug"
    assert all(s.mask is not None for s in prepared.samples)


def test_ready_made_masks_for_a_devkit_on_disk(tmp_path: Path, devkit: Path) -> None:
    made = tiny_voc(tmp_path / "made", masks=["mine"]) / "mine"
    prepared = run(tmp_path, root=devkit, aug=made)
    assert prepared.info.masks == "mine" and ids(prepared, "train_aug") == ["img_0", "img_1", "img_2", "img_3"]


def test_ready_made_masks_that_are_none(tmp_path: Path, devkit: Path) -> None:
    assert_refused(tmp_path, "no folder or archive .*nowhere", root=devkit, aug=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert_refused(tmp_path, "empty holds no mask", root=devkit, aug=tmp_path / "empty")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as pack:
        pack.writestr("readme.txt", b"x")
    assert_refused(tmp_path, r"none\.zip holds no mask", root=devkit, aug=tmp_path / "none.zip")


def test_what_is_taken_from_archives(voc: Path, sbd: Path) -> None:
    assert contents(voc) == {"voc"} and contents(sbd) == {"sbd"}
    assert place("VOCdevkit/VOC2012/JPEGImages/2007_000027.jpg") == "JPEGImages/2007_000027.jpg"
    assert place("TrainVal/ImageSets/Segmentation/train.txt") == "ImageSets/Segmentation/train.txt"
    assert place("benchmark_RELEASE/dataset/cls/2008_000002.mat") == "sbd/cls/2008_000002.mat"
    for name in (
        "VOCdevkit/VOC2012/ImageSets/Main/train.txt",
        "VOCdevkit/VOC2012/SegmentationObject/2007_000032.png",
        "VOCdevkit/VOC2012/JPEGImages/Thumbs.db",
        "VOCdevkit/VOC2012/JPEGImages/.hidden.jpg",
        "__MACOSX/SegmentationClassAug/._2007_000032.png",
        "benchmark_RELEASE/benchmark_code_RELEASE/demo/datadir/cls/2008_000051.mat",
        "benchmark_RELEASE/dataset/inst/2008_000002.mat",
        "train.txt",
        "JPEGImages",
    ):
        assert place(name) is None
    assert place_mask("any/where/2007_000032.png") == "2007_000032.png" and place_mask("__MACOSX/a/x.png") is None
