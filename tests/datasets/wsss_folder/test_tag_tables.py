"""Tables of tags as programs write them, and what is said of those that cannot be read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_folder import Folder, pascal, tags_of, write, write_csv, write_images
from wsss_cli.errors import WsssError
from wsss_folder.cells import read_list
from wsss_folder.pascal_xml import read_pascal
from wsss_folder.record import Source
from wsss_folder.sources import class_names
from wsss_folder.tags_csv import read_tags
from wsss_folder.tags_npy import read_npy
from wsss_folder.voc_main import read_main

Tags = Mapping[str, tuple[str, ...]]


def tags_in(source: Source) -> Tags:
    """Tags of each image, added up."""
    found: dict[str, tuple[str, ...]] = {}
    for record in source.records:
        found[record.names[0]] = (*found.get(record.names[0], ()), *record.tags)
    return found


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ('["cat", "dog"]', ("cat", "dog")),
        ("['cat']", ("cat",)),
        ("('cat', 'dog')", ("cat", "dog")),
        ("['traffic light' 'dog']", ("traffic light", "dog")),  # numpy's
        ("[cat, dog]", ("cat", "dog")),
        ("{'dog', 'cat'}", ("cat", "dog")),
        ("[]", ()),
        ("[3, 7]", ("3", "7")),
        ('{"cat": 1, "dog": 0}', ("cat",)),
        ('{"cat": 0.9, "dog": 0.4}', ("cat",)),
        ('{"cat": true, "dog": false}', ("cat",)),
        ('{"choices": ["cat", "dog"]}', ("cat", "dog")),  # Label Studio's CSV
        ('[{"x": 1.5, "rectanglelabels": ["cat"]}]', ("cat",)),
    ],
)
def test_lists_in_cells(cell: str, names: tuple[str, ...]) -> None:
    assert read_list(cell, 0.5) == names


@pytest.mark.parametrize("cell", ['["cat", null]', "['cat'", '{"x": 1, "y": "z"}', "[f(1)]"])
def test_cells_that_are_no_lists_of_names(cell: str) -> None:
    with pytest.raises(ValueError, match=r"no name|neither JSON"):
        read_list(cell)


@pytest.mark.parametrize(
    ("text", "options", "tags"),
    [
        ('image,tags\na,"[""cat"", ""dog""]"\nb,[]\nc,dog\n', {}, {"a": ("cat", "dog"), "b": (), "c": ("dog",)}),
        ("image,tags\na,['cat']\nb,x;y\n", {}, {"a": ("cat",), "b": ("x", "y")}),
        ("sep=;\nimage;tags\na;x,y\n", {}, {"a": ("x", "y")}),
        ('"sep=\t"\r\nimage\ttags\r\na\tx\r\n', {}, {"a": ("x",)}),
        (",image,tags\n0,a,cat\n1,b,dog\n", {}, {"a": ("cat",), "b": ("dog",)}),  # pandas' index
        ("Unnamed: 0,image,cat,dog\n0,a,1,0\n1,b,0,1\n", {}, {"a": ("cat",), "b": ("dog",)}),
        (",image,cat,dog\n0,a,1,0\n1,b,0,1\n", {}, {"a": ("cat",), "b": ("dog",)}),
        ("image,tags\na,nan\nb,None\nc,NULL\nd,<NA>\ne,cat;None\n", {}, {**dict.fromkeys("abcd", ()), "e": ("cat",)}),
        ("image,u,v\na,1.0,0.0\nb,True,False\nc,nan,TRUE\n", {}, {"a": ("u",), "b": ("u",), "c": ("v",)}),
        ("image,label\na,1\nb,0\n", {}, {"a": ("label",), "b": ()}),
        ("image,label\na,True\nb,False\nc,\n", {"only": "crack"}, {"a": ("crack",), "b": (), "c": ()}),
        ("image,label\na,1\nb,2\nc,0\n", {}, {"a": ("1",), "b": ("2",), "c": ("0",)}),
        ("image,label\na,1\nb,1\n", {}, {"a": ("1",), "b": ("1",)}),
        ("ImageID,By,LabelName,Confidence\na,v,cat,1\na,v,dog,0\nb,m,dog,0.4\n", {}, {"a": ("cat",), "b": ("dog",)}),
        ("ImageID,LabelName,Confidence\na,cat,1\nb,dog,0.4\nc,dog,\n", {"least": 0.5},
         {"a": ("cat",), "b": (), "c": ("dog",)}),
    ],
)  # fmt: skip
def test_tables_as_programs_write_them(tmp_path: Path, text: str, options: dict[str, Any], tags: Tags) -> None:
    assert tags_in(read_tags(write(tmp_path / "t.csv", text), **options)) == tags


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("image,tags\na,x\nb,[1 {]\n", r"t\.csv, line 3: the list \[1 \{\] cannot be read"),
        ("image,tags,score\na,x,high\n", "line 2: the score 'high' is no number"),
        ("sep=;\nimage;tags\na;x;y\n", "line 3: 3 cells, but the header has 2"),
        ("image,u\na,0.7\n", "column 'u' holds '0.7', neither 0 nor 1"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(WsssError, match=says):
        read_tags(write(tmp_path / "t.csv", text))


def save(path: Path, content: Any) -> Path:
    np.save(path, content, allow_pickle=True)
    return path


def test_tags_in_a_npy(folder: Folder) -> None:
    write_images(folder.images, ["a.jpg", "b.jpg", "7.jpg"])
    rows = {"a": np.float32([1, 0]), "b": [1, 1], 7: np.array([0, 0])}
    path = save(folder.path / "cls_labels.npy", rows)
    prepared = folder.prepare(tags=(path,), classes="dog,cat")
    assert prepared.info.classes == ("dog", "cat")
    assert tags_of(prepared, folder.images) == {"a.jpg": ("dog",), "b.jpg": ("cat", "dog"), "7.jpg": ()}


@pytest.mark.parametrize(
    ("rows", "classes", "says"),
    [
        ({"a": [1, 0]}, (), "holds vectors, which name no class"),
        ({"a": [1, 0, 0]}, ("x", "y"), "the tags of 'a' are 3 numbers, but --classes names 2"),
        ({"a": [1, 0.5]}, ("x", "y"), "the tags of 'a' are no vector of zeros and ones"),
        ({"a": "x"}, ("x",), "the tags of 'a' are no vector"),
        ({}, ("x",), "holds the tags of no image"),
        ([1, 2], ("x",), "holds no dict"),
    ],
)
def test_npy_files_that_are_no_tags(tmp_path: Path, rows: Any, classes: tuple[str, ...], says: str) -> None:
    with pytest.raises(WsssError, match=says):
        read_npy(save(tmp_path / "t.npy", rows), classes)


def test_the_lists_of_voc_are_tags(folder: Folder) -> None:
    write_images(folder.images, ["2007_1.jpg", "2007_2.jpg", "2007_3.jpg"])
    main = folder.path / "Main"
    write(main / "train.txt", "2007_1\n2007_2\n")  # no class
    write(main / "potted_plant_trainval.txt", "2007_1  1\n2007_2 -1\n2007_3  0\n")
    write(main / "cat_train.txt", "2007_1 -1\n2007_2  1\n")
    write(main / "cat_val.txt", "2007_3  1\n")
    expected = {"2007_1.jpg": ("potted_plant",), "2007_2.jpg": ("cat",), "2007_3.jpg": ("cat",)}
    assert tags_of(folder.prepare(tags=(main,)), folder.images) == expected
    assert tags_in(read_main(main / "cat_val.txt")) == {"2007_3": ("cat",)}
    with pytest.raises(WsssError, match=r"train\.txt holds no list of VOC's"):
        read_main(main / "train.txt")


def test_the_numbers_in_voc_lists_of_splits_are_passed_over(folder: Folder) -> None:
    write_images(folder.images, ["a.jpg", "b.jpg", "c.jpg"])
    csv = write_csv(folder.path / "t.csv", dict.fromkeys(("a.jpg", "b.jpg", "c.jpg"), ("x",)))
    train = write(folder.path / "train.txt", "a  1\nb -1\n")
    prepared = folder.prepare(tags=(csv,), split_file=(train, write(folder.path / "val.txt", "c 0\n")))
    assert {s.id: s.splits for s in prepared.samples} == {"a": ("train",), "b": ("train",), "c": ("val",)}


def test_background_is_no_class_in_any_case(folder: Folder) -> None:
    rows = {"a.jpg": ("cat",), "b.jpg": ("Background",), "c.jpg": ("BACKGROUND", "cat"), "d.jpg": ("_background_",)}
    write_images(folder.images, rows)
    prepared = folder.prepare(tags=(write_csv(folder.path / "t.csv", rows),))
    assert prepared.info.classes == ("cat",)
    cats = {"a.jpg": ("cat",), "c.jpg": ("cat",)}
    assert tags_of(prepared, folder.images) == {"b.jpg": (), "d.jpg": (), **cats}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "gb2312", "gbk", "big5", "shift_jis", "euc-kr", "windows-1252"]
)
def test_xml_in_the_encoding_that_it_declares(tmp_path: Path, encoding: str) -> None:
    name = {"big5": "貓", "euc-kr": "고양이", "windows-1252": "Kätzchen"}.get(encoding, "猫")
    if encoding.startswith("gb"):
        name = "猫"
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + pascal("a.jpg", [(name, (2, 3, 11, 12))])
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    (record,) = read_pascal(tmp_path).records
    assert record.problem is None
    assert [(t.name, t.corners) for t in record.things] == [(name, (1, 2, 11, 12))]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'<?xml version="1.0" encoding="klingon"?><annotation/>', "a.xml is no XML: .*klingon"),
        ('<?xml version="1.0" encoding="big5"?><annotation>\xff\xff</annotation>'.encode("latin1"), "a.xml is no XML"),
        (b"<annotation><object>", "a.xml is no XML"),
    ],
)
def test_the_cause_is_told_where_every_file_fails(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(WsssError, match=says):
        class_names([read_pascal(tmp_path)], "auto")
