"""make torture: a hostile week for a run, at random: kills, damages, pairs of commands, full disks, wrong types.

python tests/torture.py [--minutes 30] [--seed 0]; prints tried / survived / failed of each kind and exits with 1 if
anything failed.  Each kind has its turn, in an order that the seed draws.  Survived: the results are those of the
undisturbed run, or the fault is told in a message with code 2; and nothing damaged is left of which nobody tells.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from processes import Forked, Result, Wsss, import_once, until
from tiny_recipes import SMALLER
from torture_importers import IMPORTERS, change, files_below, retyped
from wsss_cli.data.prepared import read_prepared
from wsss_cli.errors import WsssError
from wsss_cli.testing import leaves as tensors

METHODS = {"irn": (), "beco": (), "toco": ("--stage", "pseudo")}
"""With what `wsss evaluate` is to be called besides, so that each of a method's stages runs."""
PLAIN = ("--workers", 0)
SCENES = ("prepare", "shapes", "--train", 16, "--val", 6, "--size", 64)
USED = ("wsss_irn.stages", "wsss_beco.stages", "wsss_toco.stages", "wsss_folder.prepare", "wsss_cli.report.page")
"""By commands, so that forks need not import them."""
SECONDS = 240  # for one command
SHARES = {"kills": 0.3, "damages": 0.4, "pairs": 0.1, "disks": 0.08, "importers": 0.12}
"""Of the time."""


@dataclass
class Ledger:
    """What was tried and what came of it."""

    tried: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, why: str) -> None:
        """One more of a kind; `why` says what went wrong, "" if nothing did."""
        self.tried[kind] += 1
        if why:
            self.failed[kind] += 1
            print(f"FAILED {kind}: {why}", flush=True)

    def table(self) -> str:
        rows = ["| what | tried | survived | failed |", "|---|---|---|---|"]
        tried, failed = self.tried.total(), self.failed.total()
        for kind, of_kind in [*sorted(self.tried.items()), ("all", tried)]:
            wrong = failed if kind == "all" else self.failed[kind]
            rows.append(f"| {kind} | {of_kind} | {of_kind - wrong} | {wrong} |")
        return "\n".join(rows)


@dataclass(frozen=True)
class Subject:
    """A method with a finished run in `folder`, and what that holds.

    stages  the seconds that each took
    halted  by its file the folder of a run that was killed in a training, its checkpoint half-finished
    """

    name: str
    folder: Path
    results: dict[str, Any]
    stages: dict[str, float]
    halted: dict[str, Path] = field(default_factory=dict)

    def copy(self, place: Path, runs: bool = True) -> Wsss:
        return copied(self.folder, place, runs)

    @property
    def commands(self) -> list[tuple[object, ...]]:
        """Those that lead through every stage."""
        first = ("evaluate", self.name, "--train", "--recipe", "tiny.yaml")
        more = [("evaluate", *METHODS[self.name], *PLAIN)] if METHODS[self.name] else []
        return [(*first, *PLAIN), *more]

    def run(self, command: Wsss) -> Result:
        """All of them, until one does not end well."""
        for words in self.commands:
            done = command(*words, seconds=SECONDS)
            if done.code:
                break
        return done


