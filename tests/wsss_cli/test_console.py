"""What the user sees where there is no terminal."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsss_cli import console


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    console.console.cache_clear()
    console.set_up_logging()
    yield
    console.log.handlers.clear()
    console.console.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in its only element."""
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_progress_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with console.track("score", 40) as tick:
        for _ in range(40):
            clock[0] += 0.6
            tick(1, note="loss 2")
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" images")[0] for line in lines] == ["score: 17 of 40", "score: 34 of 40", "score: 40 of 40"]
    assert re.fullmatch(r"score: 17 of 40 images, 1.67 images/s, 14 s left, \d+\.\d GiB, loss 2", lines[0])
    assert "left" not in lines[-1]


def test_a_slow_beginning_says_nothing_of_what_is_left() -> None:
    pace = console.Pace(0.0)
    pace.add(1, 60.0)
    assert pace.left(1000) is None
    for n in range(1, 800):
        pace.add(1, 60.0 + n)
        if n > 1:
            assert pace.left(1000) == pytest.approx(1000 - 1 - n)
    for n in range(1, 101):  # it slows down: the latest half tells
        pace.add(1, 859.0 + 3 * n)
    assert 100 < (pace.left(1000) or 0) < 300 and len(pace.marks) < 500


def test_progress_of_unknown_length(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with console.counter("prepare") as count:
        for done in range(1, 4):
            clock[0] += 1
            count(done, 0)
    assert capsys.readouterr().out.startswith("prepare: 3 images, 1.5 images/s")


def test_only_the_program_draws_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a script or notebook that imports it, though its output is a terminal."""
    drawn = []
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setattr(console, "_bar", lambda *of: (drawn.append(of), console._lines(*of))[1])
    for handlers, expected in ((console.log.handlers[:], 1), ([], 1)):
        monkeypatch.setattr(console.log, "handlers", handlers)
        with console.track("score", 1) as tick:
            tick(1)
        assert len(drawn) == expected


def test_nothing_to_do_and_other_ranks_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for total, show in ((0, True), (5, False)):
        with console.track("score", total, show=show) as tick:
            tick(1)
    assert capsys.readouterr().out == ""


def test_problems_stay_away_from_results(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("made [bold]it[/bold]" + " long" * 40)
    console.warn("careful")
    console.log.error("broken\n  mend it")
    out, err = capsys.readouterr()
    assert out == "made [bold]it[/bold]" + " long" * 40 + "\n"  # one line, no markup
    assert err == "warning: careful\nerror: broken\n  mend it\n"


def test_ranks_other_than_0_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    console.set_up_logging(1)
    console.say("hidden")
    console.warn("shown")
    assert capsys.readouterr() == ("", "warning: shown\n")


def test_long_cells_wrap_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    remedy = "install torch, torchvision and timm together: pip install --upgrade torch torchvision timm"
    console.table("", ["", "what", "mIoU"], [["error", remedy, "61.5"], ["ok", "[brackets] stay", "7.0"]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and "[brackets] stay" in "".join(lines)
    words = [word for line in lines for word in line.split("│")[2:3] for word in word.split()]
    assert set(remedy.split()) <= set(words)
    assert lines[3].endswith("│ 61.5 │") and any(line.endswith("│  7.0 │") for line in lines)  # numbers to the right


def test_the_log_file_has_times_and_every_line(tmp_path: Path) -> None:
    with console.logging_to(tmp_path / "log.txt"):
        console.say("one")
        console.warn("two")
    console.say("three")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line) for line in lines] == ["I one", "W two"]


def test_a_full_disk_does_not_break_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.txt").symlink_to("/dev/full")
    with console.logging_to(tmp_path / "log.txt"):
        console.say("one")
    assert capsys.readouterr() == ("one\n", "")


def test_peak_memory_is_plausible() -> None:
    assert 0.01 < console.peak_memory() < 1000
