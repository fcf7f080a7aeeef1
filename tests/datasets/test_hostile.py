"""Files that would have a program run, entities expanded or memory taken are refused by what is in them."""

import base64
import json
import resource
import tracemalloc
import zlib
from pathlib import Path

import pytest

from prepared_data import prepare
from tiny_coco import tiny_coco
from tiny_folder import Folder, write, write_csv, write_images
from tiny_voc import tiny_voc
from wsss_cli.data import images
from wsss_cli.data.images import image_size, read_image, require_pixels, verified
from wsss_cli.data.labels import read_labels, read_mask01
from wsss_cli.data.xml_file import read_xml
from wsss_cli.errors import WsssError
from wsss_coco import DATASET as COCO
from wsss_folder.masks import mask_values
from wsss_folder.run_lengths import read_runs
from wsss_voc import DATASET as VOC

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n0 0 4 4 rectfill\nshowpage\n%%EOF\n"
ENTITY = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY name "cat">]>\n'  # one level: nothing grows


def png(width: int, height: int) -> bytes:
    """A grey PNG of that size in a few bytes: its pixels are not there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


READERS = [
    read_image,
    image_size,
    lambda path: verified(path.read_bytes(), path),
    read_labels,
    read_mask01,
    mask_values,
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.eps"])
def test_postscript_by_any_name(tmp_path: Path, name: str, reader: object, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_bytes(EPS)
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: pytest.fail("a program was to be run"))
    with pytest.raises(WsssError, match=rf"{name} is PostScript, which another program would have to run\n  save it"):
        reader(tmp_path / name)  # type: ignore[operator]


@pytest.mark.parametrize("reader", READERS)
def test_pictures_that_say_they_are_huge(tmp_path: Path, reader: object) -> None:
    (tmp_path / "a.png").write_bytes(png(10**6, 10**6))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WsssError, match=r"a.png (says that it is 1000000 x 1000000|has too many) pixels"):
        reader(tmp_path / "a.png")  # type: ignore[operator]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_document_type_in_an_xml_of_voc(tmp_path: Path) -> None:
    devkit = tiny_voc(tmp_path)
    path = devkit / "Annotations/img_0.xml"
    path.write_text(ENTITY + path.read_text().replace("<name>cat", "<name>&name;"))
    with pytest.raises(WsssError, match=r"img_0.xml declares a document type, which no annotation needs"):
        prepare(VOC, VOC.config_class()(root=devkit), "tiny", tmp_path / "data")


@pytest.mark.parametrize("kind", ["xml", "cvat"])
def test_a_document_type_in_annotations_of_a_folder(tmp_path: Path, kind: str) -> None:
    folder = Folder(tmp_path)
    write_images(folder.images, ["a.png", "b.png"])
    body = "<annotation/>" if kind == "xml" else "<annotations/>"
    path = write(tmp_path / "anno/a.xml", ENTITY + body)
    with pytest.raises(WsssError, match=r"a.xml declares a document type"):
        folder.prepare(**{kind: [path] if kind == "cvat" else path.parent})


def test_an_entity_is_not_expanded(tmp_path: Path) -> None:
    for text in (ENTITY + "<a>&name;</a>", ENTITY.replace('"cat"', 'SYSTEM "file:///etc/hostname"') + "<a>&name;</a>"):
        with pytest.raises(WsssError, match="document type"):
            read_xml(write(tmp_path / "a.xml", text))
    assert read_xml(write(tmp_path / "a.xml", "<a>x &amp; y</a>")).text == "x & y"


HUGE = 10**6  # a side


def test_run_lengths_that_say_they_are_huge() -> None:
    tracemalloc.start()
    for size, counts in (([HUGE, HUGE], [0, HUGE * HUGE]), ([HUGE, HUGE], "0"), ([0, 5], []), ([-4, -5], [20])):
        with pytest.raises(ValueError, match="are not the size of a picture"):
            read_runs({"size": size, "counts": counts})
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_the_bound_of_sizes_is_the_memory_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 24 bytes a pixel, as a stage takes."""
    monkeypatch.setattr("wsss_cli.bounds.memory", lambda: 24 << 30)
    require_pixels(32_768, 32_768)
    with pytest.raises(ValueError, match="a stage takes 48 GiB for it, and there are 24 GiB of memory"):
        require_pixels(65_536, 32_768)
    (tmp_path / "a.png").write_bytes(png(65_536, 32_768))
    with pytest.raises(WsssError, match=r"65536 x 32768 pixels: a stage takes 48 GiB .*\n  cut it into tiles"):
        read_labels(tmp_path / "a.png")


