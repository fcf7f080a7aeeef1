"""Forms of annotations as they are in the wild: read by value, or refused with the true reason."""

import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_folder import SIZE, Folder, cvat, sample, write, write_coco, write_csv, write_images
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError
from wsss_folder.coco_json import read_coco
from wsss_folder.cvat_xml import read_cvat
from wsss_folder.foreign import what_annotations
from wsss_folder.geojson import read_geojson
from wsss_folder.ignored import MARKED, mark_ignored
from wsss_folder.label_studio import read_label_studio
from wsss_folder.mask_values import IGNORE
from wsss_folder.matching import Finder
from wsss_folder.outlines import draw, drawable
from wsss_folder.pascal_xml import read_pascal
from wsss_folder.pixel_boxes import pixel_box
from wsss_folder.recognise import _format
from wsss_folder.record import NAMELESS, Record, Source, Thing
from wsss_folder.via import _outline, _shape_3, read_via
from wsss_folder.xml_shapes import CLOCKWISE
from wsss_folder.yolo_txt import begins_as_label, read_yolo

W, H = SIZE
NAMES = ("a.jpg", "b.png", "c.jpg", "d.jpg")
POINTS = [1, 1, 11, 1, 11, 11, 1, 11]
SQUARE = tuple(map(float, POINTS))
CORNERS = (1.0, 1.0, 11.0, 11.0)


