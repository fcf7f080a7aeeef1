"""What annotation tools write, in their ordinary variants: what becomes of it, with values.

The brush and JSON-MIN are as label-studio-sdk 2.1.2 (its converter) wrote them.
"""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tiny_folder import SIZE, Folder, cvat, sample, tags_of, write, write_coco, write_image, write_images
from wsss_cli.checks.dataset import Finding
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box, Prepared
from wsss_folder.rle_pack import brushed, unpack
from wsss_folder.run_lengths import runs_of

W, H = SIZE
NAMES = ("a.jpg", "b.png", "c.jpg", "d.jpg")
BRUSH = [0, 0, 18, 192, 57, 27, 255, 3, 47, 0, 199, 255, 249, 124, 3, 31, 255, 229, 240, 12, 127, 255, 151, 192, 49,
         255, 254, 95, 0, 199, 255, 249, 124, 3, 31, 255, 229, 240, 12, 127, 255, 193, 113, 192, 35, 255, 224, 184, 96,
         0]  # fmt: skip


def pixels(prepared: Prepared, id: str) -> dict[int, int] | None:
    """The class ids of an image's mask and how many pixels each has; None without a mask."""
    mask = sample(prepared, id).mask
    if mask is None:
        return None
    ids, counts = np.unique(read_labels(mask), return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist()))


@pytest.fixture
def images(folder: Folder) -> Folder:
    write_images(folder.images, NAMES)
    return folder


def result(kind: str, value: dict[str, Any], label: str = "cat", **more: Any) -> dict[str, Any]:
    return {"type": kind, "original_width": W, "original_height": H, "value": {**value, kind: [label]}, **more}


SQUARE = {"points": [[10, 10], [30, 10], [30, 30], [10, 30]]}  # 8 x 6 pixels
RECT = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0}


def label_studio(folder: Folder, *tasks: dict[str, Any]) -> Path:
    rows = [{"id": n, "data": {"image": f"/data/upload/1/{n:08x}-{NAMES[n]}"}, **task} for n, task in enumerate(tasks)]
    return write(folder.path / "ls.json", json.dumps(rows))


def done(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"annotations": [{"result": list(results), **more}]}


def test_a_brush_of_label_studio() -> None:
    mask = np.zeros((H, W), bool)
    mask[5:12, 4:20] = mask[20, 30] = True
    assert (brushed(BRUSH, W, H) == mask).all()
    for wrong in (BRUSH[:20], BRUSH[:3], [300]):
        with pytest.raises(ValueError):
            unpack(wrong, W * H * 4)
    with pytest.raises(ValueError, match="holds 4800 values of 8 bits, not 4840"):
        unpack(BRUSH, 4840)


def test_run_lengths_of_a_mask_are_those_of_its_pixels() -> None:
    rng = np.random.default_rng(0)
    for share in (0, 0.4, 1):
        mask = rng.random((7, 5)) < share
        assert (runs_of(mask).pixels() == mask).all()


@pytest.mark.parametrize("unlabelled", ["keep", "skip", "empty"])
def test_tasks_that_nobody_annotated(images: Folder, unlabelled: str) -> None:
    write_images(images.images, ("e.jpg", "f.jpg"))
    rows = [
        done(result("polygonlabels", SQUARE)),
        {"annotations": []},
        done(result("polygonlabels", SQUARE, "dog"), was_cancelled=True),
        {"drafts": [{"result": [result("polygonlabels", SQUARE)]}], "predictions": [{"result": []}]},
    ]
    tasks = json.loads(label_studio(images, *rows).read_text())
    tasks.append({"id": 9, "data": {"image": "e.jpg"}, "predictions": [{"result": [result("polygonlabels", SQUARE)]}]})
    tasks.append({"id": 10, "data": {"image": "f.jpg"}, **done()})
    path = write(images.path / "ls.json", json.dumps(tasks))
    said: list[Finding] = []
    options: dict[str, Any] = {"label_studio": (path,), "masks_from_shapes": True, "unlabelled": unlabelled}
    prepared = images.prepare(**options, val=0.5, say=said.append)
    reasons = "4 of 6 images are not labelled (1 a draft only, 1 never annotated, 1 predicted only, 1 skipped): "
    assert any(f.what.startswith(reasons) for f in said)
    assert prepared.info.classes == ("cat",)
    masks = {s.id: pixels(prepared, s.id) for s in prepared.samples}
    square, nothing = {0: W * H - 48, 1: 48}, {0: W * H}
    rest = {"keep": dict.fromkeys("bcde"), "skip": {}, "empty": dict.fromkeys("bcde", nothing)}[unlabelled]
    assert masks == {"a": square, "f": nothing, **rest}