def cvat(path: Path) -> None:
    mask = '<mask label="cat" rle="0, 4" left="0" top="0" width="2" height="2" z_order="0"/>'
    head = f'<image id="0" name="a.png" width="{HUGE}" height="{HUGE}">'
    write(path / "annotations.xml", f"<annotations>{head}{mask}</image></annotations>")


def labelme(path: Path, width: int = HUGE, mask: bytes = png(2, 2)) -> None:
    shape = {"label": "cat", "points": [[0, 0], [1, 1]], "shape_type": "mask"}
    shape["mask"] = base64.b64encode(mask).decode()
    head = {"imagePath": "a.png", "imageWidth": width, "imageHeight": width}
    write(path / "labelme/a.json", json.dumps({"shapes": [shape], "flags": {}, **head}))


def labelme_mask(path: Path) -> None:
    labelme(path, 40, png(HUGE, HUGE))


def coco(path: Path) -> None:
    image = {"id": 1, "file_name": "a.png", "width": HUGE, "height": HUGE}
    runs = {"size": [HUGE, HUGE], "counts": [0, HUGE * HUGE]}
    row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "segmentation": runs, "iscrowd": 0}
    write(
        path / "i.json", json.dumps({"images": [image], "annotations": [row], "categories": [{"id": 1, "name": "cat"}]})
    )


@pytest.mark.parametrize(
    ("spoil", "options"),
    [
        (cvat, {"cvat": "annotations.xml"}),
        (labelme, {"labelme": "labelme"}),
        (labelme_mask, {"labelme": "labelme"}),
        (coco, {"coco": "i.json"}),
    ],
)
def test_sizes_in_annotations_are_looked_at_before_memory_is_taken(
    tmp_path: Path, spoil: object, options: dict[str, str]
) -> None:
    folder = Folder(tmp_path)
    write_images(folder.images, ["a.png", "b.png", "c.png"])
    write_csv(tmp_path / "tags.csv", {"b.png": ("cat",), "c.png": ("cat",)})
    spoil(tmp_path)  # type: ignore[operator]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    given = {key: tmp_path / value if key == "labelme" else [tmp_path / value] for key, value in options.items()}
    with pytest.raises(WsssError, match=r"1000000 x 1000000 pixels|larger than the image"):
        folder.prepare(tags=[tmp_path / "tags.csv"], val="0.5", **given)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_an_image_of_coco_that_says_it_is_huge(tmp_path: Path) -> None:
    path = tiny_coco(tmp_path) / "annotations/instances_train2014.json"
    content = json.loads(path.read_text())
    content["images"][0].update(width=HUGE, height=HUGE)
    path.write_text(json.dumps(content))
    with pytest.raises(WsssError, match=r"width and height are 1000000 and 1000000"):
        prepare(COCO, COCO.config_class()(root=tmp_path), "tiny", tmp_path / "data")


def test_all_that_opens_pictures_goes_one_way() -> None:
    """Image.open elsewhere would know neither what programs it starts nor how large pictures may be."""
    root = Path(images.__file__).parents[2]
    sources = [path for room in ("wsss_cli", "datasets", "methods") for path in (root / room).rglob("*.py")]
    found = {path.name for path in sources if "Image.open(" in path.read_text(encoding="utf-8")}
    assert found == {"images.py"} and len(sources) > 300