def areas(record: Record, *names: str) -> dict[int, int]:
    """Pixels of each class id, those of `names` from 1 on."""
    ids, counts = np.unique(draw([record], {name: n for n, name in enumerate(names, 1)}, W, H), return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def of(*things: Thing, tags: tuple[str, ...] = (), **more: Any) -> Source:
    return Source("x", Path("s.json"), [Record(("a.jpg",), "s", tags, things)], **more)


@pytest.mark.parametrize("name", ["ignore", "__ignore__", "Ignored", "void", "DontCare", "ignored regions"])
def test_ignored_objects_are_pixels_and_no_class(name: str) -> None:
    cat = Thing("cat", (5, 5, 9, 9), polygons=((5, 5, 9, 5, 9, 9, 5, 9),))
    source = mark_ignored(of(Thing(name, CORNERS, polygons=(SQUARE,)), cat, classes=(name, "cat")))
    assert source.classes == ("cat",) and f"s.json: 1 '{name}' taken as ignored" in source.warnings[0]
    assert areas(source.records[0], "cat") == {0: 1100, 1: 16, 255: 84}
    boxed = mark_ignored(of(Thing(name, CORNERS))).records[0]
    assert drawable([boxed]) and areas(boxed, "cat") == {0: 1100, 255: 100}
    asked = of(Thing(name, CORNERS), tags=(name,), classes=(name,))
    assert mark_ignored(asked, (name, "cat")) == asked


def test_ignored_tags_are_none() -> None:
    both, alone, neither = (
        mark_ignored(of(tags=tags)).records[0] for tags in (("cat", "ignore"), ("ignore",), ("cat",))
    )
    assert both.tags == ("cat",) and not both.unlabelled and neither.tags == ("cat",)
    assert alone.tags == () and alone.unlabelled == MARKED
    assert mark_ignored(of(Thing("void", CORNERS))).records[0].things[0].name == IGNORE


def test_ignored_objects_in_a_data_set(folder: Folder) -> None:
    write_images(folder.images, NAMES)
    square = {"image_id": 0, "bbox": [1, 1, 10, 10], "segmentation": [POINTS]}
    rows = [{**square, "category_id": 3}, {**square, "category_id": 7, "image_id": 1}]
    categories = [{"id": 3, "name": "cat"}, {"id": 7, "name": "__ignore__"}]
    path = write_coco(folder.path / "c.json", dict.fromkeys(NAMES, ()), annotations=rows, categories=categories)
    csv = write_csv(folder.path / "t.csv", {"a.jpg": ("cat",), "b.png": ("ignore", "cat"), "c.jpg": ("ignore",)})
    prepared = folder.prepare(coco=(path,), tags=(csv,), masks_from_shapes=True, val=0.5)
    assert prepared.info.classes == ("cat",)
    assert {s.id: s.tags for s in prepared.samples} == {"a": (1,), "b": (1,), "c": (), "d": ()}
    assert sample(prepared, "a").boxes == (Box(1, 1, 1, 11, 11),) and sample(prepared, "b").boxes == ()
    warned = [what for what in prepared.info.warnings if "taken as ignored" in what]
    assert len(warned) == 2 and "2 'ignore'" in "".join(warned) and "1 '__ignore__'" in "".join(warned)
    mask = sample(prepared, "a").mask
    assert mask is not None and (read_labels(mask) == 1).sum() == 100
    assert sample(prepared, "b").mask is None  # its tag has no outline


def coco(path: Path, *annotations: dict[str, Any], **more: Any) -> Source:
    rows = [{"image_id": 0, "category_id": 3, **annotation} for annotation in annotations]
    return read_coco(write_coco(path / "c.json", {"a.jpg": ()}, annotations=rows, **more))


RUNS = {"size": [H, W], "counts": [31 + 30, 2, W * H - 63]}
MORE = {"size": [H, W], "counts": [31 + 60, 1, W * H - 92]}


@pytest.mark.parametrize(
    ("segmentation", "pixels", "corners"),
    [
        ([RUNS, MORE], 3, (2, 1, 4, 3)),
        ([POINTS, MORE], 100, (1, 1, 11, 11)),
        ([POINTS, [20, 20, 22, 22]], 100, (1, 1, 11, 11)),
        (json.dumps([POINTS]), 100, (1, 1, 11, 11)),
        ([[[[1, 1], [11, 1], [11, 11], [1, 11]]]], 100, (1, 1, 11, 11)),
        ({"size": [H, W], "counts": "b'i12o0'"}, None, None),
    ],
)
def test_segmentations_of_coco(tmp_path: Path, segmentation: Any, pixels: int | None, corners: Any) -> None:
    (record,) = coco(tmp_path, {"segmentation": segmentation}).records
    if pixels is None:
        assert record.problem is not None and "are not those of" in record.problem.what  # read, and too short
    else:
        assert areas(record, "dog") == {0: W * H - pixels, 1: pixels} and record.things[0].corners == corners


def test_outlines_of_two_points_cost_themselves(tmp_path: Path) -> None:
    source = coco(tmp_path, {"segmentation": [[1, 1, 5, 5]], "bbox": [1, 1, 4, 4]}, {"segmentation": [POINTS, [2, 2]]})
    boxed, outlined = source.records[0].things
    assert boxed.corners == (1, 1, 5, 5) and not boxed.polygons and outlined.polygons == (SQUARE,)
    assert source.warnings == (
        "c.json: 2 outline(s) have fewer than three points and are left out; an object that has no other is a box",
    )
    plain = coco(tmp_path, {"segmentation": {"points": POINTS}}).records[0]
    assert plain.problem is not None and "a mapping of points, neither polygons nor runs" in plain.problem.what


def test_boxes_as_text_and_categories_without_a_name(tmp_path: Path) -> None:
    assert coco(tmp_path, {"bbox": "[1, 1, 10, 10]"}).records[0].things[0].corners == CORNERS
    bad = coco(tmp_path, {"bbox": {"x": 1}}).records[0].problem
    assert bad is not None and "bbox {'x': 1} is not x, y, width, height" in bad.what
    with pytest.raises(WsssError, match="category 3 has no name"):
        coco(tmp_path, {"bbox": [1, 1, 10, 10]}, categories=[{"id": 3, "name": " "}])


def test_an_image_that_is_listed_twice(tmp_path: Path) -> None:
    image = {"id": 0, "file_name": "a.jpg", "width": W, "height": H}
    assert len(coco(tmp_path, {"bbox": [1, 1, 4, 4]}, images=[image, image]).records) == 1
    with pytest.raises(WsssError, match=r"two images have the id 0: 'a.jpg' and 'b.jpg'"):
        coco(tmp_path, images=[image, {**image, "file_name": "b.jpg"}])


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ((10.2, 4, 10.25, 6), (10, 4, 11, 6)),
        ((10.0, 4, 10.04, 6), (10, 4, 11, 6)),
        ((9.97, 4, 10.02, 6), (10, 4, 11, 6)),
        ((39.97, 29.99, 40, 30), (39, 29, 40, 30)),
        ((0, 0, 0.01, 0.01), (0, 0, 1, 1)),
    ],
)
def test_boxes_thinner_than_a_pixel(corners: Any, box: tuple[int, int, int, int]) -> None:
    assert pixel_box(Thing("cat", corners), 1, Record(("a",), "s"), W, H) == Box(1, *box)


