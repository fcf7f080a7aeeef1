"""Every layout of annotations that `wsss prepare` reads, small, and ways to spoil one: other types, damage."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tiny_folder
from tiny_coco import tiny_coco
from tiny_voc import CLASSES, tiny_voc

Words = tuple[object, ...]
Layout = Callable[[Path, Path], tuple[Path, Words]]
"""Write it below a folder, for the images in another; returns what to spoil, and what names it to `prepare folder`."""

WRONG: tuple[Any, ...] = (
    None,
    5,
    -1,
    1e308,
    float("nan"),
    "x",
    "",
    [],
    {},
    [[]],
    True,
    "\0",
    "a" * 5000,
    "../x",
    2**70,
)
TWO = ("a.jpg", "b.png", "slide 1/c_01.png")
TAGGED = dict(zip(TWO, (("cat",), ("dog",), ("cat", "dog"))))


def csv(root: Path, images: Path) -> tuple[Path, Words]:
    path = tiny_folder.write_csv(root / "tags.csv", TAGGED)
    return path, ("--tags", path)


def columns(root: Path, images: Path) -> tuple[Path, Words]:
    rows = [f"{name},{int('cat' in tags)},{int('dog' in tags)}" for name, tags in TAGGED.items()]
    path = tiny_folder.write(root / "columns.csv", "\n".join(["image,cat,dog", *rows]))
    return path, ("--tags", path)


def npy(root: Path, images: Path) -> tuple[Path, Words]:
    path = root / "tags.npy"
    vectors = {Path(name).stem: np.float32([c in tags for c in ("cat", "dog")]) for name, tags in TAGGED.items()}
    np.save(path, vectors, allow_pickle=True)  # type: ignore[arg-type]  # numpy pickles the dict
    return path, ("--tags", path, "--classes", "cat,dog")


def voc_lists(root: Path, images: Path) -> tuple[Path, Words]:
    for name in ("cat", "dog"):
        lines = [f"{Path(image).stem} {1 if name in tags else -1:2}" for image, tags in TAGGED.items()]
        tiny_folder.write(root / "main" / f"{name}_train.txt", "\n".join(lines) + "\n")
    return root / "main", ("--tags", root / "main")


def class_folders(root: Path, images: Path) -> tuple[Path, Words]:
    folder = tiny_folder.write_images(root / "classes", [f"{c}/{n}.png" for c in ("cat", "dog") for n in range(3)])
    return folder, ("--images", folder, "--class-folders")


def defects(root: Path, images: Path) -> tuple[Path, Words]:
    folder = tiny_folder.write_images(root / "mvtec", [f"{c}/{n}.png" for c in ("good", "scratch") for n in range(3)])
    return folder, ("--images", folder, "--defects", "kinds")


def coco(root: Path, images: Path) -> tuple[Path, Words]:
    path = tiny_folder.write_coco(root / "coco.json", TAGGED)
    return path, ("--coco", path, "--masks-from-shapes")


def yolo(root: Path, images: Path) -> tuple[Path, Words]:
    tiny_folder.write(root / "yolo/data.yaml", "path: .\ntrain: a.txt\nnc: 2\nnames: [dog, cat]\n")
    return tiny_folder.write_yolo(root / "yolo", TAGGED), ("--yolo", root / "yolo")


def xml(root: Path, images: Path) -> tuple[Path, Words]:
    return tiny_folder.write_pascal(root / "xml", TAGGED), ("--xml", root / "xml")


def label_studio(root: Path, images: Path) -> tuple[Path, Words]:
    path = tiny_folder.write_label_studio(root / "ls.json", TAGGED)
    return path, ("--label-studio", path)


def label_studio_min(root: Path, images: Path) -> tuple[Path, Words]:
    boxes = [{"x": 12.5, "y": 13.3, "width": 50, "height": 40, "rotation": 0, "rectanglelabels": ["cat"]}]
    last = {"annotator": 1, "annotation_id": 7, "created_at": "2024", "updated_at": "2024", "lead_time": 1.5}
    rows = [{"image": f"/data/upload/1/0000-{name}", "id": n, "label": boxes, **last} for n, name in enumerate(TWO)]
    path = tiny_folder.write(root / "min.json", json.dumps(rows))
    return path, ("--label-studio", path)


def cvat(root: Path, images: Path) -> tuple[Path, Words]:
    path = tiny_folder.write_cvat(root / "cvat.xml", TAGGED)
    return path, ("--cvat", path)


def labelme(root: Path, images: Path) -> tuple[Path, Words]:
    shape = {"label": "cat", "points": [[5, 4], [25, 16]], "shape_type": "rectangle", "flags": {}, "group_id": None}
    for name in TWO:
        head = {"imagePath": name, "imageWidth": 40, "imageHeight": 30, "imageData": None, "flags": {}}
        tiny_folder.write((root / "labelme" / name).with_suffix(".json"), json.dumps(head | {"shapes": [shape]}))
    return root / "labelme", ("--labelme", root / "labelme")


def via(root: Path, images: Path) -> tuple[Path, Words]:
    shape = {"name": "rect", "x": 5, "y": 4, "width": 20, "height": 12}
    region = {"shape_attributes": shape, "region_attributes": {"kind": "cat"}}
    rows = {name: {"filename": name, "size": 9, "regions": [region], "file_attributes": {}} for name in TWO}
    path = tiny_folder.write(root / "via.json", json.dumps(rows))
    return path, ("--via", path, "--via-attribute", "kind")


def via_csv(root: Path, images: Path) -> tuple[Path, Words]:
    shape = '"{""name"":""rect"",""x"":5,""y"":4,""width"":20,""height"":12}"'
    rows = [f'{name},9,"{{}}",1,0,{shape},"{{""kind"":""cat""}}"' for name in TWO]
    head = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    path = tiny_folder.write(root / "via.csv", "\n".join([head, *rows]))
    return path, ("--via", path, "--via-attribute", "kind")


def masks(root: Path, images: Path) -> tuple[Path, Words]:
    for name in TWO:
        tiny_folder.write_mask((root / "masks" / name).with_suffix(".png"))
    return root / "masks", ("--masks", root / "masks", "--tags-from-masks", "--mask-values", "0=background,1=cat")


def mask_values(root: Path, images: Path) -> tuple[Path, Words]:
    _, words = masks(root, images)
    path = tiny_folder.write(root / "values.txt", "0=background\n1=cat\n")
    return path, (*words[:-1], path)


def split_lists(root: Path, images: Path) -> tuple[Path, Words]:
    for split, name in zip(("train", "val"), TWO):
        tiny_folder.write(root / "lists" / f"{split}.txt", f"{name}\n")
    lists = [word for split in ("train", "val") for word in ("--split-file", root / "lists" / f"{split}.txt")]
    return root / "lists", (*csv(root, images)[1], *lists)


def pictures(root: Path, images: Path) -> tuple[Path, Words]:
    return images, csv(root, images)[1]


FOLDER: tuple[Layout, ...] = (
    csv,
    columns,
    npy,
    voc_lists,
    class_folders,
    defects,
    coco,
    yolo,
    xml,
    label_studio,
    label_studio_min,
    cvat,
    labelme,
    via,
    via_csv,
    masks,
    mask_values,
    split_lists,
    pictures,
)


def of_folder(layout: Layout, root: Path) -> tuple[Path, Words]:
    images = tiny_folder.write_images(root / "images", TWO)
    path, words = layout(root, images)
    return path, ("prepare", "folder", *(() if "--images" in words else ("--images", images)), *words)


def data_set_coco(root: Path) -> tuple[Path, Words]:
    return tiny_coco(root / "coco") / "annotations", ("prepare", "coco", "--root", root / "coco")


def data_set_voc(root: Path) -> tuple[Path, Words]:
    return tiny_voc(root), ("prepare", "voc", "--root", root / "VOCdevkit")


def data_set_voc_tags(root: Path) -> tuple[Path, Words]:
    devkit, path = tiny_voc(root), root / "tags.npy"
    vectors = {f"img_{n}": np.eye(20, dtype=np.float32)[list(CLASSES.values())[n % 3] - 1] for n in range(6)}
    np.save(path, vectors, allow_pickle=True)  # type: ignore[arg-type]
    return path, ("prepare", "voc", "--root", devkit, "--tags", path)


IMPORTERS: dict[str, Callable[[Path], tuple[Path, Words]]] = {
    **{f.__name__.replace("_", " "): lambda root, f=f: of_folder(f, root) for f in FOLDER},  # type: ignore[misc]
    "prepare coco": data_set_coco,
    "prepare voc": data_set_voc,
    "prepare voc --tags": data_set_voc_tags,
}
"""By name: write(root) leaves one there and returns what to spoil and the words of the command."""


def retyped(rng: random.Random, path: Path) -> str:
    """Give one value in a file another type; returns what was done, "" of a file that holds no values."""
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        told = change(rng, content)
        path.write_text(json.dumps(content))
        return told
    if path.suffix == ".npy":
        return _retyped_npy(rng, path)
    if path.suffix in (".png", ".jpg"):
        return _another_picture(rng, path)
    if path.suffix in (".csv", ".txt", ".xml", ".yaml"):
        return _retyped_text(rng, path)
    return ""


def change(rng: random.Random, content: Any) -> str:
    """Put a wrong value at any place of plain data; returns what was done."""
    if not (places := list(leaves(content))):
        return ""
    holder, key = rng.choice(places)
    holder[key] = rng.choice(WRONG)
    return f"{key} = {holder[key]!r:.40}"


def leaves(content: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of every value, at any depth."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in list(pairs):
        yield content, key
        yield from leaves(value)


def _retyped_npy(rng: random.Random, path: Path) -> str:
    held: dict[Any, Any] = np.load(path, allow_pickle=True).item()
    key, value = rng.choice(list(held)), rng.choice((*WRONG, np.zeros((2, 2)), np.array(["a"])))
    held[key] = value
    np.save(path, rng.choice((held, [held], value)), allow_pickle=True)  # type: ignore[arg-type]
    return f"{key} = {value!r:.40}"


def _retyped_text(rng: random.Random, path: Path) -> str:
    """One word or number of a text."""
    text = path.read_text(encoding="utf-8")
    if not (words := list(re.finditer(r"[\w.-]+", text))):
        return ""
    word, wrong = rng.choice(words), str(rng.choice(WRONG))
    path.write_text(text[: word.start()] + wrong + text[word.end() :], encoding="utf-8")
    return f"{word[0]:.40} -> {wrong!r:.40}"


def _another_picture(rng: random.Random, path: Path) -> str:
    """Of another size, mode or depth, or of other values."""
    size = rng.choice(((40, 30), (80, 60), (1, 1)))
    mode, value = rng.choice(
        (("L", 255), ("L", 7), ("RGB", (1, 2, 3)), ("RGBA", (1, 1, 1, 0)), ("I;16", 300), ("1", 1))
    )
    Image.new(mode, size, value).save(path.with_suffix(".png"))  # type: ignore[arg-type]
    path.with_suffix(".png").replace(path)
    return f"{mode} {size} {value}"


def files_below(path: Path) -> Sequence[Path]:
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
