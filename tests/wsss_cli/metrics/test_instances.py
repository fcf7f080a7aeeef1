"""Scores of instance labels: worked by hand, from every kind of ground truth, and messages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsss_cli import console
from wsss_cli.data.instances import coco_file, run_length_mask
from wsss_cli.data.labels import write_labels
from wsss_cli.data.objects import annotation, from_json, from_maps, true_objects
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample, read_info, write_prepared
from wsss_cli.errors import WsssError
from wsss_cli.metrics.instances import instance_scores, read_instances
from wsss_cli.metrics.show import show_instances

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, NumPy 2

SIZE = (20, 30)


def rectangle(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def one(label: int, *box: int, score: float | None = None, crowd: int = 0) -> dict[str, Any]:
    row = annotation(run_length_mask(rectangle(*box)), label, crowd)
    return row if score is None else row | {"score": score}


def test_worked_by_hand() -> None:
    """Class 1: one found exactly, one by 3/5; class 2: missed, while a surer one is nothing; class 3 has no object."""
    truth = [[one(1, 0, 0, 10, 10), one(1, 20, 0, 30, 10)], [one(2, 0, 0, 10, 10)]]
    found = [
        [one(1, 0, 0, 10, 10, score=0.9), one(1, 20, 0, 26, 10, score=0.8)],
        [one(2, 15, 5, 30, 20, score=0.7), one(3, 0, 0, 5, 5, score=0.9)],
    ]
    scores = instance_scores(truth, found, 3)
    np.testing.assert_allclose(scores.ap50, [1.0, 0.0, np.nan])
    np.testing.assert_allclose(scores.ap75, [51 / 101, 0.0, np.nan])  # COCO's 101 recalls
    np.testing.assert_allclose(scores.abo, [0.8, 0.0, np.nan])
    assert scores.objects.tolist() == [2, 1, 0]
    np.testing.assert_allclose(list(scores.means().values()), [0.5, 51 / 202, 0.4])


def test_a_surer_mistake_costs_precision() -> None:
    truth = [[one(1, 0, 0, 10, 10)]]
    found = [[one(1, 0, 0, 10, 10, score=0.5), one(1, 15, 0, 25, 10, score=0.9)]]
    np.testing.assert_allclose(instance_scores(truth, found, 1).ap50, [0.5])


def test_crowds_are_neither_hit_nor_missed() -> None:
    truth = [[one(1, 0, 0, 10, 10), one(1, 15, 0, 30, 20, crowd=1)]]
    found = [[one(1, 0, 0, 10, 10, score=0.5), one(1, 16, 1, 25, 10, score=0.9)]]
    scores = instance_scores(truth, found, 1)
    assert (scores.ap50[0], scores.abo[0], scores.objects[0]) == (pytest.approx(1), 1.0, 1)


def test_nothing_found() -> None:
    scores = instance_scores([[one(2, 0, 0, 10, 10)]], [[]], 2)
    np.testing.assert_array_equal(scores.ap50, [np.nan, 0.0])
    assert scores.means() == {"AP50": 0.0, "AP75": 0.0, "ABO": 0.0}


@pytest.fixture
def data(tmp_path: Path) -> Prepared:
    """Two images; the mask of the first holds classes 1 and 2, its object map three objects and an ignored seam."""
    labels = np.zeros(SIZE, np.uint8)
    labels[:, :10], labels[:, 10:20] = 1, 2
    objects = np.zeros(SIZE, np.uint8)
    objects[:8, :10], objects[12:, :10], objects[:, 10:20] = 1, 2, 7
    objects[8:12, :10] = 255
    write_labels(tmp_path / "masks/a.png", labels)
    write_labels(tmp_path / "objects/a.png", objects)
    first = Sample("a", tmp_path / "a.jpg", 30, 20, (1, 2), (), tmp_path / "masks/a.png", ("train",))
    made = [first, Sample("y/b", tmp_path / "b.jpg", 30, 20, (), (), None, ("train",))]
    splits = {"train": "train", "val": "train", "seeds": "train"}
    info = DatasetInfo("toy", "toy", ("cat", "dog"), splits, "drawn", instances=(tmp_path / "objects",))
    write_prepared(tmp_path, info, made)
    return Prepared(tmp_path, read_info(tmp_path), tuple(made))


def test_object_maps(data: Prepared) -> None:
    assert data.info.instances == (data.folder / "objects",)
    found = true_objects(data, data.samples)
    assert [(o["category_id"], o["area"]) for o in found["a"]] == [(1, 80), (1, 80), (2, 200)]
    assert list(found) == ["a"] and found == from_maps(data.folder / "objects", data.samples)


def test_a_coco_json(data: Prepared, tmp_path: Path) -> None:
    runs = {"size": [20, 30], "counts": [0, 40, 560]}
    rows = [
        {"image_id": 5, "category_id": 18, "segmentation": [[0, 0, 10, 0, 10, 10, 0, 10]], "iscrowd": 0},
        {"image_id": 5, "category_id": 18, "segmentation": runs, "iscrowd": 1},
        {"image_id": 5, "category_id": 1, "segmentation": runs, "iscrowd": 0},
        {"image_id": 6, "category_id": 18, "segmentation": runs},
    ]
    sides = {"height": 20, "width": 30}
    images = [{"id": 5, "file_name": "sub/a.jpg", **sides}, {"id": 6, "file_name": "other.jpg", **sides}]
    names = [{"id": 18, "name": "dog"}, {"id": 1, "name": "tree"}]
    path = tmp_path / "i.json"
    path.write_text(json.dumps({"images": images, "annotations": rows, "categories": names}))
    found = from_json(path, data.samples, data.samples, data.info.classes)
    assert [(o["category_id"], o["area"], o["iscrowd"]) for o in found["a"]] == [(2, 100, 0), (2, 40, 1)]
    assert true_objects(data, data.samples, str(path)) == found


@pytest.mark.parametrize(
    ("ids", "jsons", "expected"),
    [
        (("one__7", "two__7"), [["one/7.jpg", "two/7.jpg"]], [1]),
        (("one__7", "two__7"), [["two/7.jpg"]], None),
        (("one/7", "two/7"), [["one/7.jpg"], ["two/7.jpg"]], [1]),  # of train and of val, as of videos' frames
        (("one__7",), [["one/7.jpg", "two/7.jpg"]], [1]),  # the data set is a part of what the JSON is of
        (("one__7",), [["a/7.jpg", "b/7.jpg"]], None),
        (("one__7",), [["photos/7.jpg"]], [1]),
        (("one__7", "two__7"), [["7.jpg"]], [1]),
    ],
)
def test_images_of_one_name_in_several_folders(
    tmp_path: Path, ids: tuple[str, ...], jsons: list[list[str]], expected: list[int] | None
) -> None:
    """Of train, which has the first sample, its own objects: their categories tell whose they are."""
    samples = tuple(
        Sample(id, tmp_path / f"{id[:3]}/7.jpg", 30, 20, (1,), splits=(split,))
        for id, split in zip(ids, ("train", "val"))
    )
    paths = tuple(tmp_path / f"{n}.json" for n in range(len(jsons)))
    number = 0
    for path, names in zip(paths, jsons):
        rows, images = [], []
        for name in names:
            number += 1
            images.append({"id": number, "file_name": name})
            rows.append({"image_id": number, "category_id": number, "segmentation": [[0, 0, 9, 0, 9, 9, 0, 9]]})
        categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
        path.write_text(json.dumps({"images": images, "annotations": rows, "categories": categories}))
    info = DatasetInfo("toy", "toy", ("cat", "dog"), {"train": "train", "val": "val"}, "drawn", instances=paths)
    data = Prepared(tmp_path, info, samples)
    if expected is None:
        with pytest.raises(WsssError, match="has no true instances for these images"):
            true_objects(data, data.split("train"))
    else:
        found = true_objects(data, data.split("train"))
        assert {id: [o["category_id"] for o in objects] for id, objects in found.items()} == {ids[0]: expected}


def coco_json(path: Path, rows: list[dict[str, Any]], names: list[dict[str, Any]], **size: int) -> Path:
    """One of image a."""
    images = [{"id": 5, "file_name": "a.jpg", **({"height": 20, "width": 30} | size)}]
    rows = [{"id": n, "image_id": 5, **row} for n, row in enumerate(rows, 1)]
    path.write_text(json.dumps({"images": images, "annotations": rows, "categories": names}))
    return path


def test_categories_are_called_as_prepare_calls_classes(
    data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spaces around a name are none of it; what is left out is counted."""
    said: list[str] = []
    monkeypatch.setattr(console, "warn", said.append)
    runs = {"size": [20, 30], "counts": [0, 40, 560]}
    rows = [{"category_id": id, "segmentation": runs} for id in (1, 2, 2, 3, 3, 4)]
    names = [{"id": id, "name": name} for id, name in enumerate(("cat ", "\tdog\n", "tree", 7), 1)]
    path = coco_json(tmp_path / "i.json", rows, names)
    found = from_json(path, data.samples, data.samples, data.info.classes)
    assert [o["category_id"] for o in found["a"]] == [1, 2, 2]
    assert said == [f"{path}: 3 object(s) are left out, for these are no classes of the data set: 'tree' (2), '7' (1)"]
    from_json(coco_json(path, rows[:3], names), data.samples, data.samples, data.info.classes)
    assert len(said) == 1