def copied(folder: Path, place: Path, runs: bool = True) -> Wsss:
    """`place` becomes a copy of the folder, the times of files as they are."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place, ignore=None if runs else shutil.ignore_patterns("runs"))
    return Wsss(place, ())


def subject(folder: Path, name: str) -> Subject:
    """Prepare scenes and run every stage once, undisturbed."""
    folder.mkdir(parents=True)
    recipe = copy.deepcopy(SMALLER[name])
    recipe["train"]["loop"] = {**recipe["train"]["loop"], "batch": 4}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    command = Wsss(folder, ())
    made = Subject(name, folder, {}, {})
    for done in (command(*SCENES, seconds=SECONDS), made.run(command)):
        assert done.code == 0, done.text
    records = sorted(folder.glob("runs/*/*/*/*/stage.json"), key=lambda path: path.stat().st_mtime)
    stages = {path.parent.name: float(json.loads(path.read_text())["seconds"]) for path in records}
    return Subject(name, folder, results(folder), stages)


def results(folder: Path) -> dict[str, Any]:
    """Weights, maps and scores of the run in a folder, without times."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "runs").rglob("*")):
        name = path.relative_to(folder).as_posix()
        if ".previous/" in name or "damaged/" in name or not path.is_file():
            continue
        if path.suffix == ".png" or (path.suffix == ".json" and path.parent.name == "instances"):
            found[name] = path.read_bytes()
        elif path.suffix == ".npz":
            with np.load(io.BytesIO(path.read_bytes())) as arrays:
                found |= {f"{name}.{key}": arrays[key].tobytes() for key in arrays}
        elif path.suffix == ".pt":
            found |= {
                f"{name}{key}": value.numpy().tobytes() if isinstance(value, torch.Tensor) else value
                for key, value in tensors(torch.load(path, weights_only=True)["model"])
            }
        elif path.name == "scores.json":
            found[name] = str(json.loads(path.read_text())["scores"])
    return found


def fault_of(result: Result, codes: tuple[int, ...] = (0, 2)) -> str:
    """What is wrong with how a command ended: a traceback, another code, or code 2 without a word."""
    if "Traceback" in result.text:
        return "traceback: " + result.text.strip().splitlines()[-1]
    if result.code not in codes:
        return f"code {result.code}: {result.text.strip()[-300:]}"
    return "code 2 without a message" if result.code == 2 and not result.text.strip() else ""


def same(subject: Subject, place: Path) -> str:
    try:
        now = results(place)
    except Exception as error:  # a damaged file that was left raises whatever its bytes lead to
        return f"unreadable results: {type(error).__name__}: {error}"
    other = [k for k in subject.results.keys() | now.keys() if subject.results.get(k) != now.get(k)]
    return f"other results: {len(other)}, first {min(other)}" if other else ""


def litter(folder: Path) -> str:
    found = [path.name for path in folder.rglob("*.part")]
    return f"litter: {found}" if found else ""


# ---- kills


def killed(rng: random.Random, subject: Subject, place: Path, stage: str) -> str:
    """Kill what leads through every stage within one of them, some more times at random, then let it end."""
    command = subject.copy(place, runs=False)
    for number, words in enumerate(subject.commands):
        process = command.start(*words)
        if stage in subject.stages and _reached(process, place, stage):
            time.sleep(rng.uniform(0, subject.stages[stage]))
            _kill(rng, process)
            break
        if (done := process.wait(SECONDS)).code:
            return f"stage {stage} was not reached, command {number}: {done.text[-300:]}"
    for _ in range(rng.randint(0, 2)):
        process = command.start(*rng.choice(subject.commands))
        time.sleep(rng.uniform(0.05, 1) ** 2 * 12)
        _kill(rng, process)
    return fault_of(subject.run(command), (0,)) or same(subject, place) or litter(place)


def _reached(process: Forked, place: Path, stage: str) -> bool:
    """Wait until a process is in a stage; False if it ends before."""
    while not list(place.glob(f"runs/*/*/*/{stage}/stage.json")):
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return False
        time.sleep(0.005)
    return True


def _kill(rng: random.Random, process: Forked) -> None:
    process.send(rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)))
    process.wait(SECONDS)


def halt(subject: Subject, kind: str, place: Path) -> Path:
    """A run that was killed once the checkpoint `kind`, as "train/checkpoint.pt", was there but not finished."""
    for _ in range(10):
        command = subject.copy(place, runs=False)
        process = command.start(*subject.commands[0])
        until(lambda: list(place.glob(f"runs/*/*/*/{kind}")), SECONDS)
        process.send(signal.SIGKILL)
        process.wait()
        if not torch.load(next(place.glob(f"runs/*/*/*/{kind}")), weights_only=True)["done"]:
            return place
    raise AssertionError(f"no training of {subject.name} could be stopped that leaves {kind}")


