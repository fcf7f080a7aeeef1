"""Photos of 64 x 48 in a data set whose long side is 32: what every reader sees, and at which size results come."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from colour_model import CPU, METHOD, PALETTE, colour_model, write_checkpoint
from made_run import METHOD as MADE
from prepared_data import prepare
from wsss_bcm.config import Crop
from wsss_bcm.data import BoxedData
from wsss_bcm.seeds import _take
from wsss_beco.config import Train as BecoTrain
from wsss_beco.data import CoTrainingData
from wsss_beco.stages import require_masks
from wsss_cli.batches.segmentation import Augment, SegmentationData
from wsss_cli.cam.store import Cam, write_cam
from wsss_cli.checks.dataset import check
from wsss_cli.config import Config
from wsss_cli.data.images import read_image
from wsss_cli.data.instances import merge_rows, run_length_mask, write_rows
from wsss_cli.data.label_format import BYTE
from wsss_cli.data.labels import map_path, read_labels, write_labels, write_mask01
from wsss_cli.data.long_side import at_full_size, at_image_size, nearest, smaller, smaller_boxes, smaller_size
from wsss_cli.data.objects import true_objects
from wsss_cli.data.picture import PLAIN
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample, read_prepared
from wsss_cli.data.unchanged import require_unchanged
from wsss_cli.dataset import Dataset
from wsss_cli.engine.enlarge import bands, winners
from wsss_cli.engine.infer import Infer, infer
from wsss_cli.engine.segment import require_label_maps
from wsss_cli.errors import WsssError
from wsss_cli.export import png
from wsss_cli.export.source import Form, find_source
from wsss_cli.job import Job
from wsss_cli.metrics.evaluate import Evaluate, evaluate
from wsss_cli.metrics.instances import read_instances
from wsss_cli.models.folder import read_model, write_model
from wsss_cli.models.model import with_long_side
from wsss_cli.photos.find import find_photos
from wsss_cli.photos.predict import predict_photos
from wsss_cli.preparation.mend import Mending, write_mended
from wsss_cli.report.contact import contact_sheet
from wsss_cli.space import _size

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, NumPy 2

RED = (slice(8, 40), slice(16, 48))  # rows and columns of the photo's object
SMALL_RED = (slice(4, 20), slice(8, 24))
INFO = DatasetInfo("", "test", ("red", "blue"), {"train": "train", "val": "val", "seeds": "train"}, "drawn", "masks")


@dataclass(frozen=True)
class Drawn(Dataset):
    """A plugin that tells the samples it was given."""

    samples: tuple[Sample, ...] = ()

    def function(self) -> Callable[[Any, Path], tuple[DatasetInfo, Iterable[Sample]]]:
        return lambda options, folder: (INFO, self.samples)


def _photo(folder: Path, id: str, split: str, size: tuple[int, int] = (64, 48)) -> Sample:
    """Grey with a red object; the mask and the box are the object's."""
    folder.mkdir(exist_ok=True)
    pixels = np.full((size[1], size[0], 3), 120, np.uint8)
    pixels[RED], pixels[0, 0] = (230, 10, 10), [ord(c) for c in id[:3]]
    Image.fromarray(pixels).save(folder / f"{id}.png")
    labels = np.zeros((size[1], size[0]), np.uint8)
    labels[RED] = 1
    write_labels(folder / f"{id}_mask.png", labels)
    box = Box(1, RED[1].start, RED[0].start, RED[1].stop, RED[0].stop)
    return Sample(id, folder / f"{id}.png", *size, (1,), (box,), folder / f"{id}_mask.png", (split,))


def prepared(tmp_path: Path, long_side: int | None = 32, **options: Any) -> Prepared:
    samples = tuple(_photo(tmp_path / "raw", *of) for of in (("abc", "train"), ("sub/def", "train"), ("val", "val")))
    plugin = Drawn("test", "", "", "", samples)
    return prepare(plugin, Config(), "mine", tmp_path / "data", long_side=long_side, **options)


@pytest.fixture
def data(tmp_path: Path) -> Prepared:
    (tmp_path / "raw/sub").mkdir(parents=True)
    return prepared(tmp_path)


