"""Small folders of images in the layouts that people have, for tests to use and to spoil."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from prepared_data import prepare
from processes import Result, Wsss
from wsss_cli.checks.dataset import Finding
from wsss_cli.data.prepared import Prepared, Sample, read_prepared
from wsss_folder import DATASET

SIZE = (40, 30)  # width, height
BOX = (5, 4, 25, 16)  # x0, y0, x1, y1 of the object in every image, half-open

# tags of ten images: nested, with spaces, and not in ASCII
TAGS = {
    "a.jpg": ("cat",),
    "b.png": ("dog",),
    "slide 1/é_01.jpg": ("cat", "dog"),
    "slide 1/é_02.jpg": ("cat",),
    "slide 2/図.png": ("dog",),
    "slide 2/x.y.jpeg": ("cat",),
    "slide 2/deep/ß.bmp": ("dog",),
    "slide 3/z.webp": ("cat", "dog"),
    "slide 3/w.tif": (),
    "slide 3/w2.gif": ("dog",),
}


class Folder:
    """A data set being prepared in `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.images = path / "images"
        self.command = Wsss(path, ())

    def typed(self, *words: object) -> tuple[Prepared, str]:
        """The data set and what was said by `wsss prepare folder --images images ...`."""
        done = self.wsss(*words)
        assert done.code == 0, done.text
        return read_prepared(self.path / "data/folder"), " ".join(done.text.split())

    def wsss(self, *words: object) -> Result:
        return self.command("prepare", "folder", "--images", "images", *words)

    def prepare(
        self,
        skip_bad: bool = False,
        say: Callable[[Finding], None] | None = None,
        long_side: int | None = None,
        **options: Any,
    ) -> Prepared:
        """The same without a process."""
        config = DATASET.config_class()(**{"images": self.images, **options})
        how = {"force": True, "skip_bad": skip_bad, "say": say, "long_side": long_side}
        return prepare(DATASET, config, "folder", self.path / "data", **how)


def tags_of(prepared: Prepared, root: Path) -> dict[str, tuple[str, ...]]:
    """Names of the classes of each image, sorted, by its path below root."""
    classes = prepared.info.classes
    names = {s: unicodedata.normalize("NFC", s.image.relative_to(root).as_posix()) for s in prepared.samples}
    return {names[s]: tuple(sorted(classes[tag - 1] for tag in s.tags)) for s in prepared.samples}


def sample(prepared: Prepared, id: str) -> Sample:
    return next(s for s in prepared.samples if s.id == id)


def write_image(path: Path, size: tuple[int, int] = SIZE, seed: int = 0) -> Path:
    """Noise with a brighter box; no two names give the same pixels."""
    rng = np.random.default_rng([seed, *path.name.encode()])
    pixels = rng.integers(0, 100, (size[1], size[0], 3)).astype(np.uint8)
    pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] += 120
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_images(root: Path, names: Iterable[str] = TAGS) -> Path:
    for name in names:
        write_image(root / name)
    return root


def write_csv(path: Path, tags: Mapping[str, Sequence[str]] = TAGS, separator: str = ";") -> Path:
    rows = [f'"{name}","{separator.join(names)}"' for name, names in tags.items()]
    return write(path, "\n".join(["image,tags", *rows]))


def write_coco(path: Path, tags: Mapping[str, Sequence[str]] = TAGS, **more: Any) -> Path:
    """An instances JSON with one polygon for each tag, its categories in the order dog, cat."""
    x0, y0, x1, y1 = BOX
    categories = {"dog": 3, "cat": 7}
    annotations = [
        {
            "image_id": n,
            "category_id": categories[name],
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]],
        }
        for n, names in enumerate(tags.values())
        for name in names
    ]
    content = {
        "images": [{"id": n, "file_name": name, "width": SIZE[0], "height": SIZE[1]} for n, name in enumerate(tags)],
        "annotations": [{"id": n, **annotation} for n, annotation in enumerate(annotations)],
        "categories": [{"id": id, "name": name} for name, id in reversed(categories.items())],
    }
    return write(path, json.dumps({**content, **more}))


def yolo_line(number: int, box: tuple[int, int, int, int] = BOX) -> str:
    (x0, y0, x1, y1), (w, h) = box, SIZE
    return f"{number} {(x0 + x1) / 2 / w:.6f} {(y0 + y1) / 2 / h:.6f} {(x1 - x0) / w:.6f} {(y1 - y0) / h:.6f}"


def write_yolo(folder: Path, tags: Mapping[str, Sequence[str]] = TAGS) -> Path:
    """A .txt per image; class numbers are those of dog, cat."""
    for name, names in tags.items():
        lines = [yolo_line(("dog", "cat").index(tag)) for tag in names]
        write((folder / name).with_suffix(".txt"), "\n".join(lines))
    return folder


def pascal(name: str, objects: Iterable[tuple[str, Sequence[object]]], size: tuple[int, int] = SIZE) -> str:
    corners = ("xmin", "ymin", "xmax", "ymax")
    rows = [
        f"<object><name>{tag}</name><bndbox>"
        + "".join(f"<{c}>{v}</{c}>" for c, v in zip(corners, box, strict=True))
        + "</bndbox></object>"
        for tag, box in objects
    ]
    head = f"<filename>{name}</filename><size><width>{size[0]}</width><height>{size[1]}</height></size>"
    return f"<annotation>{head}{''.join(rows)}</annotation>"


def write_pascal(folder: Path, tags: Mapping[str, Sequence[str]] = TAGS) -> Path:
    x0, y0, x1, y1 = BOX
    for name, names in tags.items():
        text = pascal(Path(name).name, [(tag, (x0 + 1, y0 + 1, x1, y1)) for tag in names])
        write((folder / name).with_suffix(".xml"), text)
    return folder


def write_label_studio(path: Path, tags: Mapping[str, Sequence[str]] = TAGS) -> Path:
    """An export of uploaded files: a prefix, spaces as underscores, one rectangle per tag and a choice."""
    (x0, y0, x1, y1), (w, h) = BOX, SIZE
    value = {"x": x0 / w * 100, "y": y0 / h * 100, "width": (x1 - x0) / w * 100, "height": (y1 - y0) / h * 100}
    tasks = []
    for n, (name, names) in enumerate(tags.items()):
        results: list[dict[str, Any]] = [
            {
                "type": "rectanglelabels",
                "original_width": w,
                "original_height": h,
                "value": {**value, "rotation": 0, "rectanglelabels": [tag]},
            }
            for tag in names
        ]
        results.append({"type": "textarea", "value": {"text": ["checked"]}})
        upload = f"{n:08x}-{Path(name).name.replace(' ', '_')}"
        dropped = {"was_cancelled": True, "result": [{"type": "choices", "value": {"choices": ["blurred"]}}]}
        tasks.append(
            {
                "id": n + 1,
                "file_upload": upload,
                "data": {"image": f"/data/upload/1/{upload}"},
                "annotations": [{"result": results}, dropped],
            }
        )
    return write(path, json.dumps(tasks, ensure_ascii=False))


def cvat(images: Mapping[str, str], labels: Sequence[str] = ("dog", "cat"), size: tuple[int, int] = SIZE) -> str:
    """An export of CVAT with the given elements in each image."""
    names = "".join(f"<label><name>{name}</name></label>" for name in labels)
    rows = "".join(
        f'<image id="{n}" name="{name}" width="{size[0]}" height="{size[1]}">{inner}</image>'
        for n, (name, inner) in enumerate(images.items())
    )
    return f"<annotations><version>1.1</version><meta><job><labels>{names}</labels></job></meta>{rows}</annotations>"


def write_cvat(path: Path, tags: Mapping[str, Sequence[str]] = TAGS) -> Path:
    """Boxes for cats, polygons for dogs."""
    x0, y0, x1, y1 = BOX
    shapes = {
        "cat": f'<box label="cat" xtl="{x0}" ytl="{y0}" xbr="{x1}" ybr="{y1}"/>',
        "dog": f'<polygon label="dog" points="{x0}.0,{y0};{x1},{y0};{x1},{y1};{x0},{y1}"/>',
    }
    return write(path, cvat({name: "".join(shapes[tag] for tag in names) for name, names in tags.items()}))


def write_mask(path: Path, inside: object = 1, outside: object = 0, size: tuple[int, int] = SIZE) -> Path:
    """A mask whose box holds `inside`: grey for a number, RGB for three."""
    shape = (size[1], size[0], *np.shape(inside))
    values = np.broadcast_to(np.asarray(outside, np.uint8), shape).copy()
    values[BOX[1] : BOX[3], BOX[0] : BOX[2]] = inside
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
