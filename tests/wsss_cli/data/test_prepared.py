"""What is written is read back; the hash follows the content, not the place."""

from dataclasses import replace
from pathlib import Path

import pytest

from wsss_cli.data import prepared
from wsss_cli.data.prepared import (
    Box,
    DatasetInfo,
    Sample,
    class_id,
    read_info,
    read_latest,
    read_prepared,
    write_prepared,
)
from wsss_cli.errors import WsssError
from wsss_cli.files import put_in_place

INFO = DatasetInfo(
    name="pets",
    kind="folder",
    classes=("Kater", "Hündin", "yes"),
    splits={"train": "train", "val": "val", "seeds": "train"},
    source="a test",
    masks="masks",
    palette=((0, 0, 0), (1, 2, 3), (4, 5, 6), (7, 8, 9)),
    notes=("one left out",),
)


def _samples(images: Path, masks: Path) -> list[Sample]:
    return [
        Sample("ä", images / "ä.jpg", 8, 6, (1, 2), (Box(1, 0, 0, 8, 6),), masks / "ä.png", ("train", "x"), "d", "e"),
        Sample("b", images / "b.jpg", 4, 6, (), (), None, ("val",)),
    ]


def test_round_trip(tmp_path: Path) -> None:
    samples = _samples(tmp_path / "elsewhere", tmp_path / "d" / "masks")
    digest = write_prepared(tmp_path / "d", INFO, iter(samples))
    prepared = read_prepared(tmp_path / "d")
    assert prepared.info == replace(INFO, hash=digest, lines=prepared.info.lines)
    assert list(prepared.samples) == samples
    assert prepared.num_classes == 3
    assert [s.id for s in prepared.split("val")] == ["b"]


def test_files_inside_the_folder_move_with_it(tmp_path: Path) -> None:
    write_prepared(tmp_path / "d", INFO, _samples(tmp_path / "elsewhere", tmp_path / "d" / "masks"))
    (tmp_path / "d").rename(tmp_path / "moved")
    first = read_prepared(tmp_path / "moved").samples[0]
    assert first.mask == tmp_path / "moved" / "masks" / "ä.png"
    assert first.image == tmp_path / "elsewhere" / "ä.jpg"


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    samples = _samples(tmp_path / "a", tmp_path / "a")
    digest = write_prepared(tmp_path / "1", INFO, samples)
    assert (
        write_prepared(tmp_path / "2", replace(INFO, name="other"), _samples(tmp_path / "b", tmp_path / "b")) == digest
    )
    for other in (
        replace(samples[0], tags=(1,)),
        replace(samples[0], boxes=()),
        replace(samples[0], mask=None),
        replace(samples[0], splits=("val",)),
        replace(samples[0], image_digest="other"),
        replace(samples[0], mask_digest="other"),
    ):
        assert write_prepared(tmp_path / "3", INFO, [other, samples[1]]) != digest
    for info in (replace(INFO, classes=("a", "b", "c")), replace(INFO, splits={"train": "x", "val": "val"})):
        assert write_prepared(tmp_path / "3", info, samples) != digest


def test_unknown_split_names_those_there_are(tmp_path: Path) -> None:
    write_prepared(tmp_path, INFO, _samples(tmp_path, tmp_path))
    with pytest.raises(WsssError, match=r"no image in split 'test'\n.*train, val, x"):
        read_prepared(tmp_path).split("test")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("samples.jsonl", '{"id": "a", "image'),
        ("samples.jsonl", '{"id": "a"}'),
        ("dataset.yaml", "name: [a"),
        ("dataset.yaml", "classes: [a]"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, file: str, content: str) -> None:
    write_prepared(tmp_path, INFO, [])
    (tmp_path / file).write_text(content)
    with pytest.raises(WsssError, match=rf"(?s){file} cannot be read.*wsss prepare"):
        read_prepared(tmp_path)


def test_a_line_that_stands_there_twice_is_named(tmp_path: Path) -> None:
    write_prepared(tmp_path, replace(INFO, classes=("1e5", "on", "yes")), [])  # what YAML 1.2 reads otherwise
    path = tmp_path / "dataset.yaml"
    lines = path.read_text().splitlines(keepends=True)
    assert read_info(tmp_path).classes == ("1e5", "on", "yes")
    path.write_text("".join([*lines, lines[-1]]))
    with pytest.raises(
        WsssError, match=rf"'sum' is given twice, in lines {len(lines)} and {len(lines) + 1}\n.*prepare"
    ):
        read_info(tmp_path)


def test_latest(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="no data set is prepared"):
        read_latest(tmp_path)
    write_prepared(tmp_path / "pets", INFO, [])
    (tmp_path / "latest").write_text("pets\n")
    assert read_latest(tmp_path) == "pets"
    assert read_info(tmp_path / "pets").classes[1] == "Hündin"


def test_class_id_suggests_the_nearest() -> None:
    assert class_id("yes", INFO.classes) == 3
    with pytest.raises(WsssError, match=r"unknown class 'Katze'; did you mean 'Kater'\?"):
        class_id("Katze", INFO.classes)


def test_a_data_set_that_is_replaced_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = DatasetInfo("d", "toy", ("cat",), {"train": "train"}, "drawn")
    for name, id in (("d", "old"), (".d.part", "new")):
        write_prepared(tmp_path / name, info, [Sample(id, Path("/x.png"), 1, 1, ())])
    read = prepared.read_info

    def replaced(folder: Path) -> DatasetInfo:
        found = read(folder)
        if (tmp_path / ".d.part").exists():
            put_in_place(tmp_path / ".d.part", folder)
        return found

    monkeypatch.setattr(prepared, "read_info", replaced)
    assert [s.id for s in prepared.read_prepared(tmp_path / "d").samples] == ["new"]