def test_what_results_of_label_studio_mean(images: Folder) -> None:
    attribute = {"type": "choices", "id": "r", "value": {**RECT, "choices": ["Yes"]}}
    taxonomy = {"type": "taxonomy", "value": {"taxonomy": [["animal", "cat"], ["plant", "other"]]}}
    others = {"type": "taxonomy", "value": {"taxonomy": [["animal", "other"], ["animal"]]}}
    split = [
        {"id": "s", "type": "rectangle", "original_width": W, "original_height": H, "value": RECT},
        {"id": "s", "type": "labels", "original_width": W, "original_height": H, "value": {**RECT, "labels": ["dog"]}},
    ]
    path = label_studio(
        images,
        done(result("rectanglelabels", RECT, id="r"), attribute, {"type": "relation", "from_id": "r", "to_id": "s"}),
        done(taxonomy, {"type": "rating", "value": {"rating": 3}}),
        done(others),
        done(*split),
    )
    prepared = images.prepare(label_studio=(path,))
    assert tags_of(prepared, images.images) == {
        "a.jpg": ("cat",),
        "b.png": ("cat", "plant/other"),
        "c.jpg": ("animal", "animal/other"),
        "d.jpg": ("dog",),
    }
    assert [(b.x0, b.y0, b.x1, b.y1) for id in "ad" for b in sample(prepared, id).boxes] == [(4, 3, 12, 9)] * 2


def test_brushes_and_objects_without_an_outline(images: Folder) -> None:
    brush = result("brushlabels", {"format": "rle", "rle": BRUSH}, "dog")
    png = io.BytesIO()
    Image.fromarray(np.pad(np.full((2, 3, 4), 255, np.uint8), ((4, H - 6), (1, W - 4), (0, 0)))).save(png, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    path = label_studio(
        images,
        done(result("polygonlabels", SQUARE), brush),
        done(result("polygonlabels", SQUARE), result("brushlabels", {"format": "rle", "rle": BRUSH[:9]}, "cat")),
        done(result("bitmasklabels", {"imageDataURL": url})),
        done(result("polygonlabels", SQUARE), result("keypointlabels", {"x": 5, "y": 5, "width": 1})),
    )
    prepared = images.prepare(label_studio=(path,), masks_from_shapes=True, val=0.5)
    assert pixels(prepared, "a") == {0: W * H - 113 - 16, 1: 16, 2: 113}  # 16 of the polygon are not under it
    assert sample(prepared, "a").boxes[1] == Box(2, 4, 5, 31, 21)
    assert pixels(prepared, "b") is None and pixels(prepared, "d") is None
    assert pixels(prepared, "c") == {0: W * H - 6, 1: 6} and sample(prepared, "c").boxes == (Box(1, 1, 4, 4, 6),)


def test_the_ground_truth_of_several_annotations(images: Folder) -> None:
    both = [{"result": [result("rectanglelabels", RECT, name)]} for name in ("cat", "dog")]
    path = label_studio(images, {"annotations": [both[0], {**both[1], "ground_truth": True}]}, {"annotations": both})
    said: list[Finding] = []
    prepared = images.prepare(label_studio=(path,), say=said.append)
    tags = tags_of(prepared, images.images)
    assert tags["a.jpg"] == ("dog",) and tags["b.png"] == ("cat", "dog")
    assert any(f.what == "1 tasks have several annotations, which are added up" for f in said)


def test_json_min(images: Folder) -> None:
    region = {**RECT, "rectanglelabels": ["cat"], "original_width": W, "original_height": H}
    entry = {"image": "/data/upload/1/1a2b3c4d-a.jpg", "id": 5, "label": [region], "choice": "x", "annotator": 1}
    other = {"image": "/data/upload/1/1a2b3c4d-b.png", "id": 6, "kinds": {"choices": ["y", "z"]}, "annotator": 1}
    rows = [{**row, "annotation_id": n, "lead_time": 1.5} for n, row in enumerate((entry, other))]
    write(images.path / "min.json", json.dumps(rows))
    prepared, said = images.typed()
    assert "JSON-MIN and CSV do not tell choices from texts: choice taken as tags" in said
    tags = tags_of(prepared, images.images)
    assert tags["a.jpg"] == ("cat", "x") and tags["b.png"] == ("y", "z")
    assert sample(prepared, "a").boxes == (Box(1, 4, 3, 12, 9),)


@pytest.mark.parametrize("option", ["found", "tags", "label_studio"])
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_csv_of_label_studio(images: Folder, option: str, ending: str) -> None:
    """As label-studio-sdk 2.1.2 writes it: sorted columns, quotes around all that is no number."""
    region = json.dumps([{**RECT, "rectanglelabels": ["cat"], "original_width": W, "original_height": H}])
    both = json.dumps({"choices": ["y", "z"]})
    path = images.path / f"project.{ending}"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, delimiter="," if ending == "csv" else "\t")
        rows.writerow(["annotation_id", "annotator", "choice", "created_at", "id", "image", "label", "lead_time"])
        rows.writerow([1, 1, "x", "2026", 5, "/data/upload/1/1a2b3c4d-a.jpg", region, 1.5])
        rows.writerow([2, 1, both, "2026", 6, "/data/upload/1/1a2b3c4d-b.png", "", 1.5])
    prepared = images.prepare(**({} if option == "found" else {option: (path,)}))
    tags = tags_of(prepared, images.images)
    assert tags["a.jpg"] == ("cat", "x") and tags["b.png"] == ("y", "z") and tags["c.jpg"] == ()
    assert sample(prepared, "a").boxes == (Box(1, 4, 3, 12, 9),)


