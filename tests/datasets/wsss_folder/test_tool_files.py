"""Files that annotation tools wrote, as tests/tool_writers.py has them do: pixels, boxes and words."""

import json

import pytest

from tiny_folder import Folder, write
from tool_files import FILES, HEIGHT, READS, WIDTH, require_read, write_images
from wsss_cli.data.prepared import Box


@pytest.mark.parametrize("name", READS)
def test_files_of_tools(folder: Folder, name: str) -> None:
    require_read(folder, FILES / name.partition("/")[0], READS[name])


@pytest.mark.parametrize("kind", ["oriented_rectangle", "rotation"])
def test_turned_rectangles_of_labelme(folder: Folder, kind: str) -> None:
    """The first is labelme's since release 6, the second AnyLabeling's; four corners each."""
    images = write_images(folder.path / "pictures")
    shape = {"label": "cat", "points": [[10, 2], [14, 6], [10, 10], [6, 6]], "shape_type": kind, "group_id": None}
    for name in ("one", "two"):
        content = {"version": "6.3.1", "flags": {}, "shapes": [shape], "imagePath": f"{name}.png", "imageData": None}
        write(images / f"{name}.json", json.dumps({**content, "imageHeight": HEIGHT, "imageWidth": WIDTH}))
    prepared = folder.prepare(images=images, labelme=images, val=0.5)
    assert [s.boxes for s in prepared.samples] == [(Box(1, 6, 2, 14, 10),)] * 2