@pytest.mark.parametrize("corners", [(40, 4, 40.02, 6), (-3, 4, 0, 6), (3, 30, 6, 31)])
def test_boxes_outside_the_image(corners: Any) -> None:
    with pytest.raises(WsssError, match="lies outside the image of 40 x 30"):
        pixel_box(Thing("cat", corners), 1, Record(("a",), "s"), W, H)


def xml(path: Path, inner: str) -> Record:
    write(path / "a.xml", f"<annotation>{inner}</annotation>")
    return read_pascal(path / "a.xml").records[0]


def tagged(pattern: str, values: list[int]) -> str:
    return "".join(f"<{tag}>{value}</{tag}>" for tag, value in zip(pattern.split(), values, strict=True))


PTS = "".join(f"<%s><x>{x}</x><y>{y}</y></%s>" for x, y in zip(POINTS[::2], POINTS[1::2], strict=True))
TEXT = "1,1 11,1 11,11 1,11"
XML_OUTLINES = {
    "pt": f"<polygon>{PTS.replace('%s', 'pt')}<username>me</username></polygon>",
    "point": f"<polygon>{PTS.replace('%s', 'point')}</polygon>",
    "points within": f"<polygon><points>{PTS.replace('%s', 'point')}</points></polygon>",
    "attributes": "<polygon>" + "".join(f'<point x="{x}" y="{y}"/>' for x, y in ((1, 1), (11, 1), (11, 11), (1, 11)))
    + "</polygon>",
    "text of points": "<points>" + "".join(f"<point>{pair}</point>" for pair in TEXT.split()) + "</points>",
    "numbered": f"<polygon>{tagged('x1 y1 x2 y2 x3 y3 x4 y4', POINTS)}</polygon>",
    "in turns": f"<points>{tagged('x y x y x y x y', POINTS)}</points>",
    "text": f"<polygon>{TEXT}</polygon>",
    "vertices": "<polygons><polygon>" + PTS.replace("%s", "vertex") + "</polygon></polygons>",
    "COCO": f"<segmentation>[{POINTS}]</segmentation>",
    "within a segmentation": f"<segmentation><polygon>{TEXT}</polygon></segmentation>",
    "with a box": f"<bndbox>{tagged('xmin ymin xmax ymax', [2, 2, 11, 11])}</bndbox><polygon>{TEXT}</polygon>",
}  # fmt: skip


@pytest.mark.parametrize("inner", XML_OUTLINES.values(), ids=XML_OUTLINES)
def test_outlines_in_xml(tmp_path: Path, inner: str) -> None:
    record = xml(tmp_path, f"<object><name>cat</name>{inner}</object>")
    assert record.problem is None and record.things == (Thing("cat", CORNERS, polygons=(SQUARE,)),)


def test_an_object_of_several_outlines(tmp_path: Path) -> None:
    more = "<polygon>20,20,30,20,30,22,20,22</polygon><polygon/><polygon><pt><x>1</x><y>1</y></pt></polygon>"
    record = xml(tmp_path, f"<object><name>cat</name><polygon>{TEXT}</polygon>{more}</object>")
    assert record.things[0].corners == (1, 1, 30, 22) and areas(record, "cat") == {0: 1080, 1: 120}


