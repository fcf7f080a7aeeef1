"""A COCO folder becomes a prepared data set whose masks are pycocotools' own; whatever is wrong is told by entry."""

import contextlib
import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

from prepared_data import prepare
from processes import Forked, until
from tiny_coco import CATEGORIES, H, Json, W, decoded, place, read, tiny_coco, write, write_image
from wsss_cli.checks.dataset import Finding
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.data.run_lengths import uncompressed
from wsss_cli.errors import WsssError
from wsss_cli.parallel import ordered
from wsss_coco import DATASET
from wsss_coco.objects import box_of


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return tiny_coco(tmp_path / "coco")


def run(
    tmp_path: Path, coco: Path | None, say: list[Finding] | None = None, skip_bad: bool = False, **options: Any
) -> Prepared:
    config = DATASET.config_class()(root=coco, **options)
    tell = None if say is None else say.append
    return prepare(DATASET, config, "tiny", tmp_path / "data", force=True, skip_bad=skip_bad, say=tell)


def sample(prepared: Prepared, id: str) -> Sample:
    return next(s for s in prepared.samples if s.id == id)


def theirs(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def drawn(coco: COCO, image: Json, ids: dict[int, int], paint: str, crowd: str) -> NDArray[np.uint8]:
    """The mask as the papers' scripts make it: whole-image masks one over the other."""
    annotations = coco.loadAnns(coco.getAnnIds(image["id"]))
    if paint == "larger_first":  # coco2voc: the smallest first, into what is still free
        annotations = sorted(annotations, key=lambda a: a["area"])
    mask = np.zeros((image["height"], image["width"]), np.uint8)
    for a in annotations:
        if a["iscrowd"] and crowd == "skip":
            continue
        where = decoded(a["segmentation"], image["width"], image["height"]) > 0
        if paint == "larger_first":
            where &= mask == 0
        mask[where] = 255 if a["iscrowd"] and crowd == "ignore" else ids[a["category_id"]]
    return mask


@pytest.mark.parametrize("crowd", ["skip", "ignore", "paint"])
@pytest.mark.parametrize("paint", ["order", "larger_first"])
@pytest.mark.parametrize("classes", ["rank", "91"])
def test_masks_equal_pycocotools(tmp_path: Path, coco: Path, classes: str, paint: str, crowd: str) -> None:
    prepared = run(tmp_path, coco, classes=classes, paint=paint, crowd=crowd, unlabelled="empty")
    ids = {c: c if classes == "91" else k for k, c in enumerate(CATEGORIES, start=1)}
    found = set()
    for part in ("train", "val"):
        reference = theirs(place(coco, part))
        for image in reference.imgs.values():
            mask = sample(prepared, Path(image["file_name"]).stem).mask
            assert mask is not None
            labels = read_labels(mask)
            assert (labels == drawn(reference, image, ids, paint, crowd)).all()
            found |= set(np.unique(labels).tolist())
    assert found == {0, *ids.values()} | ({255} if crowd == "ignore" else set())


def test_tags_boxes_and_splits(tmp_path: Path, coco: Path) -> None:
    said: list[Finding] = []
    prepared = run(tmp_path, coco, said)
    assert prepared.info.classes == tuple(CATEGORIES.values())
    assert prepared.info.splits == {"train": "train", "val": "val", "seeds": "train"}
    assert [s.id for s in prepared.split("train_all")] == [f"COCO_train2014_{n:012}" for n in range(0, 18, 3)]
    assert [s.id for s in prepared.split("val")] == [f"COCO_val2014_{n:012}" for n in range(100, 115, 3)]
    assert len(prepared.split("train")) == 5 and len(prepared.split("val_all")) == 6
    notes = [
        f"1 image(s) of instances_{p}2014.json have no annotation: in split {p}_all only" for p in ("train", "val")
    ]
    told = [f.what for f in said if "no annotation" in f.what]
    assert all(what.startswith(note) for what, note in zip(told, notes, strict=True))
    assert [s.id[-3:] for s in prepared.samples if s.mask is None] == ["015", "115"]
    content = read(coco)
    for image in content["images"]:
        own = [a for a in content["annotations"] if a["image_id"] == image["id"]]
        one = sample(prepared, Path(image["file_name"]).stem)
        ranks = [1 + list(CATEGORIES).index(a["category_id"]) for a in own]
        assert one.tags == tuple(sorted(set(ranks))) and (one.width, one.height) == (W, H)
        assert [b.label for b in one.boxes] == [r for r, a in zip(ranks, own) if not a["iscrowd"]]


def test_raw_ids_have_names_for_the_gaps(tmp_path: Path, coco: Path) -> None:
    info = run(tmp_path, coco, classes="91").info
    assert len(info.classes) == 90 and info.classes[89] == "toothbrush"
    assert info.classes[:4] == ("person", "unused 2", "car", "unused 4")


def test_lists_to_learn_from_and_score_on(tmp_path: Path, coco: Path) -> None:
    prepared = run(tmp_path, coco, train="train_all", val="val_part", val_part=2)
    assert prepared.info.splits == {"train": "train_all", "val": "val_part", "seeds": "train_all"}
    assert [s.id[-3:] for s in prepared.split("val_part")] == ["100", "103"]
    assert len(run(tmp_path, coco, val_part=2).split("val_part")) == 2
    assert "val_part" not in {x for s in run(tmp_path, coco, val_part=5).samples for x in s.splits}


def test_files_by_name_and_other_years(tmp_path: Path) -> None:
    coco = tiny_coco(tmp_path / "coco", year=2017)
    assert len(run(tmp_path, coco, year=2017).samples) == 12
    parts: dict[str, Any] = {}
    for part in ("train", "val"):
        parts |= {f"{part}_json": place(coco, part, 2017), f"{part}_images": coco / f"{part}2017"}
    assert len(run(tmp_path, None, **parts).samples) == 12
    with pytest.raises(WsssError, match="not said where the json of the val images is") as caught:
        run(tmp_path, None, **{k: v for k, v in parts.items() if k != "val_json"})
    assert "--val-json" in caught.value.remedy
    with pytest.raises(WsssError, match=r"no file .*instances_train2014\.json"):
        run(tmp_path, coco)
    with pytest.raises(WsssError, match=r"no folder .*elsewhere"):
        run(tmp_path, None, **{**parts, "val_images": tmp_path / "elsewhere"})


def test_a_folder_of_other_images_is_found_at_once(tmp_path: Path, coco: Path) -> None:
    says = r"train2014 holds none of the first 6 images of .*val2014\.json, such as 'COCO_val2014_000000000100\.jpg'"
    with pytest.raises(WsssError, match=says):
        run(tmp_path, coco, val_images=coco / "train2014")
    assert not (tmp_path / "data" / ".tiny.part").exists()


def test_images_in_folders_and_names_in_any_script(tmp_path: Path, coco: Path) -> None:
    content = read(coco)
    image = content["images"][0]
    image["file_name"] = "straße/車 1.jpg"
    content["categories"][0]["name"] = "Zahnbürste"
    write_image(coco / "train2014" / image["file_name"], 1)
    val = read(coco, "val")
    val["categories"][0]["name"] = "Zahnbürste"
    write(coco, "train", content)
    write(coco, "val", val)
    prepared = run(tmp_path, coco)
    assert sample(prepared, "straße/車 1").image.name == "車 1.jpg"
    assert prepared.info.classes[3] == "Zahnbürste"


def test_without_masks(tmp_path: Path, coco: Path) -> None:
    content = read(coco)
    for a in content["annotations"]:
        del a["segmentation"]
    write(coco, "train", content)
    prepared = run(tmp_path, coco)
    assert {s.mask is None for s in prepared.split("train")} == {True}
    assert {s.mask is None for s in prepared.split("val")} == {False}
    prepared = run(tmp_path, coco, masks=False)
    assert all(s.mask is None for s in prepared.samples) and prepared.info.masks == ""
    assert not (prepared.folder / "masks").exists()


Spoil = Callable[[Json], Any]


def first(content: Json) -> Json:
    return min(content["annotations"], key=lambda a: a["id"])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda c: c.pop("annotations"), "has no annotations"),
        (lambda c: c.update(images=[]), "has no images"),
        (lambda c: c.update(categories={"1": "cat"}), "'categories' is no list"),
        (lambda c: first(c).pop("image_id"), r"annotations, byte \d+, id 1000: 'image_id' is missing"),
        (lambda c: first(c).update(category_id="car"), "id 1000: 'category_id' is 'car', no whole number"),
        (lambda c: c["annotations"].insert(0, {"segments_info": []}), "is a panoptic JSON"),
        (lambda c: c["annotations"].insert(0, {"caption": "a cat"}), "is a JSON of captions"),
        (lambda c: c["images"][0].pop("id"), r"images, byte \d+: 'id' is missing"),
        (lambda c: c["images"].insert(0, 5), r"images, byte \d+: 'id' is missing"),
        (lambda c: first(c).update(image_id=77), "annotation 1000 is of image 77, which the file does not list"),
        (lambda c: first(c).update(category_id=2), "annotation 1000 is of category 2, which the file does not list"),
        (lambda c: c["images"].append({**c["images"][1], "file_name": "x.jpg"}), "two images have the id"),
        (lambda c: c["categories"].append({"id": 2, "name": "car"}), "categories 3 and 2 are both called 'car'"),
        (lambda c: c["categories"].append({"id": 3, "name": "bus"}), "two categories have the id 3: 'car' and 'bus'"),
        (lambda c: c["categories"][1].pop("name"), "category 7 has no name"),
        (lambda c: c["categories"][1].update(name="tram"), "category 7 is 'tram' in .*, but 'train' in"),
        (lambda c: first(c).update(segmentation=[[1] * 7]), "annotation 1000: a polygon .* has 7 numbers"),
        (
            lambda c: first(c).update(segmentation={"size": [9, 9], "counts": [81]}),
            r"annotation 1000: .* size \[9, 9\]",
        ),
        (lambda c: first(c).update(bbox=[1, 2, 3]), r"annotation 1000: bbox \[1, 2, 3\] is not four numbers"),
        (lambda c: c["images"][0].pop("file_name"), r"image \d+ has no file_name"),
        (lambda c: c["images"][0].update(file_name="../x.jpg"), r"file_name '../x.jpg' has '..' in its path"),
        (lambda c: c["images"][0].update(width=-3), r"image \d+: its width and height are -3 and 40"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, coco: Path, spoil: Spoil, says: str) -> None:
    content = read(coco)
    spoil(content)
    path = write(coco, "train", content)
    with pytest.raises(WsssError, match=says) as caught:
        run(tmp_path, coco)
    assert str(path) in caught.value.what and "\n" not in caught.value.what and caught.value.remedy
    assert not (tmp_path / "data" / "tiny").exists()


