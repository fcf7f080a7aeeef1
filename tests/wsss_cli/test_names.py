"""Names that others wrote never lead out of their folder, and steer no terminal: in every reader and writer."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from drawn_labels import drawn_source
from prepared_data import prepare
from tiny_coco import tiny_coco
from tiny_folder import Folder, write_csv, write_images
from tiny_voc import tiny_voc, write_list
from wsss_cli import names
from wsss_cli.data.prepared import DatasetInfo, Sample, read_info, read_latest, read_prepared
from wsss_cli.downloads.guard import USUAL, Guard
from wsss_cli.errors import WsssError
from wsss_cli.export.labels import FORMATS, export, form_of
from wsss_cli.names import fault, one_line, require_folder_name, visible
from wsss_cli.preparation.prepare import with_plain_classes
from wsss_cli.runs import Run, latest_run
from wsss_coco import DATASET as COCO
from wsss_voc import DATASET as VOC

BAD = {
    "../x": "has '..' in its path",
    "/etc/x": "has an absolute path",
    "C:\\x": "has an absolute path",
    "a/../../b": "has '..' in its path",
    "..": "has '..' in its path",
    "a\x00b": "holds a control character",
    "a\nb": "holds a control character",
    "a\x1b[2J": "holds a control character",
    "a\x85b": "holds a control character",
    "a\u2028b": "holds a control character",
    "a\udcffb": "holds a control character",
    "x" * 300: "is too long",
    "ü" * 120: "is too long",
    "/".join(["x" * 99] * 11): "is too long",
    ".": "is empty or has an empty part",
    "": "is empty or has an empty part",
    "a//b": "is empty or has an empty part",
    "a/./b": "is empty or has an empty part",
    "a ": "begins or ends with a space",
    "a/ b": "begins or ends with a space",
    "a\\..\\b": "is no name that every system can write",
}
GOOD = ("2007_000032", "a/b", "slide 1/tile 3", "..a", "a..b/c.", "図", "é" * 115, "12:30", "aux")
bad = pytest.mark.parametrize("name", BAD, ids=lambda name: ascii(name)[:20])


@bad
def test_what_is_no_path_below_a_folder(name: str) -> None:
    assert BAD[name] in fault(name)
    for make in (sample, lambda id: sample("a", splits=(id,))):
        with pytest.raises(WsssError, match=r"(?s)the (id of an image|split) '.*give"):
            make(name)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_one(name: str) -> None:
    assert fault(name) == "" and sample(name).id == name


@pytest.mark.parametrize("name", ["aux", "a/CON.png", "com1", "12:30", "a.", 'say "x"', "what?"])
def test_names_that_windows_cannot_write(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "WINDOWS", True)
    assert fault(name) == "is no name that every system can write" and not fault("auxiliary/con1.png")


def sample(id: str, **more: object) -> Sample:
    return replace(Sample("x", Path("x.png"), 1, 1, ()), id=id, **more)  # type: ignore[arg-type]


def test_a_split_is_one_part() -> None:
    with pytest.raises(WsssError, match="the split 'a/b' has a '/' in it"):
        sample("a", splits=("a/b",))


def test_paths_are_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match=r"the path '/a\\nb/c.png' holds a control character"):
        Sample("x", Path("/a\nb/c.png"), 1, 1, ())


@bad
def test_runs_data_sets_and_archive_members(name: str, tmp_path: Path) -> None:
    for make in (lambda: require_folder_name(name), lambda: Run(tmp_path, "d", "m", name), lambda: latest(tmp_path)):
        (tmp_path / "latest").write_text(f"{name}/m/r\n", errors="replace")
        with pytest.raises(WsssError):
            make()
    (tmp_path / "a.zip").touch()
    if name not in (".", "", "a//b", "a/./b", "a\\..\\b"):  # in archives these are put right, or told as '..'
        with pytest.raises(WsssError, match=r"is refused: its member .* (has|holds|is|begins)"):
            Guard(tmp_path / "a.zip", USUAL).name(name)


def latest(root: Path) -> None:
    latest_run(root)
    read_latest(root)


def test_a_data_set_named_outside_is_not_the_last_one(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/dataset.yaml").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/latest").write_text("../outside\n")
    with pytest.raises(WsssError, match="no data set is prepared"):
        read_latest(tmp_path / "data")


@pytest.mark.parametrize("key", ["id", "image", "mask", "splits"])
@bad
def test_lines_of_samples(key: str, name: str, tmp_path: Path) -> None:
    if key in ("image", "mask") and name in ("/etc/x", "C:\\x"):
        return  # images lie anywhere
    source = drawn_source(tmp_path)
    folder = prepared_folder(tmp_path, source.samples)
    rows = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    rows[1][key] = [name] if key == "splits" else name
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    head = yaml.safe_load((folder / "dataset.yaml").read_text())  # without the sums, as versions before them wrote it
    (folder / "dataset.yaml").write_text(yaml.safe_dump({k: v for k, v in head.items() if k not in ("lines", "sum")}))
    with pytest.raises(WsssError, match=r"(?s)samples.jsonl: the \w+.*run `wsss prepare` again"):
        read_prepared(folder)


def prepared_folder(tmp_path: Path, samples: tuple[Sample, ...]) -> Path:
    from wsss_cli.data.prepared import write_prepared

    info = DatasetInfo("d", "toy", ("cat",), {"train": "train"}, "drawn")
    write_prepared(tmp_path / "d", info, samples)
    return tmp_path / "d"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("line", ["../x", "/../x", "a/../../b", "a\x00b", "x" * 300, ".", "../x.jpg ../y.png", "a\x1b"])
def test_lists_of_voc(line: str, tmp_path: Path) -> None:
    devkit = tiny_voc(tmp_path)
    for folder, ending in (("JPEGImages", "jpg"), ("Annotations", "xml"), ("SegmentationClassAug", "png")):
        shutil.copy(devkit / folder / f"img_0.{ending}", devkit / f"x.{ending}")  # so that nothing is missing
    write_list(devkit, "train_aug", ["img_0", line])
    before = everything(tmp_path)
    with pytest.raises(WsssError, match=r"(?s)train_aug.txt, line 2: .*correct the line"):
        prepare(VOC, VOC.config_class()(root=devkit), "tiny", tmp_path / "data")
    assert everything(tmp_path) == before


@bad
def test_images_of_coco(name: str, tmp_path: Path) -> None:
    content = json.loads((tiny_coco(tmp_path) / "annotations/instances_train2014.json").read_text())
    content["images"][0]["file_name"] = f"{name}.jpg"
    (tmp_path / "annotations/instances_train2014.json").write_text(json.dumps(content))
    if name in ("", ".", "a//b", "a/./b", ".."):  # plain names once the ending is there, or once tidied
        return
    with pytest.raises(WsssError, match=r"(image \d+: file_name|the id of an image) '.*"):
        prepare(COCO, COCO.config_class()(root=tmp_path), "tiny", tmp_path / "data")
    assert not (tmp_path / "data/tiny").exists()


def test_images_of_a_folder_with_odd_names_get_plain_ids(tmp_path: Path) -> None:
    odd = [
        "a\nb.png",
        "a\x1b[2J.png",
        " a .png",
        "c .png",
        "x" * 240 + ".png",
        "d\\..\\e.png",
        "f\x85.png",
        "..g/h.png",
    ]
    folder = Folder(tmp_path)
    write_images(folder.images, [*odd[:-1], "i.png"])
    write_csv(tmp_path / "tags.csv", {"i.png": ("cat",), "c .png": ("dog",)})
    with pytest.raises(WsssError, match=r"holds a control character\n    rename the file"):
        folder.prepare(tags=[tmp_path / "tags.csv"], val="0.5")
    for path in list(folder.images.iterdir()):
        if names.CONTROL.search(path.name):
            path.unlink()
    found = folder.prepare(tags=[tmp_path / "tags.csv"], val="0.5")
    assert all(not fault(s.id) for s in found.samples)
    assert {"c_", "_a_", "d_.._e", "i"} < {s.id for s in found.samples}


@pytest.mark.parametrize("name", FORMATS)
def test_exports_stay_in_their_folder(name: str, tmp_path: Path) -> None:
    """Images whose paths go up and down again, as those of `--images ../photos` do."""
    source = drawn_source(tmp_path)
    moved = tuple(
        replace(s, image=tmp_path / "raw/a/../.." / s.image.relative_to(tmp_path)) if n % 2 else s
        for n, s in enumerate(source.samples)
    )
    source = replace(source, samples=moved)
    before = everything(tmp_path)
    export(source, tmp_path / "deep/er/out", name, form_of(name, None, None, None), None, lambda n=1, note="": None)
    after = everything(tmp_path)
    assert {k: v for k, v in after.items() if not k.startswith("deep/er/out/")} == before
    assert ".." not in "".join(k for k in after if k.startswith("deep"))
    assert all(".." not in source.image_name(s) for s in moved)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("a\nb", "a b"),
        ("a \r\n\tb", "a b"),
        ("cat\x1b[31m", "cat [31m"),
        ("  cat ", "cat"),
        ("a\x00", "a"),
        ("ü x", "ü x"),
    ],
)
def test_names_of_classes_stand_on_one_line(given: str, plain: str) -> None:
    info = with_plain_classes(DatasetInfo("d", "toy", ("dog", given), {}, ""))
    assert info.classes == ("dog", plain) == ("dog", one_line(given))
    assert len(info.notes) == (given != plain) and all(repr(given) in note for note in info.notes)


@pytest.mark.parametrize(
    ("given", "why"), [("dog\n", "another class has it"), ("\n", "needs 1 to"), ("x" * 2000, "needs 1")]
)
def test_names_of_classes_that_are_none(given: str, why: str) -> None:
    with pytest.raises(WsssError, match=f"class 2 cannot be called '.*{why}"):
        with_plain_classes(DatasetInfo("d", "toy", ("dog", given), {}, ""))


@pytest.mark.parametrize("given", ["background", "Background", " background\n"])
def test_no_class_has_the_name_of_the_background(given: str) -> None:
    """Scores by name would give one the other's."""
    with pytest.raises(WsssError, match="'background', as id 0 is"):
        with_plain_classes(DatasetInfo("d", "toy", ("dog", given), {}, ""))