def test_several_outlines_in_one_text_and_several_boxes(tmp_path: Path) -> None:
    text = f"<object><name>cat</name><segmentation>[{POINTS}, [20, 20, 30, 20, 30, 22, 20, 22]]</segmentation></object>"
    assert areas(xml(tmp_path, text), "cat") == {0: 1080, 1: 120}
    boxes = "".join(f"<bndbox>{tagged('xmin ymin xmax ymax', [n, 1, n + 4, 5])}</bndbox>" for n in (1, 11))
    things = xml(tmp_path, f"<object><name>cat</name>{boxes}</object>").things
    assert [thing.corners for thing in things] == [(0, 0, 5, 5), (10, 0, 15, 5)]


TURNED = "<name>cat</name><type>robndbox</type>"
QUAD = [20, 13, 22, 13, 22, 23, 20, 23]
XML_BOXES = {
    "DIOR": (
        f"{TURNED}<robndbox>"
        + tagged(" ".join(f"{axis}_{at}" for at in CLOCKWISE for axis in "xy"), [18, 13, 22, 9, 26, 13, 22, 17])
        + "</robndbox>",
        (18, 9, 26, 17),
    ),
    "from 0": (f"<name>cat</name><bndbox>{tagged('x0 y0 x1 y1 x2 y2 x3 y3', QUAD)}</bndbox>", (20, 13, 22, 23)),
    "from 1": (f"<name>cat</name><bndbox>{tagged('x1 y1 x2 y2 x3 y3 x4 y4', QUAD)}</bndbox>", (20, 13, 22, 23)),
    "two corners": (f"<name>cat</name><bndbox>{tagged('x1 y1 x2 y2', [3, 4, 8, 9])}</bndbox>", (3, 4, 8, 9)),
    "sides": (f"<name>cat</name><bndbox>{tagged('x y width height', [3, 4, 5, 6])}</bndbox>", (3, 4, 8, 10)),
    "roLabelImg": (f"{TURNED}<robndbox>{tagged('cx cy w h angle', [20, 15, 10, 4, 0])}</robndbox>", (15, 13, 25, 17)),
    "FAIR1M": (
        "<coordinate>pixel</coordinate><type>rectangle</type><possibleresult><name>cat</name></possibleresult>"
        f"<points>{''.join(f'<point>{p}</point>' for p in ('3,4', '8,4', '8,9', '3,9', '3,4'))}</points>",
        (3, 4, 8, 9),
    ),
    "VOC": (f"<name>cat</name><bndbox>{tagged('xmin ymin xmax ymax', [3, 4, 8, 9])}</bndbox>", (2, 3, 8, 9)),
    "attributes": ('<name>cat</name><bndbox xmin="3" ymin="4" xmax="8" ymax="9"/>', (2, 3, 8, 9)),
    "LabelMe's mask": (
        f"<name>cat</name><segm><box>{tagged('xmin ymin xmax ymax', [3, 4, 8, 9])}</box><mask>a.png</mask></segm>",
        (3, 4, 8, 9),
    ),
    "a flag": (
        f"<name>cat</name><segmentation>0</segmentation><bndbox>{tagged('xmin ymin xmax ymax', [3, 4, 8, 9])}</bndbox>",
        (2, 3, 8, 9),
    ),
}