def test_words_and_numbers_that_label_studio_has_otherwise(images: Folder) -> None:
    """A choice that is no list, numbers as text, a region without a class."""
    alone = {"type": "choices", "value": {"choices": "cat"}}
    texts = result("rectanglelabels", {key: str(value) for key, value in RECT.items()})
    nameless = {"type": "rectangle", "original_width": W, "original_height": H, "value": RECT}
    path = label_studio(images, done(alone), done(texts), done(nameless))
    said: list[Finding] = []
    prepared = images.prepare(label_studio=(path,), say=said.append)
    assert prepared.info.classes == ("cat",) and sample(prepared, "b").boxes == (Box(1, 4, 3, 12, 9),)
    reasons = "2 of 4 images are not labelled (1 in no annotation, 1 only regions without a class)"
    assert sample(prepared, "c").tags == () and any(f.what.startswith(reasons) for f in said)


def test_masks_order_and_subsets_of_cvat(images: Folder) -> None:
    top = '<polygon label="cat" points="5,5;9,5;9,9;5,9" z_order="1"/>'
    below = '<polygon label="dog" points="2,2;12,2;12,12;2,12" z_order="0"/>'
    mask = '<mask label="cat" rle="0, 4, 2, 2, 2" left="3" top="2" width="5" height="2" z_order="0"/>'
    text = cvat(
        {"a.jpg": top + below, "b.png": mask, "c.jpg": below + '<points label="dog" points="1,1"/>', "d.jpg": ""}
    )
    for n, subset in enumerate(("Train", "Validation", "Train", "default")):
        text = text.replace(f'<image id="{n}"', f'<image id="{n}" subset="{subset}"')
    path = write(images.path / "x.xml", text)
    said: list[Finding] = []
    prepared = images.prepare(cvat=(path,), masks_from_shapes=True, say=said.append)
    assert pixels(prepared, "a") == {0: 1100, 1: 84, 2: 16} and pixels(prepared, "b") == {0: 1194, 2: 6}
    assert sample(prepared, "b").boxes == (Box(2, 3, 2, 7, 4),)
    assert pixels(prepared, "c") is None
    assert [s.splits for s in prepared.samples] == [("train",), ("val",), ("train",), ()][:3]
    assert any("1 of 4 images are not labelled (1 without an annotation)" in f.what for f in said)
    lone = cvat({"a.jpg": '<mask label="cat" rle="3, 1, 2" left="3" top="2" width="3" height="2"/>'})
    tight = images.prepare(cvat=(write(images.path / "y.xml", lone),))
    assert sample(tight, "a").boxes == (Box(2, 3, 3, 4, 4),)  # of the pixels


POINTS = [1, 1, 11, 1, 11, 11, 1, 11]


