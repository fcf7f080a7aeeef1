"""What iterations say, looked at one iteration late: so that the host does not wait for a GPU that is at work."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsss_cli.errors import WsssError
from wsss_cli.files import append_text, write_text
from wsss_cli.ranks.distributed import gather


class Late:
    """Numbers on their way to the host; of a CPU's they are there."""

    def __init__(self, values: Tensor) -> None:
        """values (n,), without gradient; nothing waits for them yet."""
        self.values = values
        self.event: torch.cuda.Event | None = None
        if values.is_cuda:
            self.values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self.values.copy_(values, non_blocking=True)
            self.event = torch.cuda.Event()
            self.event.record(torch.cuda.current_stream(values.device))

    def read(self) -> list[float]:
        """They, once they are there."""
        if self.event is not None:
            self.event.synchronize()
        return self.values.tolist()


@dataclass
class Report:
    """What iteration k, the first being 1, says.

    names, values  of its losses; means over all ranks where the ranks meet, else this rank's
    seconds        of its parts
    rate           the learning rate, where the journal is to tell it with the losses
    scores         of a validation after it
    """

    k: int
    names: tuple[str, ...]
    values: Late
    seconds: dict[str, float]
    rate: float | None = None
    scores: dict[str, float] = field(default_factory=dict)

    def losses(self) -> dict[str, float]:
        return dict(zip(self.names, self.values.read()))


class Reports:
    """The reports of a training, of which the newest waits until the next one is there.

    last  the losses of the newest iteration that was looked at, and its seconds
    bad   the first iteration whose losses were not finite, and these: what comes after it is neither told nor kept
    """

    def __init__(self, title: str, journal: Journal | None, per_epoch: int, last: dict[str, float]) -> None:
        self.title, self.journal, self.per_epoch, self.last = title, journal, per_epoch, last
        self.bad: tuple[int, dict[str, float]] | None = None
        self.newest: Report | None = None

    def add(self, report: Report) -> None:
        """The newest one; the one before is settled."""
        start = time.perf_counter()
        self.settle()
        if report.values.event is not None:
            report.seconds["wait"] = time.perf_counter() - start
        self.newest = report

    def settle(self) -> None:
        """Look at the newest and write it into the journal."""
        report, self.newest = self.newest, None
        if report is None:
            return
        losses = self._look(report)
        row: dict[str, Any] = dict(report.scores)
        if report.rate is not None:
            row = {"lr": report.rate, **losses, "time": report.seconds, **row}
        if self.journal is not None and self.bad is None and row:
            self.journal.write({"iteration": report.k, "epoch": report.k / self.per_epoch, **row})

    def check(self) -> None:
        """Look at the newest, on all ranks at once: raises WsssError if a loss so far was not finite on any."""
        if self.newest is not None:
            self._look(self.newest)
        if found := [bad for bad in gather(self.bad) if bad is not None]:
            raise _not_finite(self.title, *min(found, key=lambda bad: bad[0]))

    def note(self) -> str:
        """For the bar."""
        losses = [value for name, value in self.last.items() if name != "seconds"]
        return f"loss {sum(losses):.4g}" if losses else ""

    def _look(self, report: Report) -> dict[str, float]:
        losses = report.losses()
        if not all(map(math.isfinite, losses.values())):
            self.bad = self.bad or (report.k, losses)
        self.last = losses | {"seconds": sum(report.seconds.values())}
        return losses


class Journal:
    """metrics.jsonl; on resumption the lines that the checkpoint does not know are dropped."""

    def __init__(self, path: Path, iteration: int) -> None:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() and iteration else []
        write_text(path, "".join(line + "\n" for line in lines if _iteration(line) <= iteration))
        self.path = path

    def write(self, row: dict[str, Any]) -> None:
        append_text(self.path, json.dumps(row) + "\n")


class Clock:
    """Seconds of the parts of an iteration; on a GPU they are what the host took to ask for them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self.last
        self.last = now


def _not_finite(title: str, k: int, losses: dict[str, float]) -> WsssError:
    terms = ", ".join(f"{name} = {value}" for name, value in losses.items())
    return WsssError(
        f"{title}: the loss is not finite at iteration {k}: {terms}",
        "lower the learning rate, or use amp=bf16 or off; the last checkpoint is from before",
    )


def _iteration(line: str) -> int:
    try:
        return json.loads(line)["iteration"]
    except (ValueError, KeyError):
        return 2**62  # a line cut short by a crash