@pytest.fixture
def sample(data: Prepared) -> Sample:
    return data.samples[1]


def job_of(data: Prepared, stage: str, config: Any, folder: Path, **inputs: Path) -> Job[Any]:
    return Job(data, replace(MADE, predictor=METHOD.predictor, name="colours"), stage, config, folder, inputs, CPU)


# --- what is written


def test_the_smaller_image_and_the_photo(data: Prepared, sample: Sample) -> None:
    assert data.info.long_side == 32 and sample.image == data.folder / "long_side/sub/def.png"
    assert (sample.width, sample.height, sample.boxes) == (32, 24, (Box(1, 8, 4, 24, 20),))
    whole = sample.full
    assert (whole.width, whole.height, whole.boxes) == (64, 48, (Box(1, 16, 8, 48, 40),))
    assert whole.image.name == "def.png" and whole.image.parent.name == "sub" and whole.full is whole
    seen = read_image(sample.image)
    np.testing.assert_array_equal(seen, smaller(read_image(whole.image), 32))
    assert seen.shape == (24, 32, 3) and (seen[6:18, 10:22] == (230, 10, 10)).all()


def test_what_is_small_already_is_referenced_as_it_is(tmp_path: Path, data: Prepared) -> None:
    plain = prepared(tmp_path, None, force=True)
    assert not (plain.folder / "long_side").exists() and "long_side" not in (plain.folder / "dataset.yaml").read_text()
    same = prepared(tmp_path, 64, force=True)
    assert plain.info.long_side is None and same.info.long_side == 64
    assert plain.samples == same.samples and plain.info.hash == same.info.hash != data.info.hash
    assert all(s.original is None and s.full is s for s in plain.samples)
    assert plain.mark("train") != data.mark("train")  # so that stages are stale


def test_the_same_again_is_up_to_date(tmp_path: Path, data: Prepared) -> None:
    before = (data.folder / "samples.jsonl").read_bytes()
    assert prepared(tmp_path).samples == data.samples and (data.folder / "samples.jsonl").read_bytes() == before


def test_a_photo_that_changed_is_noticed_and_one_that_is_away_needed_by_no_stage(data: Prepared) -> None:
    require_unchanged(data.samples)
    data.samples[0].full.image.unlink()
    require_unchanged(data.samples)
    Image.new("RGB", (64, 48)).save(data.samples[1].full.image)
    with pytest.raises(WsssError, match=r"def\.png is not the file that was prepared"):
        require_unchanged(data.samples)


def test_check_looks_at_both(data: Prepared) -> None:
    assert [f.kind for f in check(data).findings] == ["class-absent"]  # blue
    data.samples[0].image.write_bytes(b"")
    found = [f for f in check(data).findings if f.level == "error"]
    assert [(f.kind, f.images) for f in found] == [("smaller-image", ("abc",)), ("changed", ("abc",))]
    assert "--force" in found[0].remedy


def test_mending_takes_the_smaller_images_along(data: Prepared) -> None:
    write_mended(data, Mending(data.samples[1:], ("dropped",), ()))
    after = read_prepared(data.folder)
    assert after.info.long_side == 32 and after.samples == data.samples[1:]
    require_unchanged(after.samples)
    assert read_image(after.samples[0].image).shape == (24, 32, 3)


def test_large_photos_are_told_of(tmp_path: Path) -> None:
    said: list[Any] = []
    (tmp_path / "raw").mkdir()
    plugin = Drawn("test", "", "", "", tuple(_photo(tmp_path / "raw", s, s, (1004, 50)) for s in ("train", "val")))
    for side in (None, 1000):
        prepare(plugin, Config(), "large", tmp_path / "data", force=True, say=said.append, long_side=side)
    assert "2 of 2 photos are seen at 1000 pixels" in said[-1].what
    (warning,) = [f for f in said if f.kind == "large"]
    assert "2 image(s)" in warning.what and "1004 x 50" in warning.what and "--long-side 512" in warning.remedy


# --- sizes