@pytest.mark.parametrize(
    "segmentation",
    [
        [POINTS],
        POINTS,
        [[[1, 1], [11, 1], [11, 11], [1, 11]]],
        [[1, 1], [11, 1], [11, 11], [1, 11]],
        [[{"x": 1, "y": 1}, {"x": 11, "y": 1}, {"x": 11, "y": 11}, {"x": 1, "y": 11}]],
        [[], POINTS],
    ],
)
@pytest.mark.parametrize("id", [3, 3.0, "3", "3.0"])
def test_almost_coco(images: Folder, segmentation: Any, id: Any) -> None:
    annotation = {"image_id": str(0), "category_id": id, "iscrowd": 0.0, "segmentation": segmentation}
    path = write_coco(images.path / "c.json", dict.fromkeys(NAMES, ()), annotations=[annotation])
    prepared = images.prepare(coco=(path,), masks_from_shapes=True)
    assert pixels(prepared, "a") == {0: 1100, 1: 100} and sample(prepared, "a").boxes == (Box(1, 1, 1, 11, 11),)


@pytest.mark.parametrize(
    ("marks", "crowd", "ids", "boxes", "says"),
    [
        ((1, 1), "auto", {0, 1}, 1, "2 of 2 objects are marked as crowds (iscrowd 1), as some tools mark every mask"),
        ((1, 0), "auto", {0, 255}, 0, "1 of 2 objects are marked as crowds (iscrowd 1): ignored in the masks"),
        (("1", 1.0), "skip", {0}, 0, "2 of 2 objects are marked as crowds (iscrowd 1): left out of the masks"),
        ((True, 0), "paint", {0, 1}, 1, ""),
        (("0", None), "auto", {0, 1}, 1, ""),
    ],
)
def test_crowds(images: Folder, marks: Any, crowd: str, ids: set[int], boxes: int, says: str) -> None:
    square = {"category_id": 3, "bbox": [1, 1, 10, 10], "segmentation": [POINTS]}
    rows = [{**square, "image_id": n, "iscrowd": mark} for n, mark in enumerate(marks)]
    path = write_coco(images.path / "c.json", dict.fromkeys(NAMES, ()), annotations=rows)
    said: list[Finding] = []
    prepared = images.prepare(coco=(path,), masks_from_shapes=True, crowd=crowd, val=0.5, say=said.append)
    assert set(pixels(prepared, "a") or {}) == ids and len(sample(prepared, "a").boxes) == boxes
    assert sample(prepared, "a").tags == (1,)
    warned = [f.what for f in said if f.level == "warning" and "crowd" in f.what]
    assert len(warned) == bool(says) and all(says in what for what in warned)


def test_boxes_without_area_cost_the_object(images: Folder) -> None:
    rows = [
        {"image_id": 0, "category_id": 3, "bbox": [1, 1, 10, 10]},
        {"image_id": 0, "category_id": 7, "bbox": [3, 3, 5, 0], "segmentation": [[3, 3, 8, 3, 8, 3]]},
        {"image_id": 1, "category_id": 7, "bbox": [3, 3, 0, 0], "segmentation": [POINTS]},
    ]
    path = write_coco(images.path / "c.json", dict.fromkeys(NAMES, ()), annotations=rows)
    said: list[Finding] = []
    prepared = images.prepare(coco=(path,), say=said.append)
    assert sample(prepared, "a").boxes == (Box(1, 1, 1, 11, 11),) and sample(prepared, "a").tags == (1,)
    assert sample(prepared, "b").boxes == (Box(2, 1, 1, 11, 11),)  # of the outline
    assert Finding("warning", "c.json: 1 object(s) have a box without area and are left out") in said


def test_names_as_label_studio_and_the_web_have_them(images: Folder) -> None:
    for n, name in enumerate(("images/1a2b3c4d-a.jpg", "http://host/x/a.jpg?t=1", "/data/local-files/?d=images/a.jpg")):
        tags = {name: ("cat",)}
        prepared = images.prepare(coco=(write_coco(images.path / f"{n}.json", tags),))
        assert tags_of(prepared, images.images)["a.jpg"] == ("cat",)


def yolo(folder: Folder, table: str, **labels: str) -> dict[str, Any]:
    for name, text in labels.items():
        write(folder.path / f"labels/{name}.txt", text)
    return {"yolo": folder.path / "labels", "names": write(folder.path / "data.yaml", f"names: [cat, dog]\n{table}")}


BOX_ROW = "0 0.5 0.5 0.4 0.4"