@pytest.mark.parametrize("counts", [[0, 40, 560], run_length_mask(rectangle(0, 0, 2, 20))["counts"]])
def test_objects_of_another_size_are_refused(data: Prepared, tmp_path: Path, counts: object) -> None:
    for size, says in (([30, 20], r"size \[30, 20\], not \[20, 30\]"), ([40, 60], "40, 60"), (None, "size None")):
        path = coco_json(
            tmp_path / "i.json",
            [{"category_id": 1, "segmentation": {"size": size, "counts": counts}}],
            [{"id": 1, "name": "cat"}],
        )
        with pytest.raises(WsssError, match=rf"i.json, annotation 1: .*{says}"):
            from_json(path, data.samples, data.samples, data.info.classes)


def test_objects_of_an_image_of_another_size_are_refused(data: Prepared, tmp_path: Path) -> None:
    """Of polygons nothing else tells."""
    rows = [{"category_id": 1, "segmentation": [[0, 0, 10, 0, 10, 10, 0, 10]]}]
    path = coco_json(tmp_path / "i.json", rows, [{"id": 1, "name": "cat"}], height=40, width=60)
    with pytest.raises(WsssError, match=r"(?s)i.json: image 'a.jpg' is 60 x 40 pixels, but .*a.jpg has 30 x 20.*give"):
        from_json(path, data.samples, data.samples, data.info.classes)
    for unknown in (0, "", None):
        coco_json(path, rows, [{"id": 1, "name": "cat"}], height=unknown, width=unknown)
        assert len(from_json(path, data.samples, data.samples, data.info.classes)["a"]) == 1


