"""Tables of tags as programs write them, and what is said of those that cannot be read."""

import codecs
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_folder import Folder, pascal, tags_of, write, write_csv, write_images
from wsss_cli.data.xml_file import read_xml
from wsss_cli.errors import WsssError
from wsss_folder.cells import read_list
from wsss_folder.documents import read_head, read_text
from wsss_folder.pascal_xml import read_pascal
from wsss_folder.record import Source
from wsss_folder.sources import class_names
from wsss_folder.tags_csv import read_tags
from wsss_folder.tags_npy import read_npy
from wsss_folder.voc_main import read_main
from wsss_folder.yolo_names import read_names

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
        ('["cat", null]', ("cat", "None")),  # which is told
        ("['cat', nan]", ("cat", "None")),
        ('[["cat"], ["nan"]]', ("cat", "nan")),
        ("[3.0]", ("3",)),
    ],
)
def test_lists_in_cells(cell: str, names: tuple[str, ...]) -> None:
    assert read_list(cell, 0.5) == names


@pytest.mark.parametrize("cell", ["['cat'", '{"x": 1, "y": "z"}', "[f(1)]"])
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
        ("image,label\na,True\nb,False\nc,\n", {"asked": ("crack",)}, {"a": ("crack",), "b": (), "c": ()}),
        ("image,label\na,1\nb,2\nc,0\n", {}, {"a": ("1",), "b": ("2",), "c": ("0",)}),
        ("image,label\na,1\nb,1\n", {}, {"a": ("1",), "b": ("1",)}),
        ("ImageID,By,LabelName,Confidence\na,v,cat,1\na,v,dog,0\nb,m,dog,0.4\n", {}, {"a": ("cat",), "b": ("dog",)}),
        ("ImageID,LabelName,Confidence\na,cat,1\nb,dog,0.4\nc,dog,\n", {"least": 0.5},
         {"a": ("cat",), "b": (), "c": ("dog",)}),
        ("image|tags\na|cat\n", {}, {"a": ("cat",)}),
        ("Image Name;Labels\r\na;cat,dog\r\n", {}, {"a": ("cat", "dog")}),
        ("image,tags\na,'cat'\nb,\"'dog';'cat'\"\n", {}, {"a": ("cat",), "b": ("dog", "cat")}),
        ("id,breed\na,pug\nb,boxer\n", {}, {"a": ("pug",), "b": ("boxer",)}),  # the only other column
        ("image,label\na,3.0\nb,7.0\n", {}, {"a": ("3",), "b": ("7",)}),  # pandas, where a value is missing
        ("index,image,u,v\n0,a,1,0\n1,b,0,1\n2,c,1,1\n", {}, {"a": ("u",), "b": ("v",), "c": ("u", "v")}),
        ("image,u,v\na,Y,n\nb,F,T\n", {}, {"a": ("u",), "b": ("v",)}),
        ("image;u;v\na;0,9;0,2\nb;0,5;1,0\n", {"least": 0.5}, {"a": ("u",), "b": ("u", "v")}),
        ("image,u,v\na,1,-1\nb,-1,1\n", {}, {"a": ("u",), "b": ("v",)}),  # CelebA's
        ("image,u,v\na,1,-1\nb,-1,0\nc,0,0\n", {}, {"a": ("u",), "b": (), "c": ()}),
        ("image,site,u\na,Rome,1\nb,Bern,0\n", {"asked": ("u",)}, {"a": ("u",), "b": ()}),
        ("image,tags\na,None\nb,nan\n", {"asked": ("None",)}, {"a": ("None",), "b": ()}),
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
        ("image,u\na,0.7\n", r"t\.csv holds confidences \(such as 0\.7\), not 0 and 1"),
        ("image,u,v\na,1,7\n", "column 'v' holds '7', neither 0 nor 1"),
        ("image,u,v\na,1,-2\n", "column 'v' holds '-2', neither 0 nor 1"),
        ("image,u,v\na,1,inf\n", "column 'v' holds 'inf', neither 0 nor 1"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(WsssError, match=says):
        read_tags(write(tmp_path / "t.csv", text))


@pytest.mark.parametrize(
    ("text", "unlabelled"),
    [
        ("image,u,v\na,1,-1\nb,-1,0\nc,0,0\n", {"b"}),
        ("image,u,v\na,1,-1\nb,-1,-1\n", set()),  # -1 is the opposite of 1
        ("image,tags,confidence\na,u,-1\nb,u,0\nc,u,0.2\nd,u,1\n", {"a", "c"}),  # 0: verified as absent
    ],
)
def test_what_is_not_known_is_no_label(tmp_path: Path, text: str, unlabelled: set[str]) -> None:
    source = read_tags(write(tmp_path / "t.csv", text), least=0.5)
    assert {record.names[0] for record in source.records if record.unlabelled == "uncertain only"} == unlabelled


def test_what_is_taken_as_no_tag_is_counted(tmp_path: Path) -> None:
    source = read_tags(write(tmp_path / "t.csv", 'image,tags\na,None\nb,nan\nc,None;cat\nd,"[""cat"", null]"\n'))
    (said,) = source.warnings
    assert said.startswith("t.csv: 3 'None', 1 'nan' taken as no tag")
    (said,) = read_tags(write(tmp_path / "t.csv", "image,u,v\na,1,-1\nb,-1,0\n")).notes
    assert said == "t.csv: 2 time(s) -1, which is taken as not known: no tag"


def test_a_table_in_utf_16_as_excel_saves_it(folder: Folder) -> None:
    write_images(folder.images, ["a.jpg", "b.jpg"])
    (folder.path / "t.csv").write_bytes("image\ttags\r\na.jpg\tBär\r\nb.jpg\tcat\r\n".encode("utf-16"))
    assert tags_of(folder.prepare(val=0.5), folder.images) == {"a.jpg": ("Bär",), "b.jpg": ("cat",)}


@pytest.mark.parametrize("two", [("Cat", "cat"), ("été", "e\u0301te\u0301")])
def test_classes_that_differ_in_spelling_alone_are_said(folder: Folder, two: tuple[str, str]) -> None:
    rows = {"a.jpg": two[:1], "b.jpg": two[1:], "c.jpg": ("cats",)}
    write_images(folder.images, rows)
    prepared = folder.prepare(tags=(write_csv(folder.path / "t.csv", rows),), val=0.3)
    (said,) = prepared.info.warnings
    assert said.startswith("2 classes differ in case, spaces or composed characters only: ")
    assert all(f"'{name}'" in said for name in two)


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


def test_confidences_in_a_npy(tmp_path: Path) -> None:
    rows = {"a": np.float32([0.9, 0.2]), "b": [0.5, 1], "c": [-1, 0], b"d": [1, -1]}
    source = read_npy(save(tmp_path / "t.npy", rows), ("u", "v"), 0.5)
    assert tags_in(source) == {"a": ("u",), "b": ("u", "v"), "c": (), "d": ("u",)}
    assert [record.names[0] for record in source.records if record.unlabelled] == ["c"]


@pytest.mark.parametrize(
    ("rows", "classes", "says"),
    [
        ({"a": [1, 0]}, (), "holds vectors, which name no class"),
        ({"a": [1, 0, 0]}, ("x", "y"), "the tags of 'a' are 3 numbers, but --classes names 2"),
        ({"a": [1, 0.5]}, ("x", "y"), r"holds confidences \(such as 0\.5\), not 0 and 1"),
        ({"a": [1, 2]}, ("x", "y"), "the tags of 'a' are no vector of zeros and ones"),
        ({"a": [1, np.nan]}, ("x", "y"), "the tags of 'a' are no vector of zeros and ones"),
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


WORDS = "image,tags\r\na.jpg,Bär\r\nb.jpg,猫\r\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_text_whose_encoding_can_be_told(tmp_path: Path, encoding: str) -> None:
    mark = codecs.BOM_UTF32_LE if encoding == "utf-32-le" else codecs.BOM_UTF32_BE if encoding == "utf-32-be" else b""
    (tmp_path / "t.csv").write_bytes(mark + WORDS.encode(encoding))
    assert read_text(tmp_path / "t.csv") == WORDS.replace("\r\n", "\n")
    assert read_head(tmp_path / "t.csv", 64).startswith("image,tags")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("image\na,Bär\n".encode("cp1252"), r"is no UTF-8 text \(byte 9\); in Windows-1252 line 2 is 'a,Bär'; in GBK"),
        ("image\na,猫狗\n".encode("gbk"), r"byte 10\); in Windows-1252 line 2 is 'a,Ã¨¹·'; in GBK line 2 is 'a,猫狗'$"),
        (b"PK\x03\x04" + bytes(30) + b"xl/workbook.xml", "is an Excel workbook, not text"),
        (b"image,tags\n\x00\x01", r"is no text \(byte 11 is 0\)"),
    ],
)
@pytest.mark.parametrize("read", [read_tags, read_names])
def test_text_whose_encoding_cannot_be_told(
    tmp_path: Path, data: bytes, says: str, read: Callable[[Path], object]
) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(WsssError) as caught:
        read(tmp_path / "t.csv")
    assert re.search(says, caught.value.what) and caught.value.remedy


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            "<annotation>Bär</annotation>".encode("cp1252"),
            "byte 13 is none of UTF-8, and it declares no other encoding",
        ),
        ('<?xml version="1.0" encoding="utf-8"?><a>狗</a>'.encode("gbk"), "byte 41 is none of utf-8, as it declares"),
    ],
)
def test_xml_that_is_not_in_its_encoding(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "a.xml").write_bytes(data)
    with pytest.raises(WsssError, match=f"a.xml is no XML: {says}"):
        read_xml(tmp_path / "a.xml")