@pytest.mark.parametrize(("inner", "corners"), XML_BOXES.values(), ids=XML_BOXES)
@pytest.mark.parametrize("place", ["<object>%s</object>", "<objects><object>%s</object></objects>"])
def test_boxes_in_xml(tmp_path: Path, inner: str, corners: tuple[int, ...], place: str) -> None:
    record = xml(tmp_path, place.replace("%s", inner))
    assert record.problem is None and record.things == (Thing("cat", corners),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        ("<polygon>left,top</polygon>", "the box or outline of 'cat' cannot be read: <polygon> holds 'left,top'"),
        ("<polygon>1 2 3 4 5 6 7</polygon>", "<polygon> holds 7 numbers, which are no pairs"),
        ("<bndbox><left>1</left></bndbox>", "cannot be read: <x> is missing"),
        ("<robndbox><cx>1</cx></robndbox>", "cannot be read: <cy> is missing"),
        ("<polygon/>", "a.xml: 'cat' has neither a box nor an outline"),
        ("<segmentation><size>3 4</size><counts>1 2</counts></segmentation>", "<segmentation> holds <size>"),
        ('<segmentation>{"size": [30, 40], "counts": [1200]}</segmentation>', "<segmentation> holds run lengths"),
        ("", "a.xml: 'cat' has neither a box nor an outline"),
    ],
)
def test_what_cannot_be_read_in_xml(tmp_path: Path, inner: str, says: str) -> None:
    problem = xml(tmp_path, f"<object><name>cat</name>{inner}</object>").problem
    assert problem is not None and says in problem.what and problem.remedy


def yolo(path: Path, text: str, row: str = "0 0.5 0.5 0.4 0.4", file: str = "data.yaml") -> Source:
    write(path / "labels/a.txt", row)
    write(path / file, text)
    return read_yolo(path / "labels", None)


@pytest.mark.parametrize("file", ["data.yaml", "coco8.yaml", "my set.yml", "labels/custom.yaml"])
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: [cat, dog]", ("cat", "dog")),
        ("names: {0: cat, 1: dog}", ("cat", "dog")),
        ("names: [3, 1.10, true, 1e3, 010, 'off']", ("3", "1.10", "true", "1e3", "010", "off")),
        ("nc: 2", ("class_0", "class_1")),
    ],
)
def test_yamls_of_yolo_by_any_name(tmp_path: Path, file: str, text: str, names: tuple[str, ...]) -> None:
    write(tmp_path / "hyp.yaml", "lr0: 0.01")
    if "names" in text:
        write((tmp_path / file).with_name("yolov8.yaml"), "nc: 80\nbackbone: []")  # a network's
    assert yolo(tmp_path, text, file=file).classes == names


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("names: [null]", "the name of class 0 is empty"),
        ("names: [cat, [dog]]", r"the name of class 1 is \['dog'\]"),
        ("names: {cat: 0}", "has no list or mapping 'names'"),
        ("nc: two", "has no list or mapping 'names'"),
    ],
)
def test_names_of_yolo_that_are_none(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(WsssError, match=says):
        yolo(tmp_path, text)
    write(tmp_path / "more.yaml", "names: [a]")
    (tmp_path / "data.yaml").unlink()
    with pytest.raises(WsssError, match=r"several YAMLs of classes: more\.yaml, other\.yaml"):
        yolo(tmp_path, "names: [b]", file="other.yaml")


@pytest.mark.parametrize("number", ["0", "0.0", "0.000e+00", "0."])
def test_classes_of_yolo_in_any_form(tmp_path: Path, number: str) -> None:
    (record,) = yolo(tmp_path, "names: [cat]", f"{number} 0.5 0.5 0.4 0.4\n").records
    assert record.things[0].name == "cat" and begins_as_label(tmp_path / "labels/a.txt")


def test_no_masks_of_oriented_boxes_and_why(folder: Folder) -> None:
    write_images(folder.images, ("a.jpg",))
    yolo(folder.path, "names: [cat]", DIAMOND)
    with pytest.raises(WsssError, match=r"no image has outlines .*; every row is a turned box \(OBB\)"):
        folder.prepare(masks_from_shapes=True)


UPRIGHT, DIAMOND = "0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5", "0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5"
KITE, TRIANGLE = "0 0.5 0.1 0.6 0.5 0.5 0.9 0.1 0.5", "0 0.5 0.1 0.9 0.5 0.5 0.9"


@pytest.mark.parametrize(
    ("rows", "task", "outlined", "says"),
    [
        ([DIAMOND, UPRIGHT], "", False, "every row is a turned box (OBB)"),
        ([UPRIGHT], "", True, "if these are boxes (OBB), say task: obb"),
        ([KITE], "", True, "if these are boxes (OBB), say task: obb"),
        ([UPRIGHT, KITE], "obb", False, "every row is a turned box (OBB)"),
        ([DIAMOND], "segment", True, ""),
        ([DIAMOND, TRIANGLE], "", True, ""),
    ],
)
def test_oriented_boxes_of_yolo(tmp_path: Path, rows: list[str], task: str, outlined: bool, says: str) -> None:
    source = yolo(tmp_path, f"names: [cat]\ntask: {task}", "\n".join(rows))
    things = source.records[0].things
    assert all(bool(thing.polygons) == outlined for thing in things)
    assert things[0].corners == ((0.1, 0.1, 0.9, 0.9) if rows[0] is DIAMOND else things[0].corners)
    assert any(says in note for note in source.notes) if says else len(source.notes) == 1


def vector(*more: tuple[str, Any], closed: bool = True, **vertex: Any) -> dict[str, Any]:
    ids = [None, "0", "1", "2"]
    points = zip(ids, ((10, 10), (30, 10), (30, 30), (10, 30)))
    vertices = [{"id": str(n), "x": x, "y": y, "prevPointId": before} for n, (before, (x, y)) in enumerate(points)]
    vertices[2] |= vertex
    value = {"vertices": vertices, "closed": closed, "vectorlabels": ["cat"], **dict(more)}
    return {"type": "vectorlabels", "original_width": W, "original_height": H, "value": value}


@pytest.mark.parametrize(
    ("result", "outlined"),
    [
        (vector(), True),
        (vector(isBezier=False), True),
        (vector(closed=False), False),
        (vector(isBezier=True, controlPoint1={"x": 1, "y": 1}), False),
        (vector(prevPointId="0"), False),
        (vector(("vertices", [{"x": 1, "y": 1}, {"x": 2, "y": 2}])), False),
    ],
)
def test_vectors_of_label_studio(tmp_path: Path, result: dict[str, Any], outlined: bool) -> None:
    tasks = [{"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": [result]}]}]
    (record,) = read_label_studio(write(tmp_path / "ls.json", json.dumps(tasks))).records
    if outlined:
        assert areas(record, "cat") == {0: W * H - 48, 1: 48} and record.shapeless == 0
    else:
        assert record.things == () and record.tags == ("cat",) and record.shapeless == 1


