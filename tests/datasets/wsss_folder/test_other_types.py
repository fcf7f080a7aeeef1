"""Values of another type, in every place of a file of annotations: a message, never a traceback."""

import copy
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from torture_importers import FOLDER, files_below
from wsss_cli.errors import WsssError
from wsss_folder.coco_json import read_coco
from wsss_folder.cvat_xml import read_cvat
from wsss_folder.empty_boxes import drop_empty
from wsss_folder.label_studio import read_label_studio
from wsss_folder.labelme_json import read_labelme
from wsss_folder.record import Source
from wsss_folder.sources import class_names
from wsss_folder.via import read_via

LAYOUTS = {layout.__name__: layout for layout in FOLDER}
READERS: dict[str, Callable[[Path], Source]] = {
    "coco": read_coco,
    "label_studio": read_label_studio,
    "label_studio_min": read_label_studio,
    "labelme": read_labelme,
    "via": read_via,
}


Place = tuple[Any, ...]
"""The keys that lead to a value."""
WRONG = (None, 5, float("inf"), 2**70, "x", "0", [[]], {"a": 1})


def places(content: Any, below: Place = ()) -> list[Place]:
    """Of every value; of a list, those of its first entry, for the others are as it is."""
    pairs = (
        content.items() if isinstance(content, dict) else enumerate(content[:1]) if isinstance(content, list) else ()
    )
    return [place for key, value in pairs for place in ((*below, key), *places(value, (*below, key)))]


def changed(content: Any, place: Place, value: Any) -> Any:
    """A copy with another value there."""
    spoilt = holder = copy.deepcopy(content)
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return spoilt


def read(reader: Callable[[Path], Source], path: Path) -> None:
    """As `prepare folder` does before it looks at images.  Raises WsssError, also one that is told of a record."""
    source = drop_empty(reader(path))
    class_names([source], "auto")
    for problem in (record.problem for record in source.records if record.problem):
        raise problem


@pytest.mark.parametrize("name", READERS)
def test_any_value_of_a_json(tmp_path: Path, name: str) -> None:
    place, _ = LAYOUTS[name](tmp_path, tmp_path)
    file = files_below(place)[0]
    content, told = json.loads(file.read_text()), 0
    read(READERS[name], file)
    for at, wrong in itertools.product(places(content), WRONG):
        file.write_text(json.dumps(changed(content, at, wrong)))
        try:
            read(READERS[name], file)
        except WsssError as error:
            told += 1
            assert str(file) in error.what or "name no class" in error.what
    assert told > 30


@pytest.mark.parametrize(
    ("of", "wrong", "said"),
    [
        ('width="40"', 'width="True"', "its size cannot be read: invalid literal for int"),
        ('xtl="5"', 'xtl="x"', "<box> of 'cat' cannot be read: could not convert"),
        ("5.0,4;", "5.0;", "<polygon> of 'dog' cannot be read"),
    ],
)
def test_numbers_of_cvat(tmp_path: Path, of: str, wrong: str, said: str) -> None:
    path, _ = LAYOUTS["cvat"](tmp_path, tmp_path)
    path.write_text(path.read_text().replace(of, wrong))
    with pytest.raises(WsssError) as error:
        read(read_cvat, path)
    assert said in error.value.what
