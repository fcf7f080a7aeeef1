"""What the user sees: log lines, progress, tables. Rich on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wsss_cli.names import visible

if TYPE_CHECKING:
    from rich.console import Console

log = logging.getLogger("wsss")
log.addFilter(lambda record: _spell_out(record))

_log_file: ContextVar[logging.Handler | None] = ContextVar("log_file", default=None)
"""log.txt of the stage that this thread runs."""

MARKS = 400  # moments that a pace keeps
PLAIN_EVERY = 10.0  # seconds between progress lines when not a terminal

Tick = Callable[..., None]
"""tick(n=1, note=""): n more are done; note stands behind the bar."""


@cache
def console(stderr: bool = False) -> Console:
    """The one rich console of each stream; it honours NO_COLOR and knows whether it is a terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, stderr=stderr)


def say(text: str) -> None:
    """A line for the user, also in the stage's log.txt."""
    _tell(logging.INFO, text)


def warn(text: str) -> None:
    """The same, of a problem."""
    _tell(logging.WARNING, text)


def _tell(level: int, text: str) -> None:
    log.log(level, text)
    if (file := _log_file.get()) is not None:
        file.handle(logging.LogRecord(log.name, level, "", 0, visible(text), (), None))


def _spell_out(record: logging.LogRecord) -> bool:
    """Names from data must not steer the terminal."""
    record.msg, record.args = visible(record.getMessage()), ()
    return True


def set_up_logging(rank: int = 0) -> None:
    """Send the `wsss` log to the console; ranks other than 0 show warnings only."""
    log.handlers.clear()
    log.addHandler(_ConsoleHandler())
    log.setLevel(logging.INFO if rank == 0 else logging.WARNING)
    log.propagate = False


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Append what this thread says to a file as well, with times, whatever of it is shown."""
    handler = _LogFile(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(message)s", "%Y-%m-%d %H:%M:%S"))
    before = _log_file.set(handler)
    try:
        yield
    finally:
        _log_file.reset(before)
        handler.close()


@contextmanager
def track(title: str, total: int | None, unit: str = "images", show: bool = True) -> Iterator[Tick]:
    """Progress of a long step with rate, time left and memory; yields the function that advances it.

    total  None: not known; 0: nothing to do, nothing is shown
    """
    if not show or total == 0:
        yield lambda n=1, note="": None
    else:
        with (_bar if _is_program() and console().is_terminal else _lines)(title, total, unit) as tick:
            yield tick


@contextmanager
def counter(title: str, unit: str = "images") -> Iterator[Callable[[int, int], None]]:
    """As `track`, for work that says (done, total) itself; total 0: not known yet."""
    with ExitStack() as stack:
        ticks: list[Tick] = []
        last = 0

        def count(done: int, total: int) -> None:
            nonlocal last
            if not ticks:
                ticks.append(stack.enter_context(track(title, total or None, unit)))
            ticks[0](done - last)
            last = done

        yield count


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table, its long cells wrapped; columns of numbers are right-aligned."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(header_style="bold")
    for i, name in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[i]) for row in rows)
        grid.add_column(Text(visible(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    if title:  # a line of its own: as the table's title it would be wrapped to the table's width
        console().print(Text(visible(title), style="bold"))
    console().print(grid, soft_wrap=False)


def peak_memory() -> float:
    """Peak resident memory of this process in GiB (on a GPU run: of the GPU's allocations); 0 on Windows: unknown."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return torch.cuda.max_memory_allocated() / 2**30
    if sys.platform == "win32":
        return 0.0
    import resource

    per_gib = 2**20 if sys.platform == "linux" else 2**30  # Linux counts in KiB, macOS in bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_gib


def _is_program() -> bool:
    """Whether this is the `wsss` command, whose terminal it is, and not a program or notebook that imports it."""
    return any(isinstance(handler, _ConsoleHandler) for handler in log.handlers)


class _ConsoleHandler(logging.Handler):
    """Prints through rich: on a terminal above a running bar, elsewhere problems to stderr, away from the results."""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.text import Text

        prefix = {logging.WARNING: ("warning: ", "yellow"), logging.ERROR: ("error: ", "red")}.get(record.levelno)
        text = Text.assemble(prefix, record.getMessage()) if prefix else Text(record.getMessage())
        console(stderr=prefix is not None and not console().is_terminal).print(text)


class _LogFile(logging.FileHandler):
    """log.txt; a full disk is reported by what the stage itself writes, not by a traceback per line."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"-?[\d.,]*%?", cell.strip()))


class Pace:
    """How fast a step goes, from its latest half: the first of it loads, compiles and fills caches."""

    def __init__(self, start: float) -> None:
        self.marks = [(start, 0)]

    def add(self, n: int, now: float) -> None:
        """n more are done at a time in seconds."""
        self.marks.append((now, self.done + n))
        if len(self.marks) > MARKS:
            self.marks = [self.marks[0], *self.marks[2::2]]

    @property
    def done(self) -> int:
        return self.marks[-1][1]

    def left(self, total: int) -> float | None:
        """Seconds to come; None before the second one is done, for the first says nothing of the others."""
        later = [mark for mark in self.marks if mark[1] >= self.done / 2 and mark[1] > 0]
        if len(later) < 2 or later[-1][1] == later[0][1]:
            return None
        (begun, before), (now, done) = later[0], later[-1]
        return (total - done) * (now - begun) / (done - before)


@contextmanager
def _bar(title: str, total: int | None, unit: str) -> Iterator[Tick]:
    from rich import progress as p

    columns = (
        p.TextColumn("{task.description}", markup=False),
        p.BarColumn(30),
        p.MofNCompleteColumn(),
        p.TextColumn("{task.fields[rate]}"),
        p.TextColumn("{task.fields[left]}"),
        p.TextColumn("{task.fields[note]}", markup=False),
    )
    start = time.monotonic()
    with p.Progress(*columns, console=console()) as bar:
        task = bar.add_task(visible(title), total=total, rate="", left="", note="")
        pace = Pace(start)

        def tick(n: int = 1, note: str = "") -> None:
            now = time.monotonic()
            pace.add(n, now)
            rate = f"{pace.done / max(now - start, 1e-9):.3g} {unit}/s  {peak_memory():.1f} GiB"
            seconds = None if total is None else pace.left(total)
            left = "" if seconds is None else str(timedelta(seconds=round(seconds)))
            bar.update(task, advance=n, rate=rate, left=left, note=visible(note))

        yield tick


@contextmanager
def _lines(title: str, total: int | None, unit: str) -> Iterator[Tick]:
    """A line now and then, and one at the end."""
    start = last = time.monotonic()
    pace = Pace(start)
    behind = ""

    def line(now: float) -> None:
        rate = pace.done / max(now - start, 1e-9)
        of = "" if total is None else f" of {total}"
        seconds = None if total is None or pace.done >= total else pace.left(total)
        left = "" if seconds is None else f", {seconds:.0f} s left"
        say(f"{title}: {pace.done}{of} {unit}, {rate:.3g} {unit}/s{left}, {peak_memory():.1f} GiB{behind}")

    def tick(n: int = 1, note: str = "") -> None:
        nonlocal last, behind
        behind = f", {note}" if note else ""
        now = time.monotonic()
        pace.add(n, now)
        if now - last >= PLAIN_EVERY:
            last = now
            line(now)

    yield tick
    line(time.monotonic())