def test_a_json_cut_short(tmp_path: Path, coco: Path) -> None:
    path = place(coco, "val")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(WsssError, match=r"instances_val2014.json is damaged or cut short after byte \d+"):
        run(tmp_path, coco)
    assert not list(tmp_path.glob("data/.*"))


def test_bad_images_are_told_or_left_out(tmp_path: Path, coco: Path) -> None:
    content = read(coco)
    first(content).update(segmentation=[[1] * 7])
    bad = first(content)["image_id"]
    write(coco, "train", content)
    missing, other = (f"COCO_val2014_000000000{n}" for n in (100, 103))
    (coco / "val2014" / f"{missing}.jpg").unlink()
    Image.new("RGB", (H, W)).save(coco / "val2014" / f"{other}.jpg")
    with pytest.raises(WsssError, match="4 problems") as caught:
        run(tmp_path, coco)
    for expected in ("annotation 1000: a polygon", f"{missing}.jpg is missing", f"{other}.jpg is {H} x {W}, but"):
        assert expected in caught.value.what
    prepared = run(tmp_path, coco, skip_bad=True)
    assert len(prepared.samples) == 9
    assert f"image {bad}\t" in (prepared.folder / "skipped.txt").read_text()


def test_an_object_outside_gives_its_tag_but_no_box(tmp_path: Path, coco: Path) -> None:
    content = read(coco)
    one = first(content)
    one.update(bbox=[W + 2.0, 3.0, 4.0, 5.0])
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] != one["image_id"] or a is one]
    write(coco, "train", content)
    it = sample(run(tmp_path, coco), f"COCO_train2014_{one['image_id']:012}")
    assert it.boxes == () and len(it.tags) == 1


