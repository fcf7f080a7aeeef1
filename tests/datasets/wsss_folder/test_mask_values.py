"""What the values of masks mean, as CVAT and Datumaro write it."""

from pathlib import Path

import pytest

from wsss_cli.errors import WsssError
from wsss_folder.mask_values import COLOUR, parse_values
from wsss_folder.masks import guess_ids


def test_labels_without_colours_have_those_of_voc_in_order(tmp_path: Path) -> None:
    """As Datumaro 1.13 reads labelmap.txt: make_voc_categories generates the colours by the labels' numbers."""
    path = tmp_path / "labelmap.txt"
    path.write_text("# label:color_rgb:parts:actions\nbackground:::\ncat:::\nold dog::head,tail:run\n")
    values = parse_values(str(path))
    assert values.names == {COLOUR: "background", COLOUR + 0x800000: "cat", COLOUR + 0x008000: "old dog"}
    assert values.classes == ("cat", "old dog")


def test_some_with_a_colour_and_some_without_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labelmap.txt"
    path.write_text("background:0,0,0::\ncat:::\n")
    with pytest.raises(WsssError, match="'cat:::' is not VALUE=NAME"):
        parse_values(str(path))


@pytest.mark.parametrize(
    ("held", "classes", "ids"),
    [
        ([(0, 255)], 1, {0: 0, 255: 1}),
        ([(0,), (65535,)], 1, {0: 0, 65535: 1}),  # of 16 bits
        ([(0, 15), (0,)], 1, {0: 0, 15: 1}),  # of 4 bits
        ([(0, 3)], 1, {0: 0, 3: 1}),
        ([(0, 3)], 3, {0: 0, 1: 1, 2: 2, 3: 3, 255: 255}),
        ([(0, 1, 255)], 1, {0: 0, 1: 1, 255: 255}),
        ([(0, 2)], 2, {0: 0, 1: 1, 2: 2, 255: 255}),
    ],
)
def test_values_without_a_table(held: list[tuple[int, ...]], classes: int, ids: dict[int, int]) -> None:
    assert guess_ids(held, classes) == ids


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Pixel Value, Class\n0, background\n1, cat\n", {0: "background", 1: "cat"}),  # Roboflow's _classes.csv
        ("name,r,g,b\nvoid,0,0,0\nbig cat, 64,128,64\n", {COLOUR: "void", COLOUR + 0x408040: "big cat"}),
        ("64 128 64\tAnimal\n0 0 0\t\tVoid\n", {COLOUR + 0x408040: "Animal", COLOUR: "Void"}),  # CamVid's
    ],
)
def test_files_of_values_as_data_sets_have_them(tmp_path: Path, text: str, names: dict[int, str]) -> None:
    (tmp_path / "classes.csv").write_text(text)
    assert parse_values(str(tmp_path / "classes.csv")).names == names
