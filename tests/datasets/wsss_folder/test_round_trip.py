"""What `wsss export labels` wrote, prepared again: the same label maps, but for what docs/exporting.md says is lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drawn_labels import CLASSES, drawn_source, without_ignored, write_export
from tiny_folder import Folder
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box, Prepared, Sample
from wsss_cli.export.labels import form_of
from wsss_cli.export.source import Source

Places = Callable[[Path], dict[str, Any]]
READERS: dict[str, Places] = {  # the options of `wsss prepare folder` for what was written into a folder
    "png": lambda out: {"masks": out / "labels", "tags_from_masks": True},
    "coco": lambda out: {"coco": (out / "instances_train.json",)},
    "yolo": lambda out: {"yolo": out / "labels", "images": out / "images"},
    "yolo-semantic": lambda out: {"masks": out / "masks", "tags_from_masks": True, "images": out / "images"},
    "cvat": lambda out: {"cvat": (out / "annotations.xml",)},
    "labelme": lambda out: {"labelme": out / "images", "images": out / "images"},
    "geojson": lambda out: {"geojson": out / "geojson"},
    "label-studio": lambda out: {"label_studio": (accepted(out / "tasks.json"),)},
}
MASKS = ("png", "yolo-semantic")  # which are scored on, and keep ignored pixels


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return drawn_source(tmp_path)


def accepted(path: Path) -> Path:
    """The tasks as Label Studio exports them once their predictions were submitted as annotations."""
    tasks = [{**task, "annotations": task.pop("predictions")} for task in json.loads(path.read_text())]
    path.write_text(json.dumps(tasks))
    return path


def again(source: Source, folder: Folder, name: str, shape: Any) -> dict[str, Sample]:
    """The samples prepared from an export, by the ids that they had."""
    out = folder.path / "out"
    write_export(source, out, name, shape=shape)
    options = {"images": source.image_root, "unlabelled": "empty", **READERS[name](out)}
    drawn = {} if name in MASKS else {"masks_from_shapes": shape != "box"}
    prepared: Prepared = folder.prepare(**options, **drawn, classes=",".join(CLASSES), val=0.4)
    assert prepared.info.classes == CLASSES
    of_id = {s.id.replace("__", "/").removeprefix("train/"): s for s in prepared.samples}
    return {s.id: of_id[s.id] for s in source.samples}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *((name, None) for name in MASKS),
        *((name, shape) for name in ("coco", "cvat", "labelme", "label-studio") for shape in ("rle", "polygon")),
        ("yolo", "polygon"),
        ("geojson", "polygon"),
    ],
)
def test_label_maps(source: Source, folder: Folder, name: str, shape: Any) -> None:
    samples = again(source, folder, name, shape)
    for sample in source.samples:
        labels = source.labels(sample) if name in MASKS else without_ignored(source, sample)  # (H, W)
        mask = samples[sample.id].mask
        assert mask is not None and (read_labels(mask) == labels).all()
        assert samples[sample.id].tags == tuple(sorted(set(labels.ravel().tolist()) - {0, 255}))


@pytest.mark.parametrize("name", ["yolo", "cvat", "labelme", "label-studio"])
def test_boxes(source: Source, folder: Folder, name: str) -> None:
    form = form_of(name, "box", None, None)
    samples = again(source, folder, name, "box")
    for sample in source.samples:
        boxes = [Box(piece.label, *piece.box) for piece in source.pieces(sample, form)]
        assert samples[sample.id].boxes == tuple(dict.fromkeys(boxes))
