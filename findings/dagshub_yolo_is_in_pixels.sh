#!/usr/bin/env bash
# dagshub-annotation-converter 0.3.0, DagsHub's converter of annotations: YOLO written from COCO or CVAT is in pixels, and visible keypoints become hidden.
# One would expect of its readers of COCO and CVAT and its writer of YOLO, which its README lists side by side, the format that the README links, with
# coordinates "normalized" to 0 to 1; and that keypoints which YOLO's files mark with 2, visible, stay so.
# Seen, of 60 random objects in 6 images: from COCO all 60 boxes and all 60 polygons, and from CVAT all 60 and 60, are written in pixels, such as
# "0 40.0 40.0 40.0 20.0", and read again by its own reader all lie outside the image. From YOLO itself and by way of Label Studio all are right, and Label
# Studio's JSON and COCO's are right from each.
# And of 30 poses in YOLO with visible (2), covered (1) and missing (0) keypoints, read and written: all 2 become 0, so what is seen best counts as missing.
# No warning, and its tracker does not name it. (Annotations know whether they are in pixels; of its writers that of YOLO does not ask.)
# Ultralytics takes such boxes for damaged and leaves their images out of the training; keypoints with 0 do not count in its loss.
# `wsss prepare folder --yolo` refuses such boxes.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "dagshub-annotation-converter==0.3.0" "lxml==6.1.3" "numpy==2.4.6" "pandas==3.1.1" \
  "pillow==13.0.0" "pydantic==2.14.4" "pyyaml==6.0.4" "typing-extensions==4.16.0" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import json
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
from dagshub_annotation_converter.converters.coco import export_to_coco_file, load_coco_from_file
from dagshub_annotation_converter.converters.cvat import load_cvat_from_xml_file
from dagshub_annotation_converter.converters.yolo import export_to_fs, load_yolo_from_fs
from dagshub_annotation_converter.formats.label_studio.task import LabelStudioTask
from dagshub_annotation_converter.formats.yolo import YoloContext
from PIL import Image

WIDTH, HEIGHT = 200, 100
NAMES = [f"images/{k}.png" for k in range(6)]
SHAPES = {"bbox": 4, "segmentation": 8}
random = np.random.default_rng(0)
OBJECTS = []
for name in NAMES:
    for _ in range(10):
        left, top = random.integers(2, 150), random.integers(2, 60)
        OBJECTS.append((name, int(left), int(top), int(random.integers(5, 40)), int(random.integers(5, 30))))


def corners(x, y, w, h):
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def expected(kind):
    """By image, the right numbers of YOLO's lines, between 0 and 1."""
    lines = {name: [] for name in NAMES}
    for name, x, y, w, h in OBJECTS:
        if kind == "bbox":
            lines[name].append([(x + w / 2) / WIDTH, (y + h / 2) / HEIGHT, w / WIDTH, h / HEIGHT])
        else:
            lines[name].append([n for a, b in corners(x, y, w, h) for n in (a / WIDTH, b / HEIGHT)])
    return lines


def write_yolo(kind, annotations):
    """The lines that it writes as YOLO, by image, and how many objects its own reader finds inside the image."""
    shutil.rmtree("yolo", ignore_errors=True)
    context = YoloContext(annotation_type=kind, path=Path("data"))
    context.categories.add("cell", 0)
    table = export_to_fs(context, annotations, export_dir="yolo")
    lines = {}
    for name in NAMES:
        text = Path("yolo/data", name.replace("images", "labels")).with_suffix(".txt").read_text()
        lines[name] = [[float(n) for n in line.split()[1:]] for line in text.splitlines()]
        path = Path("yolo/data", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT)).save(path)
    table.write_text(table.read_text().replace(str(Path("data").resolve()), "data"))
    inside = 0
    for found in load_yolo_from_fs(kind, table)[0].values():
        for one in found:
            here = [(one.left, one.top), (one.left + one.width, one.top + one.height)] if kind == "bbox" else [(p.x, p.y) for p in one.points]
            inside += all(-1e-9 <= n <= 1 + 1e-9 for pair in here for n in pair)
    return lines, inside


def coco(kind):
    images = [{"id": k + 1, "file_name": name, "width": WIDTH, "height": HEIGHT} for k, name in enumerate(NAMES)]
    found = []
    for k, (name, x, y, w, h) in enumerate(OBJECTS):
        shape = {"bbox": [x, y, w, h]} if kind == "bbox" else {"segmentation": [[n for pair in corners(x, y, w, h) for n in pair]]}
        found.append({"id": k + 1, "image_id": NAMES.index(name) + 1, "category_id": 1, "area": w * h, "iscrowd": 0} | shape)
    Path("coco.json").write_text(json.dumps({"images": images, "annotations": found, "categories": [{"id": 1, "name": "cell"}]}))
    return [one for found in load_coco_from_file("coco.json")[0].values() for one in found]


