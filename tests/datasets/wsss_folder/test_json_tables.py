"""Tags and boxes in JSON that is no format of a program's own: lines of objects, lists, mappings."""

import json
from pathlib import Path
from typing import Any

import pytest

from tiny_folder import Folder, tags_of, write, write_images
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError
from wsss_folder.table import read_table
from wsss_folder.tags_csv import read_tags

NAMES = ("a.jpg", "b.png", "c.jpg")
TAGS = {"a.jpg": ("cat",), "b.png": ("cat", "dog"), "c.jpg": ()}


def lines(entries: list[Any]) -> str:
    return "\n".join(["", *map(json.dumps, entries), ""])


VECTORS = {name: {"cat": int("cat" in of), "dog": "dog" in of} for name, of in TAGS.items()}
FORMS = {
    "metadata.jsonl": lines([{"file_name": name, "label": list(of)} for name, of in TAGS.items()]),
    "tags.ndjson": lines([{"image": f"images/{name}", **of} for name, of in VECTORS.items()]),
    "tags.json": json.dumps({name: list(of) for name, of in TAGS.items()}, indent=1),
    "names.json": json.dumps({name: {"tags": ";".join(of), "by": None} for name, of in TAGS.items()}),
    "list.json": json.dumps([{"id": 7, "filename": name, "tags": list(of)} for name, of in TAGS.items()]),
    "stems.json": json.dumps([{"image": Path(name).stem, "classes": list(of)} for name, of in TAGS.items()]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_tags_in_json_are_found(folder: Folder, name: str) -> None:
    write_images(folder.images, NAMES)
    place = folder.images if name == "metadata.jsonl" else folder.path
    path = write(place / name, FORMS[name])
    prepared = folder.prepare(val=0.4)
    assert tags_of(prepared, folder.images) == TAGS and prepared.info.classes == ("cat", "dog")
    assert any(f"JSON {path}: 3 images" in note for note in prepared.info.notes)


@pytest.mark.parametrize("form", ["lists", "objects"])
def test_boxes_as_hugging_face_has_them(folder: Folder, form: str) -> None:
    """Lists that go together, or a list of objects; x, y, width, height; an image without any holds no class."""
    of: dict[str, list[tuple[str, list[int]]]] = {
        "a.jpg": [("cat", [4, 3, 10, 8]), ("dog", [0, 0, 5, 5])],
        "b.png": [("dog", [1, 2, 3, 4])],
        "c.jpg": [],
    }
    for split in ("train", "validation"):
        write_images(folder.images / split, NAMES)
        entries = []
        for name, objects in of.items():
            lists = {"id": [*range(len(objects))], "bbox": [b for _, b in objects], "category": [c for c, _ in objects]}
            each = [{"bbox": box, "category": name} for name, box in objects]
            entries.append({"file_name": name, "width": 40, "objects": lists if form == "lists" else each})
        write(folder.images / split / "metadata.jsonl", lines(entries))
    prepared = folder.prepare()
    assert {s.id: s.boxes for s in prepared.samples if s.id.startswith("val")} == {
        "validation__a": (Box(1, 4, 3, 14, 11), Box(2, 0, 0, 5, 5)),
        "validation__b": (Box(2, 1, 2, 4, 6),),
        "validation__c": (),
    }
    assert {s.splits for s in prepared.samples if s.id.startswith("val")} == {("val",)}
    assert not any("not labelled" in note for note in prepared.info.notes)


def test_a_column_of_splits_in_json(folder: Folder) -> None:
    write_images(folder.images, NAMES)
    splits = {"a.jpg": "train", "b.png": "test", "c.jpg": "train"}
    entries = [{"image": name, "tags": of, "split": splits[name]} for name, of in TAGS.items()]
    path = write(folder.path / "tags.json", json.dumps(entries))
    prepared = folder.prepare(tags=(path,))
    assert {s.image.name: s.splits for s in prepared.samples} == {name: (split,) for name, split in splits.items()}


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("a.jsonl", '{"image": "a.jpg", "tags": []}\n{"image":\n', r"a.jsonl, line 2 is no JSON"),
        ("a.jsonl", '["a.jpg"]\n', r"a.jsonl, line 1: \['a.jpg'\] is no object"),
        ("a.jsonl", "\n", "a.jsonl is empty"),
        ("a.json", "[]", "a.json is empty"),
        ("a.json", "[3]", "a.json, entry 1: 3 is no object"),
        ("a.json", "3", "a.json: 3 is no object"),
        ("a.json", '{"a.jpg": ["cat"', "a.json is no JSON"),
        ("a.json", '{"images": [], "annotations": [], "categories": []}', "a.json is a COCO JSON.*--coco"),
        ("a.json", '[{"tags": ["cat"]}]', "a.json has no column for the image; its columns: tags"),
        ("a.json", '[{"image": null, "tags": ["cat"]}]', "a.json, entry 1: the column 'image' is empty"),
        ("a.json", '{"a.jpg": [{"deep": {"x": []}}]}', "a.json has no column for the tags|cannot be read"),
    ],
)
def test_json_that_holds_no_tags(tmp_path: Path, file: str, content: str, says: str) -> None:
    with pytest.raises(WsssError) as caught:
        read_tags(write(tmp_path / file, content))
    assert caught.match(f"(?s){says}") and caught.value.remedy