def test_points_of_skeletons_are_no_classes(tmp_path: Path) -> None:
    """As CVAT 2 writes them: labels below a skeleton name it as their parent."""
    skeleton = '<skeleton label="person"><points label="nose" points="1,1" outside="0"/></skeleton>'
    text = cvat({"a.jpg": skeleton, "b.png": '<box label="cat" xtl="1" ytl="1" xbr="5" ybr="5"/>'}, ("cat", "person"))
    below = "<label><name>nose</name><type>points</type><parent>person</parent></label></labels>"
    source = read_cvat(write(tmp_path / "c.xml", text.replace("</labels>", below)))
    assert source.classes == ("cat", "person") and [r.tags for r in source.records] == [("person",), ()]
    assert source.records[0].shapeless == 1 and not source.records[0].things


@pytest.mark.parametrize("file", ["via_2.json", "via_2.csv", "via_3.json", "via_3.csv"])
def test_files_of_via(file: str) -> None:
    """One scene in each form; rebuilt_files/README.md says where they are from."""
    read = {record.names[0]: record for record in read_via(Path(__file__).parent / "rebuilt_files" / file).records}
    boxes = {name: [(thing.name, thing.corners) for thing in record.things] for name, record in read.items()}
    assert boxes["one.png"] == [("cat", CORNERS), ("dog", (3, 2, 9, 8))]
    assert boxes["two.png"] == [("cat", pytest.approx((15.5, 10.5, 24.5, 19.5))), ("dog", (12, 12, 28, 18))]
    assert [len(areas(read[name], "cat", "dog")) for name in ("one.png", "two.png")] == [2, 3]
    assert read["three.png"].tags == ("cat",) and read["three.png"].shapeless == 1
    assert read["four.png"].unlabelled if "four.png" in read else file == "via_3.csv"  # which lists regions only
    assert _format(Path(__file__).parent / "rebuilt_files" / file, Finder(["one.png"])) == "via"