@pytest.mark.parametrize(
    ("size", "long_side", "expected"),
    [((48, 64), 32, (24, 32)), ((64, 48), 32, (32, 24)), ((24, 32), 32, (24, 32)), ((3, 4000), 32, (1, 32)),
     ((300, 400), 51, (38, 51)), ((33, 33), 32, (32, 32))],
)  # fmt: skip
def test_sizes(size: tuple[int, int], long_side: int, expected: tuple[int, int]) -> None:
    assert smaller_size(*size, long_side) == expected
    assert smaller(np.zeros((*size, 3), np.uint8), long_side).shape[:2] == expected


def test_boxes_hold_their_objects() -> None:
    one = Sample("a", Path("a"), 100, 90, (), (Box(1, 1, 1, 2, 2), Box(2, 99, 50, 100, 90), Box(1, 3, 6, 97, 7)))
    assert smaller_boxes(one, 9, 10) == (Box(1, 0, 0, 1, 1), Box(2, 9, 5, 10, 9), Box(1, 0, 0, 10, 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, bool])
def test_label_maps_go_there_and_back(sample: Sample, dtype: Any) -> None:
    whole = np.zeros((48, 64), dtype)
    whole[RED] = 1
    small = at_image_size(whole, sample)
    assert small.shape == (24, 32) and small.dtype == dtype and small.sum() == 16 * 16 and small[SMALL_RED].all()
    np.testing.assert_array_equal(at_full_size(small, sample), whole)
    other = whole[:20]
    assert at_image_size(other, sample) is other and at_full_size(whole, sample) is whole  # others as they are
    assert at_image_size(whole, sample.full) is whole


def test_nearest_is_pils() -> None:
    labels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    for size in ((3, 4), (11, 9), (5, 20)):
        theirs = Image.fromarray(labels).resize((size[1], size[0]), Image.Resampling.NEAREST)
        np.testing.assert_array_equal(nearest(labels, size), np.array(theirs))


@pytest.mark.parametrize("size", [(48, 64), (31, 50), (24, 32), (7, 5)])
@pytest.mark.parametrize("at_once", [1, 700, 1 << 23])
def test_scores_are_enlarged_in_parts(size: tuple[int, int], at_once: int) -> None:
    scores = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.interpolate(scores[None], size, mode="bilinear", align_corners=False)[0]
    found = torch.cat(list(bands(scores, size, at_once)), 1)
    torch.testing.assert_close(found, expected)
    np.testing.assert_array_equal(winners(scores, size), found.argmax(0).numpy())


# --- readers that learn


def in_full(folder: Path, samples: Iterable[Sample]) -> Path:
    """Label maps of somebody else's, at the photos' own size."""
    for one in samples:
        labels = np.zeros((48, 64), np.uint8)
        labels[RED] = 1
        write_labels(map_path(folder, one), labels)
        write_mask01(map_path(folder / "sure", one), labels == 1)
    return folder


def segmentation(samples: list[Sample], maps: Path) -> Tensor:
    augment = Augment(scale=(1.0, 1.0), flip=False, crop=32)
    item = SegmentationData(samples, lambda s: map_path(maps, s), augment).item(0, Random(0))
    y, x, h, w = item["valid"].tolist()
    assert (h, w) == (24, 32)
    return item["label"][y : y + h, x : x + w]


def beco(samples: list[Sample], maps: Path) -> Tensor:
    _, label, mask = CoTrainingData(
        samples, lambda s: map_path(maps, s), lambda s: map_path(maps / "sure", s), 3, BecoTrain()
    )._read(samples[0])
    assert (mask == (label == 1)).all()
    require_masks(samples, maps / "sure")
    return torch.from_numpy(label)


def bcm(samples: list[Sample], maps: Path) -> Tensor:
    crop = Crop(scales=(1.0,), flip=False, size=32)
    item = BoxedData(samples, lambda s: map_path(maps, s), None, BYTE, crop).item(0, Random(0))
    label, box = torch.as_tensor(item["label"])[:24], torch.as_tensor(item["box"])[:24]
    assert (label == box).all()  # boxes are as small as the maps
    return label


