"""Tables of objects as programs and competitions write them: boxes in columns or cells, run lengths."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_folder import SIZE, Folder, sample, tags_of, write, write_images
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box
from wsss_cli.errors import WsssError
from wsss_folder.record import Source
from wsss_folder.run_cells import read_cell
from wsss_folder.tags_csv import read_tags

W, H = SIZE
BOX = (4.0, 3.0, 12.0, 9.0)
SHARES = tuple(v / s for v, s in zip(BOX, (W, H) * 2))


def read(path: Path, text: str, **options: Any) -> Source:
    return read_tags(write(path / "t.csv", text), size_of=lambda name: (W, H), **options)


BOXES = {
    "TensorFlow (Roboflow)": "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,40,30,cat,4,3,12,9\n",
    "RetinaNet": "/data/a.jpg,4,3,12,9,cat\n/data/b.jpg,,,,,\n",
    "RetinaNet, empty first": "/data/b.jpg,,,,,\n/data/a.jpg,4.0,3,12,9,cat\n",
    "Open Images": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n"
    "a,x,cat,1,0.1,0.3,0.1,0.3,0\n",
    "Kaggle's cell": 'image_id,width,height,bbox,class\na,40,30,"[4.0, 3.0, 8.0, 6.0]",cat\n',
    "cell of numbers": "image_id,bbox,class\na,4 3 8 6,cat\n",
    "cell of mappings": "image_id,annotations,class\na,\"[{'x': 4, 'y': 3, 'width': 8, 'height': 6}]\",cat\nb,[],\n",
    "sides": "image,label,x,y,w,h\na.jpg,cat,4,3,8,6\n",
    "sides with a prefix": "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,image_height\n"
    "cat,4,3,8,6,a.jpg,40,30\n",  # makesense.ai's
    "centre": "image;class;x_center;y_center;width;height\na.jpg;cat;8;6;8;6\n",
    "VinBigData": "image_id,class_name,class_id,x_min,y_min,x_max,y_max\na,cat,14,4,3,12,9\n",
    "0 and 1": "patientId,x,y,width,height,Target\na,4,3,8,6,1\nb,,,,,0\n",
}  # fmt: skip


@pytest.mark.parametrize("text", BOXES.values(), ids=BOXES)
def test_boxes_in_columns(tmp_path: Path, text: str) -> None:
    source = read(tmp_path, text, asked=("cat",))
    things = [thing for record in source.records for thing in record.things]
    assert [thing.name for thing in things] == ["cat"] and not any(record.problem for record in source.records)
    assert things[0].corners == pytest.approx(SHARES if things[0].relative else BOX)
    assert things[0].relative == ("XMin" in text) and not any(record.tags for record in source.records)
    assert source.format == "boxes CSV" and any("boxes are in '" in note for note in source.notes)
    sizes = {record.size for record in source.records if record.things}
    assert sizes == ({(W, H)} if "40" in text else {None})


def test_rows_without_a_box_and_groups(tmp_path: Path) -> None:
    text = "image,class,xmin,ymin,xmax,ymax,is_group_of\na,cat,4,3,12,9,1\nb,fine,,,,,0\nc,cat,1,2,x,4,0\nd,None,,,,,\n"
    group, fine, bad, none = read(tmp_path, text).records
    assert group.things[0].crowd == "ignore" and fine.tags == ("fine",) and fine.shapeless == 1
    assert bad.problem is not None and "line 4: the box or run lengths of 'cat' cannot be read" in bad.problem.what
    assert none.tags == none.things == () and not none.unlabelled


@pytest.mark.parametrize(
    "text",
    [
        "image,left,top,right,bottom\na,1,0,0,1\nb,0,1,1,0\n",  # classes
        "image,tags,box\na,cat,yes\nb,dog,no\n",
        "image,tags,mask\na,cat,a_mask.png\nb,dog,b_mask.png\n",
    ],
)
def test_columns_that_only_sound_like_boxes(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).format in ("tags CSV", "one-hot CSV")


@pytest.mark.parametrize("text", ["image,bbox\na,1 2 3 4\n", "image_id,EncodedPixels\na,1 3\n"])
def test_objects_without_a_class(tmp_path: Path, text: str) -> None:
    with pytest.raises(WsssError, match="has objects but no column for their class") as caught:
        read(tmp_path, text)
    assert "--classes ship" in str(caught.value.remedy)
    assert read(tmp_path, text, asked=("ship",)).records[0].things[0].name == "ship"


RUNS = {
    "Airbus": ("ImageId,EncodedPixels\na.jpg,31 2 91 1\nb.jpg,\n", {"asked": ("cat",)}),
    "Severstal": ("ImageId,ClassId,EncodedPixels\na.jpg,cat,31 2 91 1\n", {}),
    "Severstal's first": ("ImageId_ClassId,EncodedPixels\na.jpg_cat,31 2 91 1\na.jpg_dog,\n", {}),
    "clouds": ("Image_Label,EncodedPixels\nx_a.jpg_cat,31 2 91 1\n", {}),
    "Carvana": ("img,rle_mask\na.jpg,31 2 91 1\n", {"asked": ("cat",)}),
    "Sartorius": ("id,annotation,width,height,cell_type\na,41 1 44 1 81 1,40,30,cat\n",
                  {"order": "rows", "tags": "cell_type"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "options"), RUNS.values(), ids=RUNS)
def test_run_lengths_of_competitions(tmp_path: Path, text: str, options: dict[str, Any]) -> None:
    """Columns 1 and 3 of 30 pixels each: two pixels from the top of the second column, the top one of the fourth."""
    things = [thing for record in read(tmp_path, text, **options).records for thing in record.things]
    assert [thing.name for thing in things] == ["cat"]
    expected = np.zeros((H, W), bool)
    if options.get("order") == "rows":
        expected[1, 0] = expected[1, 3] = expected[2, 0] = True
    else:
        expected[0:2, 1] = expected[0, 3] = True
    assert things[0].rle is not None and (things[0].rle.pixels() == expected).all()


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("1 2 2 5", "a run starts before the last one ends"),
        ("1199 3", "they go to pixel 1201, but the image is 40 x 30"),
        ("0 3", "no pairs of a start, from 1 on, and a length"),
        ("3 0", "no pairs of a start, from 1 on, and a length"),
    ],
)
def test_run_lengths_that_are_none(tmp_path: Path, cell: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_cell(cell, W, H, "columns")
    (record,) = read(tmp_path, f"ImageId,ClassId,EncodedPixels\na,4,{cell}\n").records
    assert record.problem is not None and "line 2: the box or run lengths of '4' cannot be read" in record.problem.what
    assert says in record.problem.what


def test_the_order_of_pixels_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="column 'segmentation' holds run lengths, which may go down") as caught:
        read(tmp_path, "id,class,segmentation\na,cat,1 2\nb,cat,\n")
    assert "--rle-order columns, or rows" in str(caught.value.remedy)


def test_tables_of_objects_that_are_found(folder: Folder) -> None:
    """Boxes, then run lengths of images whose size the table does not tell, without an option."""
    write_images(folder.images, ("a.jpg", "b.jpg", "c.jpg"))
    rows = "ImageId,ClassId,EncodedPixels\na.jpg,cat,31 2 91 1\nb.jpg,dog,1 1200\nc.jpg,dog,\n"
    path = write(folder.path / "train.csv", rows)
    prepared = folder.prepare(masks_from_shapes=True, val=0.4)
    assert tags_of(prepared, folder.images) == {"a.jpg": ("cat",), "b.jpg": ("dog",), "c.jpg": ()}
    masks = {s.id: s.mask and read_labels(s.mask) for s in prepared.samples}
    assert [int((masks[id] > 0).sum()) for id in "abc"] == [3, 1200, 0]  # type: ignore[operator]
    write(path, "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,40,30,cat,4,3,12,9\nb.jpg,40,30,dog,1,1,5,5\n")
    assert sample(folder.prepare(val=0.4), "a").boxes == (Box(1, 4, 3, 12, 9),)
