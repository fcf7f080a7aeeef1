"""An instances JSON of COCO's size read and painted, against pycocotools' own reader and loop.

python -m bench.coco            # 20,000 images
python -m bench.coco 120000     # as COCO 2014, train and val together: about 0.5 GB in a temporary folder
python -m bench.coco 120000 all # the whole of `wsss prepare coco` on it: images of 64 x 48, hard links to a few JPEGs
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.row import Row

ANNOTATIONS = 7.5  # per image; POINTS each: 500 bytes of JSON, as in COCO
POINTS, CATEGORIES = 25, 80
W, H = 640, 480
FEW = 2000  # images that are painted


def main(images: int = 20_000) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances.json"
        write_json(path, images, W, H)
        note = f"{images} images, {round(images * ANNOTATIONS)} annotations, {path.stat().st_size / 1e6:.0f} MB"
        seconds, memory = zip(_measured("index", path), _measured("coco", path), strict=True)
        few = Path(folder) / "few.json"
        write_json(few, FEW, W, H)
        ours, theirs = _measured("paint", few)[0], _measured("loop", few)[0]
    rate = f"{FEW / ours:.0f} images/s on all cores against {FEW / theirs:.0f}; {W} x {H}, {ANNOTATIONS} objects"
    return [
        Row("COCO JSON, seconds", seconds[0], seconds[1], seconds[1] / seconds[0], f"{note}; pycocotools.COCO"),
        Row("COCO JSON, MB of memory", memory[0], memory[1], memory[1] / memory[0], "the same"),
        Row("COCO masks, s", ours, theirs, theirs / ours, f"{rate}; annToMask and Pillow"),
    ]


def write_json(path: Path, images: int, width: int, height: int, names: str = "COCO_{:012}.jpg") -> None:
    """Random star-shaped polygons; the annotations of an image stand far from each other, as in COCO's files."""
    rng = np.random.default_rng(0)
    shapes = [_shape(rng, width, height) for _ in range(1000)]
    with path.open("w") as file:
        categories = ", ".join(f'{{"id": {c}, "name": "class {c}"}}' for c in range(1, CATEGORIES + 1))
        file.write(f'{{"info": {{}}, "categories": [{categories}],\n"images": [')
        for i in range(images):
            name = names.format(i)
            entry = f'{{"file_name": "{name}", "width": {width}, "height": {height}, "id": {i}}}'
            file.write(f"{', ' * (i > 0)}{entry}")
        file.write('],\n"annotations": [')
        for k in range(round(images * ANNOTATIONS)):
            ids = f'"image_id": {k * 7919 % images}, "category_id": {1 + k % CATEGORIES}, "id": {k}, "iscrowd": 0'
            file.write(f"{', ' * (k > 0)}{{{shapes[k % 1000]}, {ids}}}")
        file.write("]}")


def _shape(rng: np.random.Generator, width: int, height: int) -> str:
    """segmentation, area and bbox of a polygon."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, POINTS))
    radius = rng.uniform(0.05, 0.25) * rng.uniform(0.7, 1, POINTS) * min(width, height)
    centre = rng.uniform(0.2, 0.8, 2) * (width, height)
    points = centre + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]  # (POINTS, 2)
    (x, y), (w, h) = points.min(0), np.ptp(points, axis=0)
    polygon = ", ".join(f"{v:.2f}" for v in points.ravel())
    return f'"segmentation": [[{polygon}]], "area": {w * h / 2:.2f}, "bbox": [{x:.2f}, {y:.2f}, {w:.2f}, {h:.2f}]'


def _measured(what: str, path: Path) -> tuple[float, float]:
    """Seconds and MB of memory beyond the imports, in a process of its own."""
    command = [sys.executable, "-m", "bench.coco", what, str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(out[-2]), float(out[-1])


def _run(what: str, path: Path) -> tuple[float, float]:
    from pycocotools.coco import COCO

    from wsss_coco.index import read_index

    before, start = _peak(), time.perf_counter()
    if what == "index":
        read_index(path)
    elif what == "coco":
        COCO(str(path))
    elif what == "paint":
        _paint(path)
    else:
        _loop(path)
    return time.perf_counter() - start, _peak() - before


def _paint(path: Path) -> None:
    from wsss_cli.data.label_format import BYTE
    from wsss_cli.data.picture import Reading
    from wsss_cli.parallel.ordered import ParallelMap
    from wsss_coco.index import read_index
    from wsss_coco.reader import Reader, Task, read

    labels = {c: c for c in range(1, CATEGORIES + 1)}
    reader = Reader(path, path.parent, labels, path.parent / "ours", "order", "skip", BYTE, False, Reading())
    index = read_index(path)
    tasks = [Task(reader, index.spans(i), ()) for i in range(len(index))]
    for _ in ParallelMap(read, tasks, processes=True):
        pass


def _loop(path: Path) -> None:
    from PIL import Image
    from pycocotools.coco import COCO

    coco, folder = COCO(str(path)), path.parent / "theirs"
    folder.mkdir()
    for id, image in coco.imgs.items():
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in coco.imgToAnns[id]:
            mask[coco.annToMask(annotation) > 0] = annotation["category_id"]
        Image.fromarray(mask).save(folder / f"{id}.png")


def _peak() -> float:
    """MB of this process at most; KiB on Linux, bytes on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _whole(images: int) -> None:
    """`wsss prepare coco` from end to end."""
    from PIL import Image

    from wsss_cli.preparation.prepare import prepare
    from wsss_coco import DATASET

    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / "annotations").mkdir()
        for k in range(9):  # a file has at most some 65,000 links
            Image.effect_noise((64, 48), 50).convert("RGB").save(root / f"{k}.jpg")
        for role, n in (("train", images * 2 // 3), ("val", images - images * 2 // 3)):
            names = f"COCO_{role}2014_{{:012}}.jpg"
            write_json(root / f"annotations/instances_{role}2014.json", n, 64, 48, names)
            (root / f"{role}2014").mkdir()
            for i in range(n):
                (root / f"{role}2014" / names.format(i)).hardlink_to(root / f"{i % 9}.jpg")
        start = time.perf_counter()
        prepare(DATASET, DATASET.config_class()(root=root), "coco", root / "data", progress=_tell)
        print(f"{time.perf_counter() - start:.0f} s in all, {_peak():.0f} MB at most")


def _tell(done: int, total: int) -> None:
    """The memory at every tenth."""
    if done % (total // 10) == 0:
        print(f"{done} images: {_peak():.0f} MB at most", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [images, "all"]:
            _whole(int(images))
        case [what, path]:
            print(*_run(what, Path(path)))
        case images:
            print(*main(*map(int, images)), sep="\n")