@pytest.mark.parametrize(
    ("xy", "corners", "outlined"),
    [([8, 5, 2, 9, 4, 6, 8, 3, 5], (3, 2, 9, 8), False), ([9, 10, 5, 15, 10, 10, 15], (5, 5, 15, 15), True)],
)
def test_shapes_of_via_by_points_on_their_border(xy: list[float], corners: Any, outlined: bool) -> None:
    outline = _outline(_shape_3(xy))
    assert outline is not None and [*map(min, zip(*outline)), *map(max, zip(*outline))] == pytest.approx(corners)
    assert (len(outline) > 4) == outlined


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('# CSV_HEADER = metadata_id,file_list\n"1","[""a.mp4""]",0,"[1,2]","[]","{}"\n', "annotates a video"),
        ('# CSV_HEADER = metadata_id,file_list\n"1","[""a.png""]",0\n', "cannot be read as a CSV of VIA 3"),
    ],
)
def test_bad_tables_of_via_3(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(WsssError, match=says):
        read_via(write(tmp_path / "v.csv", text))


def feature(kind: str, coordinates: Any, name: Any = "Tumor", **more: Any) -> dict[str, Any]:
    properties = {"objectType": "annotation", "classification": name and {"name": name, "color": [200, 0, 0]}}
    return {
        "type": "Feature",
        "id": "4f2c",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {**properties, **more},
    }


def ring(x0: int, y0: int, x1: int, y1: int) -> list[list[int]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]


GEOJSON = {
    "polygon": (feature("Polygon", [ring(1, 1, 11, 11)]), {0: 1100, 1: 100}),
    "holes": (feature("Polygon", [ring(1, 1, 21, 21), ring(3, 4, 8, 9), ring(10, 2, 12, 20)]), {0: 861, 1: 339}),
    "several": (feature("MultiPolygon", [[ring(1, 1, 3, 3)], [ring(20, 20, 30, 22)]]), {0: 1176, 1: 24}),
    "another property": (feature("Polygon", [ring(1, 1, 11, 11)], None, label="Tumor"), {0: 1100, 1: 100}),
}


@pytest.mark.parametrize(("content", "pixels"), GEOJSON.values(), ids=GEOJSON)
@pytest.mark.parametrize("form", ["collection", "list", "alone"])
def test_geojson_of_qupath(tmp_path: Path, content: Any, pixels: dict[int, int], form: str) -> None:
    forms = {"collection": {"type": "FeatureCollection", "features": [content]}, "list": [content], "alone": content}
    (record,) = read_geojson(write(tmp_path / "a.geojson", json.dumps(forms[form]))).records
    assert record.problem is None and record.names == ("a", "a") and areas(record, "Tumor") == pixels


def test_features_without_area_or_class(tmp_path: Path) -> None:
    point, bare = feature("Point", [3, 4], "Cell"), feature("Polygon", [ring(1, 1, 3, 3)], None)
    write(tmp_path / "a.geojson", json.dumps([point, bare]))
    write(tmp_path / "b.geojson", json.dumps([bare]))
    write(tmp_path / "c.geojson", json.dumps({"type": "FeatureCollection", "features": []}))
    a, b, c = read_geojson(tmp_path).records
    assert a.tags == ("Cell",) and a.shapeless == 2 and b.unlabelled == NAMELESS and not c.unlabelled


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"type": "FeatureCollection", "features": [], "crs": {"name": "EPSG:32633"}}, "in the coordinates of a map"),
        ({"type": "Topology"}, "is no GeoJSON of features"),
        (3, "is no GeoJSON of features"),
        (feature("Polygon", [[[1, 1]]]), "a feature cannot be read: .*a ring has 1 points"),
    ],
)
def test_geojson_that_is_not_read(tmp_path: Path, content: Any, says: str) -> None:
    (record,) = read_geojson(write(tmp_path / "a.geojson", json.dumps(content))).records
    assert record.problem is not None and re.search(says, record.problem.what) and record.problem.remedy