@pytest.mark.parametrize("before", ["", "\ufeff"])
def test_xml_that_declares_utf_16_and_is_not(tmp_path: Path, before: str) -> None:
    write(tmp_path / "a.xml", before + '<?xml version="1.0" encoding="utf-16"?><annotation>猫</annotation>')
    assert read_xml(tmp_path / "a.xml").text == "猫"


@pytest.mark.parametrize(
    ("file", "data", "says"),
    [
        ("t.csv", "image,tags\na.jpg,Bär\n".encode("cp1252"), "in Windows-1252 line 2 is 'a.jpg,Bär'"),
        ("t.xlsx", b"PK\x03\x04" + bytes(30) + b"xl/workbook.xml", "t.xlsx is an Excel workbook, not text"),
        ("t.csv", b"image,tags\nz.jpg,cat\n", "t.csv names no image that is there: z.jpg"),
        ("t.csv", b"picture,tags\na.jpg,cat\n", "t.csv has no column for the image"),
        ("t.csv", b"image,a,b\na.jpg,7,8\n", "t.csv has no column of tags"),
    ],
)
def test_why_a_table_is_no_source(folder: Folder, file: str, data: bytes, says: str) -> None:
    write_images(folder.images, ("a.jpg", "b.jpg"))
    (folder.path / file).write_bytes(data)
    with pytest.raises(WsssError, match="there is no annotation in or beside") as caught:
        folder.prepare()
    assert says in caught.value.what
