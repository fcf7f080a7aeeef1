"""What a command leaves alone: finished results that are closed to writing, and the repository it is called in."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from processes import Wsss

RUN = Path("runs/dots/toy/default")


@pytest.fixture
def closed(wsss: Wsss, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wsss]:
    """Finished results whose folders nobody may write to; for root, who may, they only say so."""
    done = wsss("evaluate", "toy", "--train", "--workers", 0)
    assert done.code == 0, done.text
    folders = [path for room in ("runs", "data") for path in (wsss.folder / room).rglob("*") if path.is_dir()]
    folders += [wsss.folder / "runs", wsss.folder / "data"]
    access = os.access
    shut = {str(path) for path in folders}
    monkeypatch.setattr(os, "access", lambda p, mode: str(p) not in shut and access(p, mode))
    for folder in folders:
        folder.chmod(0o555)
    yield wsss
    for folder in folders:
        folder.chmod(0o755)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    found = (path for room in ("runs", "data") for path in (folder / room).rglob("*"))
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in found}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export", "labels", "toy", "--format", "png", "--out", "out"), "10 images of split 'train' -> out"),
        (("report", "toy", "--output", "out/report.html"), "report: out/report.html"),
        (("evaluate", "toy", "--output", "out"), "mIoU"),
        (("evaluate", "toy"), "mIoU"),
        (("evaluate", "toy", "--stage", "pseudo", "--output", "out"), "mIoU"),
        (("infer", "toy"), "finished already"),
    ],
)
def test_closed_results_are_used(closed: Wsss, words: tuple[str, ...], says: str) -> None:
    before = state(closed.folder)
    done = closed(*words)
    assert done.code == 0 and says in done.out, done.text
    assert state(closed.folder) == before
    if words[0] == "evaluate" and "out" in words:
        assert (closed.folder / "out/scores.json").is_file()


def test_what_must_be_made_in_a_closed_run_is_refused(closed: Wsss) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    done = closed("train", "toy", "--force")
    assert done.code == 2 and "not allowed to write" in done.err


@pytest.mark.parametrize(
    "words", [("train", "toy", "loop.epochs=3"), ("seeds", "toy", "--force"), ("evaluate", "toy", "--force")]
)
def test_what_must_be_made_in_a_read_only_run_is_refused(
    closed: Wsss, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Path, *rest: Any, ignore_errors: bool = False, **how: Any) -> Any:
            if path.parts[0] != "runs":
                return change(path, *rest, **how)
            if ignore_errors or (how.get("exist_ok") and path.is_dir()):
                return None
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

        return call

    for change in ("mkdir", "rename", "replace", "unlink"):
        monkeypatch.setattr(Path, change, refusing(getattr(Path, change)))
    monkeypatch.setattr(shutil, "rmtree", refusing(shutil.rmtree))
    before = state(closed.folder)
    done = closed(*words, "--workers", 0)
    assert done.code == 2 and "error: not allowed to write runs/dots/toy/default/" in done.err, done.text
    assert "read-only" in done.err and "Traceback" not in done.err and state(closed.folder) == before


def test_scores_take_the_place_of_nothing_but_scores(wsss: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wsss("evaluate", "toy", "--train", "--workers", 0, "--output", "scores").code == 0
    for name in ("thesis", "scores.previous"):
        (wsss.folder / name).mkdir()
        (wsss.folder / name / "thesis.txt").write_text("years")
    for place, named in (("thesis", "thesis"), ("runs", "runs"), (".", ""), ("scores", "scores.previous")):
        refused = wsss("evaluate", "toy", "--output", place, "--set", "evaluate.mean_over=union", "--workers", 0)
        assert refused.code == 2 and f"{named} is there, and holds no scores" in refused.err, refused.text
    assert sorted(path.name for path in wsss.folder.glob("*/thesis.txt")) == ["thesis.txt"] * 2
    (wsss.folder / "scores.previous/thesis.txt").unlink()
    assert wsss("evaluate", "toy", "--output", "scores", "--force", "--workers", 0).code == 0
    assert (wsss.folder / "scores/scores.json").is_file()


def test_a_place_where_nothing_can_be_made_is_told_before_work_starts(wsss: Wsss) -> None:
    (wsss.folder / "file").touch()
    for words in (
        ("evaluate", "toy", "--train", "--output", "file/out"),
        ("infer", "toy", "--train", "--voc-submission", "file/out.tgz"),
        ("report", "toy", "--output", "file/out.html"),
        ("export", "labels", "toy", "--train", "--format", "png", "--out", "file/out"),
        ("export", "model", "toy", "--to", "file/out"),
        ("benchmark", "dots", "--output", "file/out.md"),
        ("check", "--sheet", "file/out.png"),
    ):
        done = wsss(*words)
        assert done.code == 2 and "file is no folder\n" in done.err and "Traceback" not in done.text, done.text
    assert not (wsss.folder / "runs").exists()


def test_a_runs_folder_that_may_not_be_looked_into(wsss: Wsss, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def refused(path: Path, **how: bool) -> os.stat_result:
        if path.parts[:1] == ("runs",) and len(path.parts) > 1:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", refused)
    done = wsss("check")
    assert done.code == 2 and "'runs/latest' may not be looked at: permission denied" in done.err


def git(folder: Path, *words: str) -> str:
    named = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    return subprocess.run(named, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_repository_stays_as_it_was(wsss: Wsss) -> None:
    """Every command, in somebody's repository that leaves data/ and runs/ out."""
    (wsss.folder / ".gitignore").write_text("data/\nruns/\n")
    git(wsss.folder, "init", "-q")
    git(wsss.folder, "add", ".gitignore")
    git(wsss.folder, "commit", "-q", "-m", "first")
    inside = wsss.folder / ".git"
    before = {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in inside.rglob("*")}
    out = wsss.folder.with_name(wsss.folder.name + "-out")
    for words in (
        ("prepare", "dots", "--images", 15, "--force"),
        ("check",),
        ("evaluate", "toy", "--train", "--workers", 2),
        ("evaluate", "--stage", "pseudo"),
        ("report",),
        ("export", "labels", "--format", "coco", "--out", out),
        ("methods",),
        ("datasets",),
    ):
        done = wsss(*words)
        assert done.code == 0, done.text
        assert {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in inside.rglob("*")} == before, words
    assert git(wsss.folder, "status", "--porcelain") == ""
    shutil.rmtree(out)
