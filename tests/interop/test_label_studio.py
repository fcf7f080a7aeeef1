"""Label Studio's own checks, decoder and converters."""

import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from pycocotools import mask as rle

from drawn_labels import without_ignored, write_export
from wsss_cli.export.source import Source


@pytest.mark.parametrize("shape", ["rle", "polygon", "box"])
def test_predictions_are_valid(source: Source, tmp_path: Path, shape: str) -> None:
    from label_studio_sdk.label_interface import LabelInterface

    out = write_export(source, tmp_path / "out", "label-studio", shape=shape)
    interface = LabelInterface((out / "label_config.xml").read_text())
    for task in json.loads((out / "tasks.json").read_text()):
        assert interface.validate_prediction(task["predictions"][0])


@pytest.mark.parametrize("package", ["label_studio_sdk.converter", "label_studio_converter"])
def test_brushes(source: Source, tmp_path: Path, package: str) -> None:
    decode = pytest.importorskip(f"{package}.brush").decode_rle
    out = write_export(source, tmp_path / "out", "label-studio")
    for sample, task in zip(source.samples, json.loads((out / "tasks.json").read_text()), strict=True):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for result in task["predictions"][0]["result"]:
            mask = decode(result["value"]["rle"]).reshape(*again.shape, 4)[..., 3] > 0
            again[mask] = source.data.info.classes.index(result["value"]["brushlabels"][0]) + 1
        assert (again == without_ignored(source, sample)).all()


def require_polygons(source: Source, results: list[list[dict]], kind: str) -> None:
    """Regions of polygons in percent, drawn by pycocotools, are the label maps."""
    for sample, regions in zip(source.samples, results, strict=True):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for region in regions:
            points = np.array(region["value"]["points"]) * (sample.width, sample.height) / 100
            mask = rle.decode(rle.merge(rle.frPyObjects([points.ravel().tolist()], sample.height, sample.width)))
            again[mask > 0] = source.data.info.classes.index(region["value"][kind][0]) + 1
        assert (again == without_ignored(source, sample)).all()


def test_coco_to_label_studio(source: Source, tmp_path: Path) -> None:
    """Its importer of COCO takes the polygons; of compressed run lengths it makes none."""
    from label_studio_sdk.converter.imports.coco import convert_coco_to_ls

    out = write_export(source, tmp_path / "out", "coco", shape="polygon")
    convert_coco_to_ls(str(out / "instances_train.json"), str(tmp_path / "tasks.json"))
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    names = [unquote(task["data"]["image"].partition("?d=")[2]) for task in tasks]
    assert names == [source.image_name(sample) for sample in source.samples]
    results = [task["annotations"][0]["result"] for task in tasks]
    require_polygons(source, [[r for r in rows if r["type"] == "polygonlabels"] for rows in results], "polygonlabels")


def test_tasks_to_coco(source: Source, tmp_path: Path) -> None:
    """Its converter makes COCO of the tasks, once their predictions are annotations: pycocotools draws the same."""
    from label_studio_sdk.converter import Converter
    from pycocotools.coco import COCO

    out = write_export(source, tmp_path / "out", "label-studio", shape="polygon")
    tasks = json.loads((out / "tasks.json").read_text())
    rows = [{**t, "id": n, "annotations": [{"id": n, **t.pop("predictions")[0]}]} for n, t in enumerate(tasks)]
    (tmp_path / "done.json").write_text(json.dumps(rows))
    converter = Converter((out / "label_config.xml").read_text(), str(tmp_path), download_resources=False)
    converter.convert_to_coco(str(tmp_path / "done.json"), str(tmp_path / "coco"), is_dir=False)
    coco = COCO(str(tmp_path / "coco/result.json"))
    names = {c["id"]: c["name"] for c in coco.dataset["categories"]}
    for n, sample in enumerate(source.samples):
        again = np.zeros((sample.height, sample.width), np.uint8)
        for row in coco.loadAnns(coco.getAnnIds(n)):
            again[coco.annToMask(row) > 0] = source.data.info.classes.index(names[row["category_id"]]) + 1
        assert (again == without_ignored(source, sample)).all()