# ---- damages


def flip(rng: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    if out:
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def splice(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randint(1, 40)) + data[at + rng.randint(0, 40) :]


def retype(rng: random.Random, data: bytes) -> bytes:
    """One value of a JSON or YAML, or of one line of JSON, is of another type, and no sum tells; else other bytes."""
    lines = data.splitlines()
    line = rng.randrange(len(lines)) if lines else 0
    for read, text in ((json.loads, data), (json.loads, lines[line] if lines else b""), (yaml.safe_load, data)):
        try:
            content = read(text)
        except Exception:  # not of this form
            continue
        if not isinstance(content, dict | list):
            continue
        change(rng, content)
        if isinstance(content, dict):
            content.pop("sum", None)
        if read is yaml.safe_load:
            return yaml.safe_dump(content).encode()
        new = json.dumps(content).encode()
        return new if text is data else b"\n".join([*lines[:line], new, *lines[line + 1 :]])
    return splice(rng, data)


DAMAGES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "flipped bit": flip,
    "cut": lambda rng, data: data[: rng.randrange(len(data) + 1)],
    "empty": lambda rng, data: b"",
    "second half zero": lambda rng, data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "other bytes": splice,
    "lines doubled": lambda rng, data: data + data[data.rfind(b"\n", 0, -1) + 1 :],
    "another type": retype,
    "gone": lambda rng, data: b"",
}
COMMANDS = (
    ("evaluate",),
    ("infer", "--force"),
    ("train", "--force"),
    ("pseudo", "--force"),
    ("evaluate", "--force"),
    ("check",),
    ("report",),
    ("export", "labels", "--format", "coco", "--out", "out", *PLAIN),
)
REFUSED = ("run.yaml", "latest", "dataset.yaml", "samples.jsonl", "images/*.png", "masks/*.png", "objects/*.png")
"""Kinds of files that are not made again: what is theirs alone may end in a message."""
COURSE = ("log.txt", "config.yaml", "latest")
"""Of a stage's course, not its result: read by people, or written anew by the next command."""


def kind_of(path: Path, place: Path) -> str:
    """Of a file of a run or a data set: "stage.json", "images/*.png", "seeds/cam_net/checkpoint.pt"."""
    parts = path.relative_to(place).parts
    below = parts[4:] if parts[0] == "runs" else parts[2:]
    if path.suffix in (".pt", ".npz", ".png"):
        name = path.name if path.suffix == ".pt" else f"*{path.suffix}"
        return "/".join((*below[:-1], name))
    return path.name if parts[0] == "runs" and len(below) < 3 else "/".join((*below[:-1], path.name)) or path.name


