"""What a stage vouches for: no damage to a file of a run is read as good, and none leads in a circle."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processes import Wsss
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.errors import WsssError
from wsss_cli.seals import clear_damaged, damaged, seal, sealed
from wsss_cli.sound import fault, jpeg_fault

RUN = Path("runs/dots/toy/default")


@pytest.fixture(scope="module")
def whole(dots: Path, toy_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(dots / "data", folder / "data")
    result = Wsss(folder, (toy_site,))("evaluate", "toy", "--train", "--workers", 0)
    assert result.code == 0, result.text
    return folder


@pytest.fixture
def scored(whole: Path, toy_site: Path, tmp_path: Path) -> Wsss:
    shutil.copytree(whole, tmp_path / "w")
    return Wsss(tmp_path / "w", (toy_site,))


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def kept_time(path: Path) -> None:
    """A bit that fell over by itself: the file's time says nothing."""
    stat = path.stat()
    flipped(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


DAMAGES = {
    "flipped": flipped,
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "gone": lambda path: path.unlink(),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}


READERS = {
    "seeds/cam/dot03.npy": ("pseudo", "--force"),
    "pseudo/labels/dot03.png": ("train", "--force"),
    "train/checkpoint.pt": ("infer", "--force"),
    "infer/labels/dot12.png": ("evaluate", "--force"),
    "evaluate/scores.json": ("evaluate",),
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [*((name, "flipped") for name in READERS), *(("infer/labels/dot12.png", damage) for damage in DAMAGES)],
)
def test_a_damaged_result_is_made_whole_by_whoever_reads_it(scored: Wsss, name: str, damage: str) -> None:
    path = scored.folder / RUN / name
    before = _results(scored.folder)
    DAMAGES[damage](path)
    result = scored(*READERS[name], "--workers", 0)
    assert result.code == 0, result.text
    assert "missing" in result.out if damage == "gone" else "damaged" in result.out
    assert _results(scored.folder) == before
    assert (path.parents[len(Path(name).parts) - 2] / "damaged").exists() == (damage != "gone")


def _results(folder: Path) -> dict[str, Any]:
    """What the stages made; times and paths in it are left out."""
    made = {p.name: p.read_bytes() for p in sorted((folder / RUN).glob("*/labels/*.png"))}
    scores = json.loads((folder / RUN / "evaluate/scores.json").read_text())["scores"]
    return made | {"scores": [{k: str(v) for k, v in row.items() if k != "seconds"} for row in scores]}


@pytest.mark.parametrize("damage", ["flipped", "empty", "longer"])
@pytest.mark.parametrize("name", ["train/stage.json", "train/files.sum"])
def test_a_damaged_record_makes_its_stage_again(scored: Wsss, name: str, damage: str) -> None:
    before = _results(scored.folder)
    DAMAGES[damage](scored.folder / RUN / name)
    result = scored("infer", "--force", "--workers", 0)
    assert result.code == 0, result.text
    if damage != "longer" or "sum" in name:
        assert "damaged" in result.out and _results(scored.folder) == before
    kept = (scored.folder / RUN / "train.damaged").exists()
    assert kept == ("stage" in name and damage != "longer"), "what nobody knows is kept, not deleted"


def test_a_folder_without_its_record_is_not_taken_for_todays_result(scored: Wsss) -> None:
    (scored.folder / RUN / "pseudo" / "stage.json").unlink()
    result = scored("pseudo", "threshold=0.9", "--workers", 0)
    assert result.code == 0 and "pseudo: its stage.json is gone" in result.out
    assert (scored.folder / RUN / "pseudo.damaged/labels/dot03.png").exists()
    assert json.loads((scored.folder / RUN / "pseudo/stage.json").read_text())["config"]["threshold"] == 0.9


def test_a_bit_that_fell_by_itself_is_told_when_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels" / "a.png"
    write_labels(path, np.arange(64, dtype=np.uint8).reshape(8, 8))
    sums = sealed(tmp_path, seal(tmp_path))
    assert sums is not None
    kept_time(path)
    assert damaged(tmp_path, sums, sums) == [] and damaged(tmp_path, sums, sums, every=True) == ["labels/a.png"]
    with pytest.raises(WsssError, match=r"a\.png is damaged.*\n.*delete it: it is made again"):
        read_labels(path)


def test_no_flipped_bit_of_a_label_map_gives_other_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    labels = np.random.default_rng(0).integers(0, 5, (20, 30), np.uint8)
    write_labels(path, labels)
    whole = path.read_bytes()
    for at in range(0, len(whole) * 8, 41):
        data = bytearray(whole)
        data[at // 8] ^= 1 << at % 8
        path.write_bytes(data)
        with pytest.raises(WsssError, match=r"a\.png"):
            read_labels(path)


@pytest.mark.parametrize("damage", [flipped, DAMAGES["cut"], DAMAGES["empty"], DAMAGES["zeros"]])
def test_half_made_stages_lose_what_is_damaged_and_nothing_else(wsss: Wsss, damage: Callable[[Path], Any]) -> None:
    assert wsss("pseudo", "toy", "--workers", 0, TOY_KILL_AFTER="4").code == 0
    folder = wsss.folder / RUN / "pseudo"
    clear_damaged(folder, None)
    assert len(list((folder / "labels").iterdir())) == 10
    damage(folder / "labels" / "dot02.png")
    clear_damaged(folder, None)
    assert not (folder / "labels" / "dot02.png").exists() and (folder / "damaged/labels/dot02.png").exists()
    assert len(list((folder / "labels").iterdir())) == 9


def test_forbidden_is_not_damaged(scored: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = scored.folder / RUN / "pseudo"
    sums = sealed(folder, json.loads((folder / "stage.json").read_text())["seal"])
    assert sums is not None
    os.utime(folder / "labels/dot03.png")

    def forbidden(path: Path, *_: object, **__: object) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(WsssError, match=r"dot03\.png cannot be read: Permission denied\n  check the file's rights"):
        damaged(folder, sums, sums)


@pytest.mark.parametrize(
    "content", ["", "recipe: null\n", "[", "- 1", "\0", "set: 5\nrecipe: null", "train: 5", "\xff"]
)
def test_a_damaged_run_yaml_asks_for_nothing_by_itself(scored: Wsss, content: str) -> None:
    path = scored.folder / RUN / "run.yaml"
    path.write_bytes(content.encode("latin-1"))
    result = scored("evaluate")
    assert result.code == 2 and "run.yaml" in result.err and "Traceback" not in result.text
    assert not list((scored.folder / RUN).glob("*.previous"))


def test_a_setting_that_changed_by_itself_is_noticed(scored: Wsss) -> None:
    assert scored("evaluate", "train.lr=0.25", "--workers", 0).code == 0
    path = scored.folder / RUN / "run.yaml"
    path.write_text(path.read_text().replace("0.25", "0.75"))
    result = scored("evaluate")
    assert result.code == 2 and "is damaged, or was changed by hand" in result.err
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("sum")))
    assert "train: would run (changed: lr: 0.25 -> 0.75)" in scored("evaluate", "--dry-run").out


@pytest.mark.parametrize("content", ["", "\0", "a", "a/b/c/d", "../x/y", "\xff\xfe"])
def test_a_damaged_latest_is_named(scored: Wsss, content: str) -> None:
    (scored.folder / "runs/latest").write_bytes(content.encode("latin-1"))
    result = scored("evaluate")
    assert result.code == 2 and "Traceback" not in result.text


def test_a_thousand_label_maps_cost_little(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 9, (40, 40), np.uint8)
    for i in range(1000):
        write_labels(tmp_path / "labels" / f"{i}.png", labels)
    start = time.monotonic()
    sums = sealed(tmp_path, seal(tmp_path))
    middle = time.monotonic()
    assert sums is not None and damaged(tmp_path, sums, sums) == []
    assert middle - start < 2 and time.monotonic() - middle < 0.2  # 0.13 s and 0.01 s on one core


def test_endings_of_jpegs(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    data = path.read_bytes()
    assert jpeg_fault(data) == jpeg_fault(data + b"preview of a camera") == jpeg_fault(b"no JPEG") == ""
    assert jpeg_fault(data[: len(data) // 2] + bytes(len(data) - len(data) // 2)) != ""
    assert fault(path) == ""


def test_check_reads_every_file_of_a_run(scored: Wsss) -> None:
    assert scored("check").code == 0
    kept_time(scored.folder / RUN / "train" / "checkpoint.pt")
    found = scored("check")
    assert found.code == 2 and "checkpoint.pt" in found.text and "are damaged" in " ".join(found.text.split())


def test_a_setting_that_failed_is_not_remembered(scored: Wsss) -> None:
    path = scored.folder / RUN / "run.yaml"
    before = path.read_bytes()
    failed = scored("train", "poison=0", "--workers", 0)
    assert failed.code == 2 and "the loss is not finite at iteration 1" in failed.err
    assert path.read_bytes() == before
    assert "train: finished already" in scored("train").out, "the result of before is back in its place"


def test_a_setting_by_which_something_was_made_is_remembered(wsss: Wsss) -> None:
    assert wsss("train", "toy", "poison=3", "loop.save_minutes=0", "--workers", 0).code == 2
    assert "poison: 3" in (wsss.folder / RUN / "run.yaml").read_text()


def test_a_small_disk_is_told_before_anything_runs(wsss: Wsss) -> None:
    def small() -> None:
        import shutil

        shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10, 9, 3 << 20)  # type: ignore[attr-defined]
        wsss._main(["train", "toy", "--dry-run"])

    from processes import Forked

    said = " ".join(Forked(small, wsss.folder, wsss.paths()).wait().text.split())
    assert "the disk of runs may be too small: 3 MiB are free, and up to 1,373 MiB may be needed" in said
