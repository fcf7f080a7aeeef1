"""All rows of docs/speed.md that a GPU fills, by one command, as one Markdown file.

python -m bench.gpu [--beside FOLDER] [--minutes M] [--to FILE] [--tiny] [PART ...]

Each part is a process of its own; one that fails, or for which no time is left, is told and the others go on. What was
not run can be named the next time. `--beside`: another checkout, timed in the same run. `--tiny --device cpu` sees that
training and prediction run.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.cases import CASES
from bench.device import DEVICES, described
from wsss_cli.ranks.distributed import choose_device

MINUTES = 8.0
LEAST = 10.0
"""Seconds under which no part is begun."""


@dataclass(frozen=True)
class Part:
    """Words after `python -m`; whether it knows `--tiny` and `--beside`."""

    words: tuple[str, ...]
    sized: bool = False


PARTS = {
    **{f"train {name}": Part(("bench.training", name), sized=True) for name in CASES},
    "predict": Part(("bench.predict",), sized=True),
    **{name: Part((f"bench.{name}",)) for name in ("puf", "toco", "locbe", "clipes", "beco", "ppmg", "bcm")},
    **{name: Part((f"bench.{name}",)) for name in ("walk", "energy", "seeds", "crf", "nets", "step", "confusion")},
    "train puf, compiled": Part(("bench.training", "--compiled", "puf"), sized=True),
}


@dataclass(frozen=True)
class Options:
    device: str
    beside: str | None
    tiny: bool

    def command(self, part: Part) -> list[str]:
        words = [sys.executable, "-m", *part.words[:1], "--device", self.device]
        if part.sized:
            words += ["--tiny"] * self.tiny + (["--beside", self.beside] if self.beside else [])
        return [*words, *part.words[1:]]


def main(names: list[str], options: Options, minutes: float, to: Path) -> int:
    """Write the file, part by part; returns how many parts failed or were not run."""
    until, bad = time.monotonic() + 60 * minutes, 0
    to.write_text(f"# {described(choose_device(options.device))}\n", encoding="utf-8")
    for name in names:
        left = until - time.monotonic()
        text, fine = run(options.command(PARTS[name]), left) if left > LEAST else ("not run: no time was left", False)
        bad += not fine
        with to.open("a", encoding="utf-8") as file:
            file.write(f"\n## {name}\n\n{text}\n")
        print(f"{name}: {'done' if fine else text.splitlines()[-1]}, {until - time.monotonic():.0f} s left", flush=True)
    return bad


def run(command: list[str], patience: float) -> tuple[str, bool]:
    """What the command printed, and whether it went well; ended with all its processes after so many seconds."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, text=True, start_new_session=True)
        try:
            process.wait(patience)
            reason = f"exit code {process.returncode}" if process.returncode else ""
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            reason = f"stopped after {patience:.0f} s"
        printed, said = _read(out), _read(err)
    shown = printed if printed.count("\n|") or not printed else f"```\n{printed}\n```"
    if not reason:
        return shown, True
    last = said.splitlines()[-1] if said else ""
    return f"{shown}\n\nfailed, {reason}: {last}".strip(), False


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--beside", metavar="FOLDER", help="another checkout, timed in the same run")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of all parts together")
    parser.add_argument("--to", type=Path, default=Path("gpu.md"), help="the file to write")
    parser.add_argument("--tiny", action="store_true", help="small networks and images, and only what knows them")
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    given = parser.parse_args()
    known = [name for name, part in PARTS.items() if part.sized or not given.tiny]
    if unknown := set(given.parts) - set(known):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    chosen = Options(given.device, given.beside, given.tiny)
    raise SystemExit(min(1, main(given.parts or known, chosen, given.minutes, given.to)))