@pytest.mark.parametrize("reader", [segmentation, beco, bcm])
def test_training_sees_the_smaller_image_and_map(
    data: Prepared, tmp_path: Path, reader: Callable[[list[Sample], Path], Tensor]
) -> None:
    samples = data.split("train")
    label = reader(samples, in_full(tmp_path / "given", samples))
    expected = torch.zeros(24, 32, dtype=label.dtype)
    expected[SMALL_RED] = 1
    assert torch.equal(label, expected)


def test_maps_of_either_size_are_taken_and_no_other(data: Prepared, tmp_path: Path) -> None:
    samples = data.split("train")
    in_full(tmp_path / "given", samples)
    require_label_maps(samples, lambda s: map_path(tmp_path / "given", s), 2)
    job = job_of(data, "seeds", Config(), tmp_path / "seeds")
    _take(tmp_path / "given", samples[0], job)
    assert read_labels(tmp_path / "seeds/labels/abc.png").shape == (24, 32)
    write_labels(tmp_path / "given/abc.png", np.ones((30, 40), np.uint8))
    with pytest.raises(WsssError, match="40 x 30"):
        require_label_maps(samples, lambda s: map_path(tmp_path / "given", s), 2)


# --- results


def predicted(data: Prepared, folder: Path, **settings: Any) -> Path:
    write_checkpoint(folder / "train/checkpoint.pt")
    infer(job_of(data, "infer", Infer(**settings), folder / "infer", train=folder / "train"))
    return folder / "infer"


