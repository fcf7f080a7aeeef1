"""Which image an annotation means, and the ids of images."""

import os
from pathlib import Path

import pytest

from wsss_cli.errors import WsssError
from wsss_folder.catalogue import LONGEST, find_images, make_ids
from wsss_folder.matching import Finder

NAMES = [
    "a.jpg",
    "x/a.jpg",
    "y/b.png",
    "y/c d.png",
    "z/é.tif",
    "z/n.1.png",
    "p/twin.jpg",
    "q/twin.jpg",
    "q/same.jpg",
    "q/same.png",
]


@pytest.mark.parametrize(
    ("wanted", "means"),
    [
        (["a.jpg"], "a.jpg"),
        (["./x/a.jpg"], "x/a.jpg"),
        ([r"C:\data\x\a.jpg"], "x/a.jpg"),
        (["/home/me/images/a.jpg"], "a.jpg"),
        (["b"], "y/b.png"),
        (["b.jpg"], "y/b.png"),
        (["c_d.png"], "y/c d.png"),
        (["z/e\u0301.tif"], "z/é.tif"),
        (["n.1"], "z/n.1.png"),
        (["p/twin"], "p/twin.jpg"),
        (["same.png"], "q/same.png"),
        (["nothing", "y/b.png"], "y/b.png"),
        (["Y/B.PNG"], "y/b.png"),
        (["y/c%20d.png"], "y/c d.png"),
        (["C%20D"], "y/c d.png"),
        (["Z/%C3%89.tif"], "z/é.tif"),
        (["p__twin.png"], "p/twin.jpg"),  # an exported label map is called by the id
        (["z__n.1.png"], "z/n.1.png"),
        (["q__same.jpg.png"], "q/same.jpg"),
        (["A", "p/twin.jpg"], "p/twin.jpg"),  # what fits as it is comes before what fits in another case
    ],
)  # fmt: skip
def test_found(wanted: list[str], means: str) -> None:
    assert NAMES[Finder(NAMES).find(wanted)] == means


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("twin.jpg", r"'twin.jpg' could mean 'p/twin.jpg', 'q/twin.jpg'"),
        ("q/same", r"'q/same' could mean 'q/same.jpg', 'q/same.png'"),
        ("x/b.png", r"there is no image 'x/b.png'; did you mean 'y/b.png'"),
        ("n", "there is no image 'n'"),
        ("TWIN", "'TWIN' could mean 'p/twin.jpg', 'q/twin.jpg'"),
        ("x/B.png", "there is no image 'x/B.png'; did you mean"),
        ("", "there is no image ''"),
    ],
)
def test_not_found(wanted: str, says: str) -> None:
    with pytest.raises(WsssError, match=says) as caught:
        Finder(NAMES).find([wanted])
    assert caught.value.remedy


def test_ids_are_plain_file_names_and_no_two_are_alike() -> None:
    names = [
        "a.jpg",
        "a.png",
        "b/c.png",
        "b__c.png",
        "B/C.jpg",
        "d e/f.g.png",
        "é/図.png",
        "x" * 250 + ".png",
        'q<"?>.png',
    ]
    ids = make_ids(names)
    assert len({id.casefold() for id in ids}) == len(names)
    assert all("/" not in id and len(id.encode()) <= LONGEST for id in ids)
    assert ids[0] == "a.jpg" and ids[5] == "d e__f.g" and ids[6] == "é__図" and ids[8] == "q____"
    assert ids == make_ids(names)


def test_an_id_depends_on_no_other_image_without_need() -> None:
    assert make_ids(["s/a.png", "s/b.png"])[0] == make_ids(["s/a.png"])[0] == "s__a"


def test_images_are_found_through_links_once(tmp_path: Path) -> None:
    for name in (
        "in/a.JPG",
        "in/.hidden/b.jpg",
        "in/._c.jpg",
        "in/__MACOSX/d.jpg",
        "far/e.png",
        "in/notes.txt",
        "in/m/f.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "in/link").symlink_to(tmp_path / "far")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    assert [f.name for f in find_images(tmp_path / "in", [tmp_path / "in/m"])] == ["a.JPG", "link/e.png"]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    try:
        (Path(os.fsdecode(bytes(tmp_path) + b"/\xff.jpg"))).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(WsssError, match="is no UTF-8"):
        find_images(tmp_path)


def test_two_files_of_one_name_in_other_characters(tmp_path: Path) -> None:
    """One would take the place of the other: an e with an accent is one character, or two."""
    for name in ("caf\u00e9.jpg", "cafe\u0301.jpg"):
        (tmp_path / name).write_bytes(b"x")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("on this file system they are one file")
    with pytest.raises(WsssError, match=r"(?s)cafe\\u0301.jpg' and .*caf\\xe9.jpg' are one name.*rename"):
        find_images(tmp_path)