def test_a_data_set_with_classes_of_two_lines_is_refused(tmp_path: Path) -> None:
    folder = prepared_folder(tmp_path, ())
    head = yaml.safe_load((folder / "dataset.yaml").read_text())
    del head["sum"]  # as versions before there was one wrote it
    (folder / "dataset.yaml").write_text(yaml.safe_dump(head | {"classes": ["c\nat"]}))
    with pytest.raises(WsssError, match=r"the class 'c\\nat' is not on one line"):
        read_info(folder)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("two\nlines\t.", "two\nlines\t."),
        ("a\rb", "a\\rb"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\udcff", "a\\udcff"),
        ("\x9b31m", "\\x9b31m"),
        ("é [bold]図[/]", "é [bold]図[/]"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, seen: str) -> None:
    assert visible(text) == seen


def on_console(show: Callable[[], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    from wsss_cli import console

    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    console.console.cache_clear()
    console.set_up_logging()
    try:
        show()
        shown = capsys.readouterr()
        return shown.out + shown.err
    finally:
        console.log.handlers.clear()
        console.console.cache_clear()


def test_the_console_spells_out_and_takes_no_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from wsss_cli import console

    evil = "\x1b[2J\x1b]0;t\x07[red]x[/red][/]"

    def show() -> None:
        console.say(evil)
        console.warn(evil)
        console.log.error("%s", evil)
        console.table(evil, [evil, "n"], [[evil, "1"]])
        with console.track(evil, 2) as tick, console.logging_to(tmp_path / "log.txt"):
            tick(2, note=evil)
            console.say(evil)

    text = on_console(show, capsys, monkeypatch) + (tmp_path / "log.txt").read_text()
    assert "\x1b[2J" not in text and "\x1b]0" not in text and "\x07" not in text
    assert text.count("\\x1b[2J") >= 7 and "[red]x[/red][/]" in text


def test_ids_are_quick_to_look_at() -> None:
    start = os.times().user
    for n in range(20_000):
        fault(f"2007_{n:06}")
    assert os.times().user - start < 1.0  # 120,000 images: a few seconds at worst