def cvat(kind):
    text = "<annotations>"
    for k, name in enumerate(NAMES):
        text += f'<image id="{k}" name="{name}" width="{WIDTH}" height="{HEIGHT}">'
        for _, x, y, w, h in (one for one in OBJECTS if one[0] == name):
            points = ";".join(f"{a},{b}" for a, b in corners(x, y, w, h))
            box = f'<box label="cell" xtl="{x}" ytl="{y}" xbr="{x + w}" ybr="{y + h}" occluded="0"/>'
            text += box if kind == "bbox" else f'<polygon label="cell" points="{points}" occluded="0"/>'
        text += "</image>"
    Path("cvat.xml").write_text(text + "</annotations>")
    return [one for found in load_cvat_from_xml_file("cvat.xml").values() for one in found]


def studio(kind):
    """Those of COCO, by way of Label Studio's JSON."""
    found, given = [], coco(kind)
    for name in NAMES:
        task = LabelStudioTask.from_ir_annotations([one for one in given if one.filename == name])
        again = LabelStudioTask.model_validate_json(task.model_dump_json())
        found += [one.with_filename(name) for one in again.to_ir_annotations()]
    return found


def yolo(kind):
    """Those of right files of YOLO."""
    shutil.rmtree("given", ignore_errors=True)
    for name, lines in expected(kind).items():
        for folder, suffix in (("images", ".png"), ("labels", ".txt")):
            path = Path("given", name.replace("images", folder)).with_suffix(suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            if folder == "images":
                Image.new("RGB", (WIDTH, HEIGHT)).save(path)
            else:
                path.write_text("\n".join(" ".join(map(str, [0, *line])) for line in lines))
    Path("given.yaml").write_text("path: given\nnames: {0: cell}\n")
    return [one for found in load_yolo_from_fs(kind, "given.yaml")[0].values() for one in found]


print("dagshub-annotation-converter", version("dagshub-annotation-converter"))
known = True
for source, right in ((coco, False), (cvat, False), (studio, True), (yolo, True)):
    for kind, count in SHAPES.items():
        annotations, wanted = source(kind), expected(kind)
        lines, inside = write_yolo(kind, annotations)
        pairs = [(a, b) for name in NAMES for a, b in zip(sorted(lines[name]), sorted(wanted[name]))]
        good = sum(len(a) == count and np.allclose(a, b) for a, b in pairs)
        written, scaled = ([line for name in NAMES for line in part[name]] for part in (lines, wanted))
        pixels = sum(np.allclose(a, np.array(b) * ([WIDTH, HEIGHT] * (count // 2))) for a, b in zip(written, scaled))
        export_to_coco_file(annotations, "again.json")
        back = len(json.loads(Path("again.json").read_text())["annotations"])
        print(f"{source.__name__}, {kind}: expected 60 right in YOLO, seen {good}, in pixels {pixels}; read again inside the image {inside}; in COCO {back}")
        known &= (good, inside, back) == ((60, 60, 60) if right else (0, 0, 60)) and pixels == (0 if right else 60)

shutil.rmtree("yolo")
for folder in ("images", "labels"):
    Path("pose", folder).mkdir(parents=True)
marks = random.integers(0, 3, (30, 5)).tolist()
places = random.random((30, 5, 2)).round(3).tolist()
text = [" ".join(map(str, [0, 0.5, 0.5, 1, 1, *[n for p, v in zip(*one) for n in (*p, v)]])) for one in zip(places, marks)]
Image.new("RGB", (WIDTH, HEIGHT)).save("pose/images/a.png")
Path("pose/labels/a.txt").write_text("\n".join(text))
Path("pose.yaml").write_text("path: pose\nnames: {0: cell}\nkpt_shape: [5, 3]\n")
found, context = load_yolo_from_fs("pose", "pose.yaml")
export_to_fs(context, [one for some in found.values() for one in some], export_dir="again")
lines = Path("again/pose/labels/a.txt").read_text().splitlines()
seen = [[int(n) for n in line.split()[7::3]] for line in lines]
changes = {n: sorted({b for one, two in zip(marks, seen) for a, b in zip(one, two) if a == n}) for n in range(3)}
print(f"keypoints of 30 poses, read and written: expected {{0: [0], 1: [1], 2: [2]}}, seen {changes}")
raise SystemExit(not (known and len(seen) == 30 and changes == {0: [0], 1: [1], 2: [0]}))
PYTHON