@pytest.mark.parametrize("settings", [{}, {"crf": True}, {"long_side": 16}, {"scales": (0.5, 1.0), "flip": True}])
def test_predictions_have_the_photos_size(data: Prepared, tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = predicted(data, tmp_path, **settings)
    for name in ("labels", "labels_crf")[: 1 + settings.get("crf", False)]:
        labels, truth = read_labels(folder / name / "val.png"), read_labels(data.split("val")[0].mask or Path())
        assert labels.shape == (48, 64) and (labels != truth).mean() < 0.05


def test_pseudo_labels_and_cams_are_scored_at_the_photos_size(data: Prepared, tmp_path: Path) -> None:
    """A map that is wrong on one pixel of the smaller image is wrong on four of the photo's."""
    for one in data.split("train"):
        labels = np.zeros((24, 32), np.uint8)
        labels[SMALL_RED] = 1
        cam = np.zeros((1, 24, 32), np.float32)
        cam[0][SMALL_RED] = 0.9
        labels[0, 0] = one.id == "abc"
        write_labels(map_path(tmp_path / "pseudo/labels", one), labels)
        write_cam(
            tmp_path / "seeds/cam" / f"{one.id}.npz", Cam(np.array([1]), cam[:, ::4, ::4], (24, 32), high_res=cam)
        )
    found = evaluate(job_of(data, "evaluate-pseudo", Evaluate(), tmp_path / "scores", pseudo=tmp_path / "pseudo"))
    assert found["pseudo-label"] == pytest.approx((4092 / 4096 + 2048 / 2052) / 2)
    report = json.loads((tmp_path / "scores/scores.json").read_text())
    assert report["protocol"]["data_long_side"] == 32
    cams = evaluate(job_of(data, "evaluate-seeds", Evaluate(), tmp_path / "scored", seeds=tmp_path / "seeds"))
    assert cams["CAM"] > 0.95


def test_exports_are_of_the_photos(data: Prepared, tmp_path: Path) -> None:
    for one in data.split("train"):
        labels = np.zeros((24, 32), np.uint8)
        labels[SMALL_RED] = 1
        write_labels(map_path(tmp_path / "labels", one), labels)
    source, missing = find_source(data, "train", tmp_path / "labels", "pseudo-labels")
    assert missing == 0 and source.image_name(source.samples[1]) == "sub/def.png"
    assert [(s.width, s.height) for s in source.samples] == [(64, 48)] * 2
    np.testing.assert_array_equal(source.labels(source.samples[0]), read_labels(data.samples[0].mask or Path()))
    png.write(source, tmp_path / "png", Form(), lambda n: None)
    for one, whole in zip(source.samples, data.samples):
        np.testing.assert_array_equal(
            read_labels(tmp_path / f"png/labels/{one.id}.png"), read_labels(whole.mask or Path())
        )
    write_labels(tmp_path / "labels/abc.png", np.zeros((23, 32), np.uint8))
    with pytest.raises(WsssError, match="32 x 23, its image 64 x 48"):
        source.labels(source.samples[0])


@pytest.mark.parametrize("outline", [False, True])
def test_instances_are_of_the_photos(data: Prepared, tmp_path: Path, outline: bool) -> None:
    one = data.samples[0]
    mask = np.zeros((24, 32), bool)
    mask[SMALL_RED] = True
    shape: Any = [[8, 4, 24, 4, 24, 20, 8, 20]] if outline else run_length_mask(mask)
    rows = [{"category_id": 1, "segmentation": shape, "area": 256, "bbox": [8, 4, 16, 16], "score": 1.0}]
    write_rows(tmp_path / "instances", one, [*rows, rows[0] | {"bbox": [8, 5, 16, 15]}])
    assert merge_rows(tmp_path / "instances", [one], data.info.classes) == 2
    content = json.loads((tmp_path / "instances/instances.json").read_text())
    assert content["images"] == [{"id": 1, "file_name": "abc.png", "height": 48, "width": 64, "sample": "abc"}]
    assert [row["bbox"] for row in content["annotations"]] == [[16, 8, 32, 32], [16, 10, 32, 30]]
    assert content["annotations"][0]["area"] == 1024
    assert read_instances(tmp_path / "instances/instances.json", data)["abc"][0]["area"] == 1024
    assert true_objects(data, [one], str(tmp_path / "instances/instances.json"))["abc"][0]["area"] == 1024


def test_new_photos_are_seen_as_the_data_set_was(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    _photo(tmp_path / "new", "abc", "val")
    (tmp_path / "new/abc_mask.png").unlink()
    model = replace(colour_model(tmp_path, Infer(crf=True)), long_side=32)
    kinds, photos = ("labels", "labels_crf", "overlay", "probabilities"), find_photos([str(tmp_path / "new")])
    results, failures = predict_photos(model, photos, tmp_path / "out", kinds, PLAIN, CPU)
    assert failures == [] and results.rows["abc"]["width"] == 64 and sum(results.rows["abc"]["areas"]) == 48 * 64
    assert json.loads((tmp_path / "out/predictions.json").read_text())["long_side"] == 32
    labels = read_labels(tmp_path / "out/labels/abc.png")
    assert labels.shape == read_labels(tmp_path / "out/labels_crf/abc.png").shape == (48, 64)
    scores = np.load(tmp_path / "out/probabilities/abc.npz")["probabilities"]
    assert scores.shape == (3, 48, 64) and (scores.argmax(0) == labels).mean() > 0.99
    with Image.open(tmp_path / "out/overlay/abc.jpg") as picture:
        assert picture.size == (64, 48)
    assert (labels[RED] == 1).mean() > 0.9 and (labels == 1).sum() < 1.1 * 32 * 32


def test_the_card_keeps_it_and_the_command_may_ask_for_another(tmp_path: Path) -> None:
    model = replace(colour_model(tmp_path), long_side=32)
    card = {"format": 1, "method": "irn", "classes": ["red", "blue"], "palette": PALETTE, "settings": {}, "network": {}}
    for side in (32, None):
        write_model(tmp_path / str(side), model, card | {"long_side": side})
        assert read_model(tmp_path / str(side)).long_side == side
    write_model(tmp_path / "older", model, card)
    assert read_model(tmp_path / "older").long_side is None
    assert [with_long_side(model, asked).long_side for asked in (None, 0, 64)] == [32, None, 64]
    with pytest.raises(WsssError, match="--long-side 5 leaves nothing to see\n  give 32 or more"):
        with_long_side(model, 5)


def test_pictures_and_disk(data: Prepared, tmp_path: Path) -> None:
    assert len(contact_sheet(tmp_path / "sheet.png", data)) == 1
    sample = data.samples[0]
    assert _size("labels/abc.png", sample) < _size("labels/abc.png", sample.full)
