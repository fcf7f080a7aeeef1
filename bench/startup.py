"""`wsss --help` as a whole process, beside `import typer` and beside the help of a Typer app of two empty commands.

python -m bench.startup
"""

from __future__ import annotations

import resource
import subprocess
import sys

from bench.row import Row

ROUNDS = 7
EMPTY = "import typer; a = typer.Typer(); a.command('x')(lambda: None); a.command('y')(lambda: None); a()"
PROCESSES = {
    "ours": ("-m", "wsss_cli", "--help"),
    "import typer": ("-c", "import typer"),
    "an app of two empty commands": ("-c", EMPTY, "--help"),
}


def main() -> list[Row]:
    """CPU seconds, which other processes do not stretch much: the least of some rounds, in turns."""
    times: dict[str, list[float]] = {name: [] for name in PROCESSES}
    for _ in range(ROUNDS):
        for name, words in PROCESSES.items():
            times[name].append(_seconds(*words))
    ours, *others = ((name, min(seen)) for name, seen in times.items())
    return [
        Row("wsss --help, CPU seconds", ours[1], least, least / ours[1], f"beside: {name}; least of {ROUNDS}")
        for name, least in others
    ]


def _seconds(*args: str) -> float:
    before = _children()
    subprocess.run([sys.executable, *args], stdout=subprocess.DEVNULL, check=True)
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(*main(), sep="\n")
