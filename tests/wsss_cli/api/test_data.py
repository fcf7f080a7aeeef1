"""Data sets from Python."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import TypeAdapter

import wsss_cli as wsss
from tiny_folder import write, write_csv, write_image
from wsss_cli.plugins import datasets


def test_prepared_and_opened(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = wsss.prepare("shapes", {"train": 6, "val": 6, "size": 64}, name="few", data_root=tmp_path)
    assert made.folder == tmp_path / "few" and len(made.split("train")) == 6 and len(made.info.classes) == 6
    assert wsss.open_data("few", data_root=str(tmp_path)) == made
    assert capfd.readouterr().out == ""
    with pytest.raises(wsss.WsssError, match="exists with other content"):
        wsss.prepare("shapes", {"train": 7, "val": 6, "size": 64}, name="few", data_root=tmp_path)
    with pytest.raises(wsss.WsssError, match=r"no prepared data set 'fwe' in .*; did you mean 'few'"):
        wsss.open_data("fwe", data_root=tmp_path)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("shape", {}, "unknown source 'shape'; did you mean 'shapes'"),
        ("shapes", {"trian": 6}, "did you mean 'train'"),
        ("shapes", {"train": 1}, "'shapes.train' = 1: input should be greater than or equal to 6"),
    ],
)
def test_mistakes(tmp_path: Path, source: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(wsss.WsssError, match=message):
        wsss.prepare(source, options, data_root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("side", [-4, 0, 1, 31, 16385, 0.5, True, "x"])
def test_photos_are_made_no_smaller_than_the_command_makes_them(tmp_path: Path, side: Any) -> None:
    with pytest.raises(wsss.WsssError, match=rf"long_side = '?{side}'?: input should be"):
        wsss.prepare("shapes", {"train": 6, "val": 6}, data_root=tmp_path, long_side=side)
    assert list(tmp_path.iterdir()) == []


def test_photos_are_made_smaller_by_whatever_number_it_is(tmp_path: Path) -> None:
    options = {"train": 6, "val": 6, "size": 64}
    made = wsss.prepare("shapes", options, data_root=tmp_path, long_side=np.int64(32))  # type: ignore[arg-type]
    assert made.info.long_side == 32 and {max(s.width, s.height) for s in made.samples} == {32}
    assert wsss.open_data("shapes", data_root=tmp_path) == made


def test_options_of_several_files_take_one(tmp_path: Path) -> None:
    """As the command does, which takes them one by one."""
    for name in ("a", "b", "c"):
        write_image(tmp_path / f"images/{name}.png")
    csv = write_csv(tmp_path / "t.csv", {f"{name}.png": ("x",) for name in "abc"})
    val = write(tmp_path / "val.txt", "a\n")
    for number, (tags, lists) in enumerate(((str(csv), val), (csv, [str(val)]), ([csv], (val,)))):
        options = {"images": tmp_path / "images", "tags": tags, "split_file": lists}
        made = wsss.prepare("folder", options, name=f"d{number}", data_root=tmp_path / "data")
        assert [s.id for s in made.split("val")] == ["a"] and made.info.classes == ("x",)
    with pytest.raises(wsss.WsssError, match=r"'folder.tags' = 5: input should be a valid tuple"):
        wsss.prepare("folder", {"images": tmp_path / "images", "tags": 5}, data_root=tmp_path / "data")


@pytest.mark.parametrize("source", sorted(datasets()))
def test_every_option_of_several_files_takes_one(source: str) -> None:
    for name, info in datasets()[source].config_class().model_fields.items():
        if info.annotation == tuple[Path, ...]:
            one = TypeAdapter(Annotated[info.annotation, *info.metadata])
            assert one.validate_python("a.csv") == one.validate_python(["a.csv"]) == (Path("a.csv"),), name
