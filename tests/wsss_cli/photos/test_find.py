"""What files, folders and patterns stand for, and how results are called."""

import json
from pathlib import Path

import pytest

from wsss_cli.errors import WsssError
from wsss_cli.photos.find import RESULTS, find_photos, make_ids

FILES = ("a.jpg", "notes.txt", "in/b.JPG", "in/deep/c.tif", ".hidden.jpg", "made/labels/a.png")
OURS = json.dumps({"model": "pets/irn/default", "weights": "x", "photos": "/photos"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "made" / RESULTS).write_text(OURS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "below", "ids"),
    [
        (["."], "", ["a", "in/b", "in/deep/c"]),  # neither hidden files nor results
        (["in"], "in", ["b", "deep/c"]),
        (["in/deep", "a.jpg"], "", ["in/deep/c", "a"]),  # below the folder that holds both
        (["a.jpg", "./a.jpg", "in/../a.jpg"], "", ["a"]),  # each once
        (["in/*"], "in", ["b", "deep/c"]),  # a pattern names files and folders
        (["**/*.*"], "", ["a", "in/b", "in/deep/c"]),
        (["i*/d*/*.tif"], "", ["in/deep/c"]),
        (["notes.txt"], "", ["notes"]),  # a file that is named is taken at its word
    ],
)
def test_what_names_stand_for(folder: Path, named: list[str], below: str, ids: list[str]) -> None:
    photos = find_photos(named)
    assert photos.root == folder / below and [photo.id for photo in photos.found] == ids
    assert all(photo.path.is_file() for photo in photos.found)


@pytest.mark.parametrize("content", ["[]", '[{"image_id": 1}]', "{}", '{"model": "yolo"}', "", "no JSON", "7"])
def test_a_file_of_that_name_of_another_tool_marks_no_results(folder: Path, content: str) -> None:
    (folder / "in" / RESULTS).write_text(content)
    for named in (["."], ["in", "*.jpg"], ["**/*"]):
        assert sorted(photo.id for photo in find_photos(named).found) == ["a", "in/b", "in/deep/c"]


def test_the_folder_that_holds_all_can_be_given(folder: Path) -> None:
    photos = find_photos(["in/deep/c.tif"], root=Path())
    assert photos.root == folder and [photo.id for photo in photos.found] == ["in/deep/c"]


def test_a_folder_can_be_left_out(folder: Path) -> None:
    assert [photo.id for photo in find_photos(["."], [folder / "in"]).found] == ["a"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jpg", "there is no such file or folder"),
        ("*.webp", "no image matches"),
        ("made", "the folder holds no image"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(folder: Path, name: str, message: str) -> None:
    with pytest.raises(WsssError, match=message):
        find_photos(["a.jpg", name])


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["a.jpg", "b.png"], ["a", "b"]),
        (["a.jpg", "a.png", "x/a.png"], ["a.jpg", "a.png", "x/a"]),
        (["A.jpg", "a.png"], ["A.jpg", "a.png"]),  # not every file system tells them apart
        (["a.png", "a.png.jpg"], ["a", "a.png.jpg"]),
        (["photo", "b.c.jpg"], ["photo", "b.c"]),
    ],
)
def test_no_two_results_have_one_name(names: list[str], ids: list[str]) -> None:
    assert make_ids(names) == ids