def damageable(place: Path) -> dict[str, list[Path]]:
    """By kind, the files of a run and of its data."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(p for room in ("data", "runs") for p in (place / room).rglob("*") if p.is_file()):
        if not path.name.startswith("."):
            kinds.setdefault(_shared(kind_of(path, place)), []).append(path)
    return kinds


def _shared(kind: str) -> str:
    """One kind for the many JSONs of a folder."""
    folder, _, name = kind.rpartition("/")
    return f"{folder}/*.json" if folder and name.endswith(".json") and name != "instances.json" else kind


@dataclass(frozen=True)
class Target:
    """A kind of file, and where a run with such files lies."""

    kind: str
    subject: Subject
    folder: Path
    file: str = ""


def targets(subjects: list[Subject]) -> dict[str, list[Target]]:
    """By kind; a checkpoint of a training that was killed is a kind of its own."""
    found: dict[str, list[Target]] = {}
    for one in subjects:
        for kind in damageable(one.folder):
            found.setdefault(kind, []).append(Target(kind, one, one.folder))
        for kind, folder in one.halted.items():
            found.setdefault(f"{kind}, half-finished", []).append(Target(kind, one, folder))
    return found


def damaged(rng: random.Random, target: Target, place: Path, how: str) -> str:
    """One damage to one file, one command, then what leads through every stage: what remains is whole or told."""
    command = copied(target.folder, place)
    path = rng.choice(damageable(place)[target.kind])
    before = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(DAMAGES[how](rng, before))
    after = path.read_bytes() if path.is_file() else None
    words = rng.choice(COMMANDS)
    extra = () if words[0] in ("check", "report", "export") else PLAIN
    did = f"{how} of {path.relative_to(place)}, then wsss {' '.join(map(str, words))}"
    first = command(*words, *extra, seconds=SECONDS)
    if why := fault_of(first):
        return f"{did}: {why}"
    ended = target.subject.run(command)
    if why := fault_of(ended, (0, 2) if target.kind in REFUSED else (0,)):
        return f"{did}, then wsss evaluate: {why}"
    if after == before or ended.code == 2:
        return ""
    now = path.read_bytes() if path.is_file() else None
    left = now == after and path.name not in COURSE
    if left and how != "another type":  # that is as if edited by hand: without a sum, and of use
        told = first.text + ended.text + command("check", "--json", seconds=SECONDS).text
        names = (path.name, *([path.stem] if path.suffix in (".png", ".npz") else []))  # images are told by their ids
        if not any(name in told for name in names) and f"{path.parent.name} is not what it was" not in told:
            return f"{did}: nobody tells of it"
    why = same(target.subject, place)
    return f"{did}: {why}" if why and not (left and _of_one_file(target.subject, place, path)) else ""


def _of_one_file(subject: Subject, place: Path, path: Path) -> bool:
    """What nothing needs any more may stay gone or damaged: that very file differs, and no other."""
    path.unlink(missing_ok=True)
    name, now = path.relative_to(place).as_posix(), results(place)
    differing = [k for k in subject.results.keys() | now.keys() if subject.results.get(k) != now.get(k)]
    return all(key.startswith(name) for key in differing)


# ---- pairs


def paired(rng: random.Random, subject: Subject, place: Path, other: tuple[object, ...]) -> str:
    """Two commands at once on one run."""
    command = subject.copy(place, runs=rng.random() < 0.7)
    pair = [other, rng.choice(subject.commands)]
    rng.shuffle(pair)
    started = []
    for words in pair:
        started.append(command.start(*words))
        time.sleep(rng.uniform(0, 1.5))
    for words, process in zip(pair, started):
        if why := fault_of(process.wait(SECONDS)):
            return f"{pair}: {words[0]}: {why}"
    return fault_of(subject.run(command), (0,)) or same(subject, place) or litter(place)


PAIRS: dict[str, tuple[object, ...]] = {
    "evaluate": ("evaluate", *PLAIN),
    "train": ("train", *PLAIN),
    "pseudo --force": ("pseudo", "--force", *PLAIN),
    "prepare --force": (*SCENES, "--force"),
    "check": ("check",),
    "report": ("report",),
    "export": ("export", "labels", "--format", "png", "--out", "out", *PLAIN),
}

# ---- a small disk

SIZES = tuple(size * 1024 for size in (20, 60, 120, 250, 500, 1000, 2000))


def filled(rng: random.Random, subject: Subject, place: Path, size: int) -> str:
    """The whole chain on a file system that is too small; then with room."""
    command = subject.copy(place, runs=False)
    disk = place / "runs"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
    try:
        full = subject.run(command)
        if why := fault_of(full):
            return f"{size} bytes: {why}"
        if full.code == 2 and "no space left" not in full.err:
            return f"{size} bytes: {full.err.strip()[-200:]}"
        subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
        return fault_of(subject.run(command), (0,)) or same(subject, place) or litter(place)
    finally:
        subprocess.run(["umount", disk], check=True)


def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


# ---- importers


def imported(rng: random.Random, place: Path, name: str) -> str:
    """Spoil one file of a layout: it is prepared, and can be read and checked, or the fault is told."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    path, words = IMPORTERS[name](place)
    file = rng.choice(files_below(path))
    did = retyped(rng, file) if rng.random() < 0.6 else ""
    if not did:
        did = rng.choice(("flipped bit", "cut", "other bytes", "empty"))
        file.write_bytes(DAMAGES[did](rng, file.read_bytes()))
    command = Wsss(place, ())
    done = command(*words, seconds=SECONDS)
    if why := fault_of(done):
        return f"{did} in {file.name}: {why}"
    if done.code:
        return ""
    try:
        read_prepared(place / "data" / (place / "data/latest").read_text().strip())
    except WsssError as error:
        return f"{did} in {file.name}: prepared, but: {error}"
    why = fault_of(command("check", seconds=SECONDS))
    return f"{did} in {file.name}, then wsss check: {why}" if why else ""


