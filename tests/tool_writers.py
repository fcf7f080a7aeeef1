"""Annotation tools write the scene of tool_files.py: `python tests/tool_writers.py` in the venv of `make interop`.

What they write of times and of their own ids differs from run to run.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tool_files import CLASSES, FILES, HEIGHT, WIDTH, objects, scene, write_images


def supervision(out: Path, images: Path) -> None:
    import supervision as sv

    found = {}
    for name, labels in scene().items():
        ids, masks = map(np.array, zip(*objects(labels)))
        found[str(images / f"{name}.png")] = sv.Detections(
            sv.mask_to_xyxy(masks).astype(float), masks, class_id=ids - 1
        )
    data = sv.DetectionDataset(list(CLASSES), list(found), found)
    data.as_coco(annotations_path=str(out / "coco.json"))
    data.as_yolo(annotations_directory_path=str(out / "yolo/labels"), data_yaml_path=str(out / "yolo/data.yaml"))
    data.as_pascal_voc(annotations_directory_path=str(out / "voc"))


def datumaro(out: Path, images: Path) -> None:
    import datumaro as dm
    from datumaro.components.annotation import Bbox, Mask
    from datumaro.components.media import Image

    def items(boxes: bool) -> list[dm.DatasetItem]:
        found = []
        for name, labels in scene().items():
            drawn = [
                Mask(mask.astype(np.uint8), label=c - 1, id=n, group=n)
                for n, (c, mask) in enumerate(objects(labels), 1)
            ]
            if boxes:
                drawn = [Bbox(*mask.get_bbox(), label=mask.label) for mask in drawn]
            media = Image.from_file(path=str(images / f"{name}.png"))
            found.append(dm.DatasetItem(name, subset="train", media=media, annotations=drawn))
        return found

    def write(format: str, boxes: bool = False) -> Path:
        data = dm.Dataset.from_iterable(items(boxes), categories=list(CLASSES), media_type=Image)
        data.export(str(out / format), format, save_media=False)
        return out / format

    (write("coco_instances") / "annotations/instances_train.json").rename(out / "coco.json")
    (write("cvat") / "train.xml").rename(out / "cvat.xml")
    write("voc_segmentation").rename(out / "voc")
    write("label_me", boxes=True).rename(out / "label_me_xml")
    write("yolo", boxes=True)
    for left in ("coco_instances", "cvat"):
        shutil.rmtree(out / left)


def labelme(out: Path, images: Path) -> None:
    from labelme._label_file import write_label_file
    from labelme.utils import img_arr_to_b64

    for name, labels in scene().items():
        shapes = []
        for label, mask in objects(labels):
            y, x = np.nonzero(mask)
            box = [[float(x.min()), float(y.min())], [float(x.max()), float(y.max())]]
            inside = mask[y.min() : y.max() + 1, x.min() : x.max() + 1].astype(np.uint8)
            head = {"label": CLASSES[label - 1], "group_id": None, "description": "", "flags": {}}
            shapes.append({**head, "shape_type": "mask", "points": box, "mask": img_arr_to_b64(inside)})
        path = {"image_path": f"{name}.png", "image_height": HEIGHT, "image_width": WIDTH}
        write_label_file(str(out / f"{name}.json"), shapes=shapes, flags={}, **path)


def label_studio(out: Path, images: Path) -> None:
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.converter.brush import mask2rle

    def region(number: int, label: int, mask: np.ndarray, kind: str) -> dict[str, Any]:
        y, x = np.nonzero(mask)
        x0, y0, x1, y1 = x.min() / WIDTH, y.min() / HEIGHT, (x.max() + 1) / WIDTH, (y.max() + 1) / HEIGHT
        corners = [[100 * a, 100 * b] for a, b in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
        value = {
            "brushlabels": {"format": "rle", "rle": mask2rle(mask.astype(np.uint8) * 255)},
            "polygonlabels": {"points": corners, "closed": True},
        }[kind]
        size = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
        names = {"from_name": "label", "to_name": "image", "type": kind, "id": f"r{number}"}
        return {**names, **size, "value": {**value, kind: [CLASSES[label - 1]]}}

    def tasks(kind: str) -> Path:
        rows = [
            {
                "id": n,
                "data": {"image": f"/data/upload/1/1a2b3c4d-{name}.png"},
                "annotations": [
                    {"id": n, "result": [region(i, c, m, kind) for i, (c, m) in enumerate(objects(labels))]}
                ],
            }
            for n, (name, labels) in enumerate(scene().items(), 1)
        ]
        path = out / f"{kind}.json"
        path.write_text(json.dumps(rows))
        return path

    def converter(tag: str) -> Converter:
        labels = "".join(f'<Label value="{name}"/>' for name in CLASSES)
        config = f'<View><Image name="image" value="$image"/><{tag} name="label" toName="image">{labels}</{tag}></View>'
        return Converter(config, str(out), download_resources=False)

    brushes, polygons = tasks("brushlabels"), tasks("polygonlabels")
    converter("BrushLabels").convert_to_json_min(str(brushes), str(out / "min"), is_dir=False)
    converter("PolygonLabels").convert_to_coco(str(polygons), str(out / "coco"), is_dir=False)
    converter("PolygonLabels").convert_to_yolo(str(polygons), str(out / "yolo"), is_dir=False)


def labelformat(out: Path, images: Path) -> None:
    from labelformat.formats.coco import COCOInstanceSegmentationOutput
    from labelformat.formats.semantic_segmentation.pascalvoc import PascalVOCSemanticSegmentationOutput
    from labelformat.formats.yolov8 import YOLOv8InstanceSegmentationOutput
    from labelformat.model.binary_mask_segmentation import BinaryMaskSegmentation
    from labelformat.model.bounding_box import BoundingBox
    from labelformat.model.category import Category
    from labelformat.model.image import Image
    from labelformat.model.instance_segmentation import ImageInstanceSegmentation, SingleInstanceSegmentation
    from labelformat.model.multipolygon import MultiPolygon

    categories = [Category(n, name) for n, name in enumerate(CLASSES, 1)]  # of 0 its VOC masks make background
    pictures = [Image(n, f"{name}.png", WIDTH, HEIGHT) for n, name in enumerate(scene())]

    class Scene:
        def __init__(self, polygons: bool) -> None:
            self.polygons = polygons

        def get_categories(self) -> list[Category]:
            return categories

        def get_images(self) -> list[Image]:
            return pictures

        def get_labels(self) -> list[ImageInstanceSegmentation]:
            return [ImageInstanceSegmentation(p, self.things(labels)) for p, labels in zip(pictures, scene().values())]

        def things(self, labels: np.ndarray) -> list[SingleInstanceSegmentation]:
            return [SingleInstanceSegmentation(categories[c - 1], self.shape(mask)) for c, mask in objects(labels)]

        def shape(self, mask: np.ndarray) -> BinaryMaskSegmentation | MultiPolygon:
            y, x = np.nonzero(mask)
            box = BoundingBox(float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
            if not self.polygons:
                return BinaryMaskSegmentation.from_binary_mask(mask.astype(np.uint8), box)
            return MultiPolygon(
                [[(box.xmin, box.ymin), (box.xmax, box.ymin), (box.xmax, box.ymax), (box.xmin, box.ymax)]]
            )

    COCOInstanceSegmentationOutput(out / "coco.json").save(Scene(False))
    PascalVOCSemanticSegmentationOutput(out / "voc").save(Scene(False))
    YOLOv8InstanceSegmentationOutput(out / "yolo/data.yaml", "train").save(Scene(True))


def pylabel(out: Path, images: Path) -> None:
    """From the XML that supervision wrote, with boxes of its inclusive corners."""
    from pylabel import importer

    data = importer.ImportVOC(str(FILES / "supervision/voc"), path_to_images=str(images.absolute()))
    data.path_to_annotations = str(out)
    data.export.ExportToCoco(str(out / "coco.json"))
    data.export.ExportToYoloV5(str(out / "yolo/labels"), use_splits=False)
    (out / "yolo/dataset.yaml").write_text("names:\n- cat\n- dog\n")  # its paths are absolute
    whole = (out / "coco.json").read_text()
    (out / "coco.json").write_text(whole.replace(str(images.absolute()), "pictures"))


WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "datumaro": datumaro,
    "label_studio": label_studio,
    "labelformat": labelformat,
    "labelme": labelme,
    "supervision": supervision,
    "pylabel": pylabel,
}


def write_all(root: Path, images: Path) -> None:
    """A folder for each tool in `root`, of the pictures in `images`."""
    write_images(images)
    for name, write in WRITERS.items():
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
        write(root / name, images)


if __name__ == "__main__":
    write_all(FILES, Path("pictures"))  # a path that says nothing of this machine
    shutil.rmtree("pictures")