def test_geojson_is_found(folder: Folder) -> None:
    write_images(folder.images, ("a.jpg", "b.png"))
    for name, of in (("a", "Tumor"), ("b", "Ignore*")):
        write(folder.path / f"geojson/{name}.geojson", json.dumps([feature("Polygon", [ring(1, 1, 11, 11)], of)]))
    prepared = folder.prepare(masks_from_shapes=True, val=0.5)
    assert prepared.info.classes == ("Tumor",) and sample(prepared, "a").boxes == (Box(1, 1, 1, 11, 11),)
    mask = sample(prepared, "b").mask
    assert mask is not None and (read_labels(mask) == 255).sum() == 100


FOREIGN = {
    "annotations of Supervisely": ("ann/a.jpg.json", '{"size": {"height": 3}, "objects": [{"classTitle": "cat"}]}'),
    "polygons of Cityscapes": ("json/a_gtFine_polygons.json", '{"imgHeight": 3, "imgWidth": 3, "objects": []}'),
    "annotations of Create ML": (
        "images/_annotations.createml.json",
        '[{"image": "a.jpg", "annotations": [{"label": "cat", "coordinates": {"x": 1, "y": 1}}]}]',
    ),
    "Datumaro's own format": ("annotations/d.json", '{"dm_format_version": "1.0", "categories": {}, "items": []}'),
    "labels of Labelbox": ("labels/export.ndjson", '{"data_row": {"id": "c1"}}\n{"data_row": {"id": "c2"}}\n'),
    "annotations of V7 Darwin": ("annotations/a.json", '{"item": {"slots": []}, "annotations": []}'),
    "annotations of ADE20K": ("images/a.json", '{"annotation": {"filename": "a.jpg", "object": []}}'),
    "classifications of Zooniverse": ("images/c.csv", "classification_id,user_name,subject_data\n1,me,{}\n"),
    "oriented boxes of DOTA": ("labels/a.txt", "imagesource:GoogleEarth\ngsd:0.1\n1 1 5 1 5 5 1 5 plane 0\n"),
}


@pytest.mark.parametrize(("what", "file"), FOREIGN.items(), ids=FOREIGN)
def test_files_of_other_programs_are_told_by_name(folder: Folder, what: str, file: tuple[str, str]) -> None:
    write_images(folder.images, ("a.jpg", "b.png"))
    path = write(folder.path / file[0], file[1])
    with pytest.raises(WsssError, match="there is no annotation") as caught:
        folder.prepare()
    assert f"{path} holds {what}, which are not read" in caught.value.what and not list(folder.path.glob("data/*"))
    if path.suffix == ".json":
        with pytest.raises(WsssError, match=f"holds {what}|holds no .json of labelme, but {what}"):
            folder.prepare(coco=(path,))
        with pytest.raises(WsssError, match=f"holds no .json of labelme, but {what}"):
            folder.prepare(labelme=path)


def test_a_plain_row_of_dota_is_told_and_yolo_is_not(tmp_path: Path) -> None:
    rows = {"2753 2408 2861 2385 2888 2468 2805 2502 plane 0\n": "oriented boxes of DOTA", "0 .1 .1 .5 .1 .5 .5\n": ""}
    assert [what_annotations(write(tmp_path / "a.txt", row)) for row in rows] == list(rows.values())


def test_a_file_of_numbers_is_looked_at_in_linear_time(tmp_path: Path) -> None:
    """As labelme writes its points, each on a line of its own: thousands of them lie beside the images."""
    points = [[n + 0.123456, n + 0.654321] for n in range(700)]
    path = write(tmp_path / "a.json", json.dumps({"shapes": [{"label": "cat", "points": points}]}, indent=2))
    began = time.process_time()
    assert [what_annotations(path) for _ in range(100)] == [""] * 100
    assert time.process_time() - began < 1