@pytest.mark.parametrize(
    ("table", "row", "box"),
    [
        ("kpt_shape: [5, 2]", BOX_ROW + " 0.9" * 10, (12, 9, 28, 21)),
        ("kpt_shape: [3, 3]", BOX_ROW + " 0.9 0.9 2" * 3, (12, 9, 28, 21)),
        ("", BOX_ROW + " 0.87", (12, 9, 28, 21)),
        ("", "0 0.2 0.2 1.0021 0.2 0.9 -0.005", (8, 0, 40, 6)),
        ("", "0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5", (4, 3, 36, 27)),
    ],
)
def test_rows_of_yolo(images: Folder, table: str, row: str, box: tuple[int, ...]) -> None:
    prepared = images.prepare(**yolo(images, table, a=row, b=BOX_ROW.replace("0.4 0.4", "0 0.4")))
    assert sample(prepared, "a").boxes == (Box(1, *box),)  # type: ignore[arg-type]
    assert sample(prepared, "b").boxes == ()


@pytest.mark.parametrize(
    "table",
    [
        "path: .\ntrain: [images/x, images/y]\nval: images/z\n",
        "train: ../images/x\nval: [../images/z]\n",
        "train: train.txt\nval: val.txt\n",
    ],
)
def test_splits_of_yolo(folder: Folder, table: str) -> None:
    write_images(folder.images, ("x/a.jpg", "y/b.jpg", "z/c.jpg"))
    write(folder.path / "train.txt", "./images/x/a.jpg\n./images/y/b.jpg\n")
    write(folder.path / "val.txt", "./images/z/c.jpg\n")
    prepared = folder.prepare(**yolo(folder, table, **{"x/a": BOX_ROW, "y/b": BOX_ROW, "z/c": BOX_ROW}))
    splits = {s.id: s.splits for s in prepared.samples}
    assert splits["x__a"] == ("train",) and splits["z__c"] == ("val",)


def labelme(folder: Folder, name: str, *shapes: dict[str, Any], **more: Any) -> None:
    content = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": name, "imageData": None}
    sides = {"imageHeight": H, "imageWidth": W}
    write(folder.images / f"{Path(name).stem}.json", json.dumps({**content, **sides, **more}))


def shape(points: Any, kind: str = "polygon", label: str = "cat", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {"hard": True}, **more}


def test_shapes_of_labelme(images: Folder) -> None:
    png = io.BytesIO()
    Image.fromarray(np.array([[1, 1, 0], [0, 1, 0]], bool)).save(png, "PNG")
    coded = base64.b64encode(png.getvalue()).decode()
    square = [[2, 2], [12, 2], [12, 12], [2, 12]]
    two = [[20, 2], [22, 2], [22, 4], [20, 4]]
    labelme(images, "a.jpg", shape(square, group_id=1), shape(two, group_id=1), flags={"blurred": True})
    labelme(images, "b.png", shape([[9, 8], [3, 2]], "rectangle", "dog"), shape([[5, 5]], "point"))
    labelme(
        images, "c.jpg", shape([[10, 10], [10, 14]], "circle"), shape([[30, 20], [32, 21]], "mask", "dog", mask=coded)
    )
    labelme(images, "d.jpg")
    prepared, said = images.typed("--masks-from-shapes", "--val", 0.5)
    assert "flags of images are no tags, since there are shapes: blurred" in said
    assert "1 images are annotated as holding no class" in said
    assert sample(prepared, "a").boxes == (Box(1, 2, 2, 22, 12),) and pixels(prepared, "a") == {0: 1096, 1: 104}
    assert sample(prepared, "b").boxes == (Box(2, 3, 2, 9, 8),) and sample(prepared, "b").tags == (1, 2)
    assert pixels(prepared, "b") is None and pixels(prepared, "d") == {0: 1200}
    assert sample(prepared, "c").boxes == (Box(1, 6, 6, 14, 14), Box(2, 30, 20, 32, 22))
    assert (pixels(prepared, "c") or {})[2] == 3


def test_flags_of_labelme_classify(images: Folder) -> None:
    for n, name in enumerate(NAMES):
        labelme(images, name, flags={"cat": n % 2 == 0, "dog": n % 2 == 1})
    prepared, _ = images.typed()
    assert tags_of(prepared, images.images) == {n: (("cat", "dog")[k % 2],) for k, n in enumerate(NAMES)}


