"""Trees of folders that say what the images are: Roboflow's splits."""

import json
from pathlib import Path
from typing import Any

import pytest

from tiny_folder import SIZE, Folder, tags_of, write, write_images
from wsss_folder.coco_json import read_coco

SPLITS = {"train": ("0.jpg", "1.jpg", "2.jpg"), "valid": ("0.jpg", "1.jpg")}
EXPECTED = {
    "train/0.jpg": ("cat",),
    "train/1.jpg": ("dog",),
    "train/2.jpg": ("cat",),
    "valid/0.jpg": ("dog",),
    "valid/1.jpg": ("cat",),
}


def roboflow_json(names: tuple[str, ...], first: int) -> str:
    """Cats and dogs in turn, below a root category that is no class."""
    sizes = {"width": SIZE[0], "height": SIZE[1]}
    above: dict[str, Any] = {"supercategory": "objects"}
    content = {
        "images": [{"id": n, "file_name": name, **sizes} for n, name in enumerate(names)],
        "categories": [
            {"id": 0, "name": "objects", "supercategory": "none"},
            {"id": 1, "name": "cat", **above},
            {"id": 2, "name": "dog", **above},
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1 + (n + first) % 2, "bbox": [5, 4, 20, 12]}
            for n in range(len(names))
        ],
    }
    return json.dumps(content)


def write_roboflow(root: Path, kind: str) -> None:
    for first, (split, names) in enumerate(SPLITS.items()):
        write_images(root / split, names)
        if kind == "coco":
            write(root / split / "_annotations.coco.json", roboflow_json(names, first))
        else:
            rows = [f"{name}, {(n + first + 1) % 2}, {(n + first) % 2}" for n, name in enumerate(names)]
            write(root / split / "_classes.csv", "\n".join(["filename, cat, dog", *rows]))


@pytest.mark.parametrize("kind", ["coco", "classes"])
def test_names_that_are_in_train_and_in_valid(folder: Folder, kind: str) -> None:
    write_roboflow(folder.images, kind)
    prepared = folder.prepare()
    assert prepared.info.classes == ("cat", "dog") and prepared.info.splits["val"] == "val"
    assert tags_of(prepared, folder.images) == EXPECTED
    assert {s.splits for s in prepared.samples if s.id.startswith("valid")} == {("val",)}


def test_only_one_of_the_files_is_asked_for(folder: Folder) -> None:
    write_roboflow(folder.images, "coco")
    prepared = folder.prepare(coco=(folder.images / "valid/_annotations.coco.json",))
    told = {name: tags for name, tags in EXPECTED.items() if name.startswith("valid")}
    assert tags_of(prepared, folder.images) == dict.fromkeys(EXPECTED, ()) | told


@pytest.mark.parametrize(
    ("categories", "used", "classes"),
    [
        ([(0, "cat", "none"), (1, "cat", "cat")], 1, ("cat",)),  # Roboflow's root, named as its only class
        ([(1, "person", "person"), (2, "dog", "animal")], 2, ("person", "dog")),
        ([(1, "animal", "none"), (2, "dog", "animal")], 1, ("animal", "dog")),  # annotated: a class
        ([(1, "animal", "none"), (2, "dog", "animal")], 2, ("dog",)),
    ],
)
def test_a_category_above_others(
    tmp_path: Path, categories: list[tuple[int, str, str]], used: int, classes: tuple[str, ...]
) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": id, "name": name, "supercategory": above} for id, name, above in categories],
        "annotations": [{"id": 1, "image_id": 1, "category_id": used}],
    }
    assert read_coco(write(tmp_path / "c.json", json.dumps(content))).classes == classes