def test_cells_are_texts(tmp_path: Path) -> None:
    entry = {"image": " a.jpg ", "none": None, "yes": True, "list": ["ä", 1], "number": 0.5}
    (row,) = read_table(write(tmp_path / "a.json", json.dumps([entry]))).rows
    assert row == (1, {"image": "a.jpg", "none": "", "yes": "true", "list": '["ä", 1]', "number": "0.5"})


def test_other_json_beside_the_images_is_no_table(folder: Folder) -> None:
    write_images(folder.images, NAMES)
    write(folder.path / "tags.json", FORMS["tags.json"])
    for name, content in {
        "package.json": {"name": "x", "version": "1"},
        "list.json": [1, 2],
        "id.json": {"id": 3},
    }.items():
        write(folder.path / name, json.dumps(content))
    assert tags_of(folder.prepare(val=0.4), folder.images) == TAGS


OPEN = "ImageID,Source,LabelName,Confidence\na,verification,/m/01,1\na,verification,/g/02,0\nb,machine,/g/02,1\n"


def test_the_names_of_open_images(folder: Folder) -> None:
    write_images(folder.images, NAMES)
    write(folder.path / "train-annotations-human-imagelabels.csv", OPEN)
    assert folder.prepare(val=0.5).info.classes == ("/g/02", "/m/01")
    write(folder.path / "class-descriptions-other.csv", "/m/07,Zebra\n")
    write(folder.path / "oidv6-class-descriptions.csv", 'LabelName,DisplayName\n/m/01,Cat\n/g/02,"Hot dog, large"\n')
    prepared = folder.prepare(val=0.5)
    assert prepared.info.classes == ("Cat", "Hot dog, large")
    assert tags_of(prepared, folder.images) == {"a.jpg": ("Cat",), "b.png": ("Hot dog, large",), "c.jpg": ()}
    assert any("names of classes from oidv6-class-descriptions.csv" in note for note in prepared.info.notes)


def test_file_names_come_before_ids(folder: Folder) -> None:
    """Hugging Face's form of object detection counts image_id from anywhere."""
    names = [f"{n}.png" for n in range(4)]
    write_images(folder.images, names)
    entries = [
        {"image_id": n + 1, "file_name": name, "objects": {"id": [n], "bbox": [[5, 4, 20, 12]], "category": [f"c{n}"]}}
        for n, name in enumerate(names)
    ]
    write(folder.images / "metadata.jsonl", lines(entries))
    assert tags_of(folder.prepare(val=0.5), folder.images) == {f"{n}.png": (f"c{n}",) for n in range(4)}


def test_what_objects_call_themselves_names_no_other_image(tmp_path: Path) -> None:
    entry = {"image": "a.jpg", "objects": [{"image": "b.jpg", "label": "cat", "bbox": [1, 1, 5, 5]}]}
    (record,) = read_tags(write(tmp_path / "a.json", json.dumps([entry]))).records
    assert record.names == ("a.jpg",) and record.things[0].name == "cat"


def test_lists_of_other_things_are_no_objects(tmp_path: Path) -> None:
    entry = {
        "name": "a.jpg",
        "attributes": {"weather": ["rain"]},
        "labels": [{"category": "cat", "bbox": [1, 1, 5, 5]}],
    }
    (record,) = read_tags(write(tmp_path / "a.json", json.dumps([entry]))).records
    assert record.things[0].name == "cat" and record.things[0].corners == (1, 1, 6, 6)