@pytest.mark.parametrize("form", [float, str, lambda value: f"{value}.0"])
def test_ids_in_other_forms_and_what_is_missing(tmp_path: Path, coco: Path, form: Callable[[int], Any]) -> None:
    before = run(tmp_path, coco)
    masks = {s.id: s.mask.read_bytes() for s in before.samples if s.mask}
    content = read(coco)
    for part in ("categories", "images"):
        content[part].append(dict(content[part][0]))
    for image in content["images"]:
        image.update(id=form(image["id"]), width=0, height=None)
    for a in content["annotations"]:
        a.update(image_id=form(a["image_id"]), category_id=form(a["category_id"]), iscrowd=str(a["iscrowd"]))
    for a in content["annotations"][::2]:
        a.pop("bbox")
    outlined = next(a for a in content["annotations"] if isinstance(a["segmentation"], list))
    outlined["segmentation"].append([1, 1, 5, 5])
    write(coco, "train", content)
    after = run(tmp_path, coco)
    assert any("train2014.json: 1 outline(s) have fewer than three points" in what for what in after.info.warnings)
    assert {s.id: s.mask.read_bytes() for s in after.samples if s.mask} == masks
    assert [(s.tags, s.width, s.height) for s in after.samples] == [(s.tags, s.width, s.height) for s in before.samples]


def test_a_box_from_its_outline() -> None:
    rng = np.random.default_rng(0)
    for share in (0.02, 0.3, 0.9):
        mask = np.asfortranarray(rng.random((7, 9)) < share, np.uint8)
        mask[:, :2] = 0
        code = rle.encode(mask)
        assert box_of(uncompressed(code["counts"]), 7) == rle.toBbox(code).tolist()