@pytest.mark.parametrize(
    ("kind", "other", "says"),
    [
        ("categories", {"name": "dog"}, "two categories have the id 1: 'cat' and 'dog'"),
        ("images", {"file_name": "y/b.jpg"}, "two images have the id 5: 'a.jpg' and 'y/b.jpg'"),
    ],
)
def test_an_id_that_stands_for_two_is_refused(
    data: Prepared, tmp_path: Path, kind: str, other: dict[str, str], says: str
) -> None:
    """The last one was taken; GeoCOCO 0.7.0 gives a new class of a second image the id of another class."""
    path = coco_json(tmp_path / "i.json", [{**one(1, 0, 0, 10, 8)}], [{"id": 1, "name": "cat"}])
    content = json.loads(path.read_text())
    first = content[kind][0]
    path.write_text(json.dumps(content | {kind: [first, first]}))
    assert len(from_json(path, data.samples, data.samples, data.info.classes)["a"]) == 1  # listed twice alike
    path.write_text(json.dumps(content | {kind: [first, first | other]}))
    with pytest.raises(WsssError, match=rf"i.json: {says}\n.*give each its own id"):
        from_json(path, data.samples, data.samples, data.info.classes)


def test_what_a_run_left_is_read_and_scored(data: Prepared, tmp_path: Path) -> None:
    rows = [
        {**one(1, 0, 0, 10, 8, score=0.5)},
        {**one(2, 10, 0, 20, 20, score=0.5), "segmentation": [[10, 0, 20, 0, 20, 20, 10, 20]]},
    ]
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(coco_file(data.samples, [rows, []], data.info.classes)))
    found = read_instances(path, data)
    assert [o["area"] for o in found["a"]] == [80, 200] and found["y/b"] == []
    scores = instance_scores([true_objects(data, data.samples)["a"]], [found["a"]], 2)
    np.testing.assert_allclose(scores.abo, [0.5, 1.0])


def test_messages(data: Prepared, tmp_path: Path) -> None:
    with pytest.raises(
        WsssError, match=r"(?s)'toy' has no true instances.*the data set names none.*true_instances=PATH"
    ):
        bare = Prepared(data.folder, DatasetInfo("toy", "toy", ("cat",), {}, "drawn"), data.samples)
        true_objects(bare, data.samples)
    (tmp_path / "bad.json").write_text('{"images": [')
    with pytest.raises(WsssError, match=r"bad.json is no instances JSON"):
        from_json(tmp_path / "bad.json", data.samples, data.samples, ("cat",))
    with pytest.raises(WsssError, match="there are no instance labels"):
        read_instances(tmp_path / "none.json", data)
    with pytest.raises(WsssError, match=r"bad.json cannot be read.*\n.*wsss pseudo --force"):
        read_instances(tmp_path / "bad.json", data)


def test_what_was_found_is_told_apart_from_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """More may be found than there is."""
    found = {"instances": 52, "objects": 47, "images": 6, "means": {}, "classes": {}, "without": 0, "ground_truth": "x"}
    show_instances(found)
    assert "instance labels: 52 found, 47 true objects in 6 images\n" in capsys.readouterr().out