# ---- all of it


def turns(rng: random.Random, kinds: list[Any]) -> Iterator[Any]:
    """Each in its turn, the order drawn anew each time."""
    while True:
        yield from rng.sample(kinds, len(kinds))


def guarded(attempt: Callable[..., str], *given: Any) -> str:
    try:
        return attempt(*given)
    except AssertionError as error:  # a command that hung
        return str(error)[:300]


def attempts(
    rng: random.Random, subjects: list[Subject], place: Path
) -> dict[str, Iterator[tuple[str, Callable[..., str], tuple[Any, ...]]]]:
    """Of each kind one after the other: the row of the table, and what is to be called on a place with what."""
    by_kind = targets(subjects)
    stages = [(one, stage) for one in subjects for stage in one.stages]
    ways = {kind: turns(rng, list(DAMAGES)) for kind in by_kind}
    draw = rng.choice
    found: dict[str, Iterator[tuple[str, Callable[..., str], tuple[Any, ...]]]] = {
        "kills": ((f"kill: {one.name}, {s}", killed, (rng, one, place, s)) for one, s in turns(rng, stages)),
        "damages": (
            (f"damage: {k}", damaged, (rng, draw(by_kind[k]), place, next(ways[k]))) for k in turns(rng, list(by_kind))
        ),
        "pairs": ((f"pair: {k}", paired, (rng, draw(subjects), place, PAIRS[k])) for k in turns(rng, list(PAIRS))),
        "importers": ((f"importer: {k}", imported, (rng, place, k)) for k in turns(rng, list(IMPORTERS))),
    }
    if can_mount():
        found["disks"] = (
            (f"disk of {size // 1024:4} KiB", filled, (rng, draw(subjects), place, size))
            for size in turns(rng, [*SIZES])
        )
    return found


def all_subjects(root: Path) -> list[Subject]:
    """The methods, each with one killed in every kind of training that no other has been killed in."""
    subjects, seen = [subject(root / name, name) for name in METHODS], set()
    for one in subjects:
        trainings = [kind for kind in damageable(one.folder) if kind.endswith("checkpoint.pt")]
        for kind in trainings:
            if kind not in seen or kind == "train/checkpoint.pt":
                seen.add(kind)
                one.halted[kind] = halt(one, kind, root / f"{one.name}-{kind.replace('/', '-')}")
    return subjects


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="for all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    import_once(*USED)
    rng, ledger = random.Random(asked.seed), Ledger()
    with tempfile.TemporaryDirectory() as root:
        ways = attempts(rng, all_subjects(Path(root)), Path(root) / "w")
        spent, end = dict.fromkeys(ways, 0.0), time.monotonic() + 60 * asked.minutes
        while time.monotonic() < end:
            way = min(ways, key=lambda name: spent[name] / SHARES[name])
            kind, attempt, given = next(ways[way])
            start = time.monotonic()
            ledger.note(kind, guarded(attempt, *given))
            spent[way] += time.monotonic() - start
    print(ledger.table())
    print(
        f"seed {asked.seed}, {asked.minutes:g} minutes" + ("" if "disks" in ways else "; no small disk to be mounted")
    )
    sys.exit(bool(ledger.failed))


if __name__ == "__main__":
    main()