@pytest.mark.parametrize("unlabelled", ["keep", "skip", "empty"])
def test_images_without_annotations(tmp_path: Path, coco: Path, unlabelled: str) -> None:
    last = [s for s in run(tmp_path, coco, unlabelled=unlabelled).samples if not s.tags]
    assert len(last) == (0 if unlabelled == "skip" else 2)
    assert all((s.mask is not None) == (unlabelled == "empty") for s in last)


@pytest.mark.parametrize(("crowd", "done"), [("auto", "taken as objects"), ("ignore", "ignored"), ("skip", "left out")])
def test_where_every_object_is_a_crowd(tmp_path: Path, coco: Path, crowd: str, done: str) -> None:
    content = read(coco)
    for a in content["annotations"]:
        a["iscrowd"] = 1
    write(coco, "train", content)
    said: list[Finding] = []
    prepared = run(tmp_path, coco, said, crowd=crowd)
    held = {v for s in prepared.split("train") for v in np.unique(read_labels(s.mask)).tolist()}
    assert held == {"auto": {0, 1, 2, 3, 4}, "ignore": {0, 255}, "skip": {0}}[crowd]
    assert any(s.boxes for s in prepared.split("train")) == (crowd == "auto")
    assert any(
        f.level == "warning" and "30 of 30 objects are marked as crowds" in f.what and done in f.what for f in said
    )


def test_masks_of_an_interrupted_run_are_kept(tmp_path: Path, coco: Path) -> None:
    """Marked, so that what is kept can be told from what is made again; other settings make all again."""
    (coco / "val2014" / "COCO_val2014_000000000100.jpg").rename(tmp_path / "aside.jpg")
    said: list[Finding] = []
    with pytest.raises(WsssError, match="is missing"):
        run(tmp_path, coco, said)
    part = tmp_path / "data" / ".tiny.part"
    assert said == [Finding("ok", f"what is made already is kept for the next try in {part}")]
    assert [p.name for p in part.iterdir()] == ["masks"]
    (part / "masks" / "train" / ".0.png.99.part").write_bytes(b"half")
    mark = part / "masks" / "train" / "0.png"
    Image.new("P", (W, H)).save(mark)
    marked = mark.read_bytes()
    (tmp_path / "aside.jpg").rename(coco / "val2014" / "COCO_val2014_000000000100.jpg")
    prepared = run(tmp_path, coco)
    assert (prepared.folder / "masks" / "train" / "0.png").read_bytes() == marked
    assert not part.exists() and not list(prepared.folder.rglob(".*"))


def test_masks_of_other_settings_are_not_kept(tmp_path: Path, coco: Path) -> None:
    stale = tmp_path / "data" / ".tiny.part" / "masks" / "train" / "0.png"
    stale.parent.mkdir(parents=True)
    Image.new("P", (W, H)).save(stale)
    mask = sample(run(tmp_path, coco), "COCO_train2014_000000000000").mask
    assert mask is not None and read_labels(mask).any()


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """So many images that processes of their own paint them."""
    return tiny_coco(tmp_path / "coco", images=ordered.WORTH_PROCESSES)


def test_a_killed_run_goes_on(tmp_path: Path, many: Path) -> None:
    part = tmp_path / "data" / ".tiny.part"
    started = Forked(lambda: run(tmp_path, many), tmp_path, {"OMP_NUM_THREADS": "1"})
    until(lambda: len(list(part.glob("masks/train/*.png"))) > 20)
    started.send(signal.SIGKILL)
    assert started.wait().code == -signal.SIGKILL
    before = {p.name: p.stat().st_mtime_ns for p in part.glob("masks/train/[0-9]*.png")}
    prepared = run(tmp_path, many)
    assert len(prepared.samples) == 2 * ordered.WORTH_PROCESSES
    after = {p.name: p.stat().st_mtime_ns for p in prepared.folder.glob("masks/train/*.png")}
    assert len(before) > 20 and before.items() <= after.items()
    reference = theirs(place(many, "val"))
    ids = {c: k for k, c in enumerate(CATEGORIES, start=1)}
    for s in prepared.split("val")[::50]:
        image = next(i for i in reference.imgs.values() if Path(i["file_name"]).stem == s.id)
        assert s.mask is not None and (read_labels(s.mask) == drawn(reference, image, ids, "order", "skip")).all()


def test_the_same_again_is_up_to_date(tmp_path: Path, coco: Path) -> None:
    config = DATASET.config_class()(root=coco)
    first_time = prepare(DATASET, config, "tiny", tmp_path / "data")
    said: list[Finding] = []
    again = prepare(DATASET, config, "tiny", tmp_path / "data", say=said.append)
    assert said[-1].what.endswith("is up to date") and again.info.hash == first_time.info.hash