def via_regions() -> list[dict[str, Any]]:
    square = {"name": "polygon", "all_points_x": [1, 11, 11, 1], "all_points_y": [1, 1, 11, 11]}
    rect = {"name": "rect", "x": 3, "y": 2, "width": 6, "height": 6}
    return [
        {"shape_attributes": square, "region_attributes": {"label": "cat", "colour": "red"}},
        {"shape_attributes": rect, "region_attributes": {"label": {"dog": True, "cat": False}, "colour": "red"}},
    ]


@pytest.mark.parametrize("version", ["json", "1", "project", "csv", "3"])
def test_versions_of_via(images: Folder, version: str) -> None:
    regions = via_regions()
    entries = [
        {"filename": NAMES[n], "size": 9, "regions": regions[n : n + 1], "file_attributes": {}} for n in (0, 1, 2)
    ]
    if version == "csv":
        head = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
        cells = [
            [e["filename"], "9", "{}", "1", "0", json.dumps(r["shape_attributes"]), json.dumps(r["region_attributes"])]
            for e in entries
            for r in e["regions"] or [{"shape_attributes": {}, "region_attributes": {}}]
        ]
        rows = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in cells]
        write(images.path / "via.csv", "\n".join([head, *rows]))
    else:
        content: Any = {f"{e['filename']}9": e for e in entries}
        if version == "1":
            content = {k: {**e, "regions": dict(enumerate(e["regions"]))} for k, e in content.items()}
        elif version == "project":
            content = {"_via_settings": {}, "_via_img_metadata": content, "_via_attributes": {}}
        elif version == "3":
            content = via_3()
        write(images.path / "via.json", json.dumps(content))
    prepared, said = images.typed("--masks-from-shapes", "--val", 0.5)
    assert ("found VIA" in said and "2 without an annotation" in said) or "1 in no annotation" in said
    assert sample(prepared, "a").boxes == (Box(1, 1, 1, 11, 11),) and pixels(prepared, "a") == {0: 1100, 1: 100}
    assert sample(prepared, "b").boxes == (Box(2, 3, 2, 9, 8),) and pixels(prepared, "b") is None
    assert pixels(prepared, "c") is None and sample(prepared, "c").tags == ()


def via_3() -> dict[str, Any]:
    options = {"0": "cat", "1": "dog"}
    xy = ([7, 1, 1, 11, 1, 11, 11, 1, 11], [2, 3, 2, 6, 6])
    return {
        "project": {"pid": "__VIA_PROJECT_ID__", "vid_list": ["1", "2", "3"]},
        "attribute": {"1": {"aname": "label", "options": options}},
        "file": {str(n + 1): {"fid": n + 1, "fname": NAMES[n]} for n in range(3)},
        "view": {str(n + 1): {"fid_list": [n + 1]} for n in range(3)},
        "metadata": {f"{n}_x": {"vid": str(n + 1), "z": [], "xy": xy[n], "av": {"1": str(n)}} for n in range(2)},
    }


def test_outlines_in_xml(images: Folder) -> None:
    square = "<polygon><x1>1</x1><y1>1</y1><x2>11</x2><y2>1</y2><x3>11</x3><y3>11</y3><x4>1</x4><y4>11</y4></polygon>"
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((1, 1), (11, 1), (11, 11), (1, 11)))
    turned = "<robndbox><cx>20</cx><cy>15</cy><w>10</w><h>4</h><angle>1.5707963</angle></robndbox>"
    for name, inner in {"a": square, "b": f"<deleted>0</deleted><polygon>{points}</polygon>", "c": turned}.items():
        write(images.path / f"ann/{name}.xml", f"<annotation><object><name>cat</name>{inner}</object></annotation>")
    prepared = images.prepare(xml=images.path / "ann", masks_from_shapes=True, val=0.5)
    assert pixels(prepared, "a") == pixels(prepared, "b") == {0: 1100, 1: 100}
    assert sample(prepared, "c").boxes == (Box(1, 18, 10, 22, 20),) and pixels(prepared, "c") is None


def test_a_tiff_that_is_turned(folder: Folder) -> None:
    for orientation in range(1, 9):
        path = folder.images / f"{orientation}.tif"
        with Image.open(write_image(folder.images / "x.png")) as image:
            image.save(path, tiffinfo={274: orientation})
        (folder.images / "x.png").unlink()
    write(folder.path / "t.csv", "image,tags\n" + "".join(f"{n}.tif,cat\n" for n in range(1, 9)))
    prepared = folder.prepare(tags=(folder.path / "t.csv",))
    assert [(s.width, s.height) for s in prepared.samples] == [(W, H)] * 4 + [(H, W)] * 4
