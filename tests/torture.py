"""make torture: a hostile week for a run, at random: kills, damages, pairs of commands, full disks, wrong types.

python tests/torture.py [--minutes 30] [--seed 0]; prints tried / survived / failed of each kind and exits with 1 if
anything failed.  Survived: the results are those of the undisturbed run, or the fault is told in a message with code 2.
"""

from __future__ import annotations

import argparse
import copy
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

import torch
import yaml

import tiny_folder
from processes import Result, Wsss
from tiny_recipes import SMALLER
from wsss_cli.testing import leaves as tensors

METHODS = ("irn", "beco", "toco")
PLAIN = ("--workers", 0)
SECONDS = 240  # for one command


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
        for kind, tried in self.tried.items():
            rows.append(f"| {kind} | {tried} | {tried - self.failed[kind]} | {self.failed[kind]} |")
        return "\n".join(rows)


@dataclass(frozen=True)
class Subject:
    """A method with a finished run in `folder`, and what that holds."""

    name: str
    folder: Path
    results: dict[str, Any]

    def copy(self, place: Path, runs: bool = True) -> Wsss:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.folder, place, ignore=None if runs else shutil.ignore_patterns("runs"))
        return Wsss(place, ())

    @property
    def words(self) -> tuple[object, ...]:
        return ("evaluate", self.name, "--recipe", "tiny.yaml", *PLAIN)


def subject(folder: Path, name: str) -> Subject:
    """Prepare scenes and run every stage once, undisturbed."""
    folder.mkdir(parents=True)
    recipe = copy.deepcopy(SMALLER[name])
    recipe["train"]["loop"] = {**recipe["train"]["loop"], "batch": 4}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    command = Wsss(folder, ())
    for words in (
        ("prepare", "shapes", "--train", 16, "--val", 6, "--size", 64),
        ("evaluate", name, "--recipe", "tiny.yaml", *PLAIN),
    ):
        done = command(*words, seconds=SECONDS)
        assert done.code == 0, done.text
    return Subject(name, folder, results(folder))


def results(folder: Path) -> dict[str, Any]:
    """Weights, label maps and scores of the run in a folder, without times."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "runs").rglob("*")):
        name = path.relative_to(folder).as_posix()
        if ".previous/" in name or "damaged/" in name or ".damaged" in name or not path.is_file():
            continue
        if path.suffix == ".png":
            found[name] = path.read_bytes()
        elif path.name == "checkpoint.pt":
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


def guarded(attempt: Callable[[random.Random, Subject, Path], str], *given: Any) -> str:
    try:
        return attempt(*given)
    except AssertionError as error:  # a command that hung
        return str(error)[:300]


def litter(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*.part")]


# ---- kills


def killed(rng: random.Random, subject: Subject, place: Path) -> str:
    """Kill the whole chain some times at random, then let it end."""
    command = subject.copy(place, runs=False)
    for _ in range(rng.randint(1, 3)):
        process = command.start(*subject.words)
        time.sleep(rng.uniform(0.05, 1) ** 2 * 12)
        process.send(rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
        process.wait(SECONDS)
    ended = command(*subject.words, seconds=SECONDS)
    return fault_of(ended, (0,)) or same(subject, place) or (f"litter: {litter(place)}" if litter(place) else "")


def same(subject: Subject, place: Path) -> str:
    now = results(place)
    other = [k for k in subject.results.keys() | now.keys() if subject.results.get(k) != now.get(k)]
    return f"other results: {len(other)}, first {min(other)}" if other else ""


# ---- damages


def flip(rng: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    if out:
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def splice(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randint(1, 40)) + data[at + rng.randint(0, 40) :]


DAMAGES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "flipped bit": flip,
    "cut": lambda rng, data: data[: rng.randrange(len(data) + 1)],
    "empty": lambda rng, data: b"",
    "second half zero": lambda rng, data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "other bytes": splice,
    "lines doubled": lambda rng, data: data + data[data.rfind(b"\n", 0, -1) + 1 :],
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
)


def damaged(rng: random.Random, subject: Subject, place: Path) -> tuple[str, str]:
    """One damage to one file of the run or of the data, one command; then what remains must be whole or told."""
    command = subject.copy(place)
    files = [p for p in sorted(place.rglob("*")) if p.is_file() and p.name not in (".lock", "tiny.yaml")]
    kinds = sorted({kind_of(p, place) for p in files})
    kind = rng.choice(kinds)
    path = rng.choice([p for p in files if kind_of(p, place) == kind])
    how = rng.choice(sorted(DAMAGES))
    before = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(DAMAGES[how](rng, before))
    unchanged = path.is_file() and path.read_bytes() == before
    words = rng.choice(COMMANDS)
    extra = () if words[0] in ("check", "report") else PLAIN
    told = f"{how} of {path.relative_to(place)}, then wsss {' '.join(words)}"
    first = command(*words, *extra, seconds=SECONDS)
    if why := fault_of(first):
        return f"damages: {kind}", f"{told}: {why}"
    ended = command("evaluate", *PLAIN, seconds=SECONDS)
    if why := fault_of(ended, (0, 2)):
        return f"damages: {kind}", f"{told}, then wsss evaluate: {why}"
    if ended.code == 0 and (why := same(subject, place)) and not unchanged and not lost_unneeded(path, place, why):
        return f"damages: {kind}", f"{told}: {why}"
    return f"damages: {kind}", ""


def lost_unneeded(path: Path, place: Path, why: str) -> bool:
    """What nothing needs any more may be gone: that very file differs, and no other."""
    return "other results: 1," in why and path.relative_to(place).as_posix() in why


def kind_of(path: Path, place: Path) -> str:
    parts = path.relative_to(place).parts
    if path.name in ("stage.json", "run.yaml", "latest", "dataset.yaml", "samples.jsonl", "files.sum"):
        return path.name
    return f"{parts[0]} {path.suffix or path.name}"


# ---- pairs


def paired(rng: random.Random, subject: Subject, place: Path) -> str:
    """Two commands at once on one run."""
    command = subject.copy(place, runs=rng.random() < 0.5)
    choices = [
        subject.words,
        ("train", subject.name, "--recipe", "tiny.yaml", *PLAIN),
        ("check",),
        ("report", subject.name),
    ]
    pair = [rng.choice(choices), subject.words]
    started = []
    for words in pair:
        started.append(command.start(*words))
        time.sleep(rng.uniform(0, 1.5))
    for words, process in zip(pair, started):
        if why := fault_of(process.wait(SECONDS)):
            return f"{pair}: {words[0]}: {why}"
    ended = command(*subject.words, seconds=SECONDS)
    return fault_of(ended, (0,)) or same(subject, place)


# ---- a small disk


def filled(rng: random.Random, subject: Subject, place: Path) -> str:
    """The whole chain on a file system that is too small; then with room."""
    command = subject.copy(place, runs=False)
    disk = place / "runs"
    disk.mkdir()
    size = rng.choice((20, 60, 120, 250, 500, 1000, 2000)) * 1024
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
    try:
        full = command(*subject.words, seconds=SECONDS)
        if why := fault_of(full):
            return f"{size} bytes: {why}"
        if full.code == 2 and "no space left" not in full.err:
            return f"{size} bytes: {full.err.strip()[-200:]}"
        subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
        return fault_of(command(*subject.words, seconds=SECONDS), (0,)) or same(subject, place)
    finally:
        subprocess.run(["umount", disk], check=True)


def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


# ---- importers

WRONG: tuple[Any, ...] = (
    None,
    5,
    -1,
    1e308,
    float("nan"),
    "x",
    "",
    [],
    {},
    [[]],
    True,
    "\0",
    "a" * 5000,
    "../x",
    2**70,
)


def importers(root: Path) -> Iterator[tuple[str, Path, tuple[object, ...]]]:
    """(name, the file to spoil, the words of `wsss prepare folder`) of every layout of annotations."""
    images = tiny_folder.write_images(root / "images")
    base = ("prepare", "folder", "--images", images, "--force")
    yield "coco", tiny_folder.write_coco(root / "coco.json"), (*base, "--coco", root / "coco.json")
    yield "csv", tiny_folder.write_csv(root / "tags.csv"), (*base, "--tags", root / "tags.csv")
    yield "yolo", tiny_folder.write_yolo(root / "yolo"), (*base, "--yolo", root / "yolo")
    yield "xml", tiny_folder.write_pascal(root / "xml"), (*base, "--xml", root / "xml")
    yield "label-studio", tiny_folder.write_label_studio(root / "ls.json"), (*base, "--label-studio", root / "ls.json")
    yield "cvat", tiny_folder.write_cvat(root / "cvat.xml"), (*base, "--cvat", root / "cvat.xml")
    yield "labelme", labelme(root / "labelme", images), (*base, "--labelme", root / "labelme")
    yield "via", via(root / "via.json"), (*base, "--via", root / "via.json", "--via-attribute", "kind")


def labelme(folder: Path, images: Path) -> Path:
    folder.mkdir()
    for name in ("a.jpg", "b.png"):
        shape = {"label": "cat", "points": [[5, 4], [25, 16]], "shape_type": "rectangle", "flags": {}, "group_id": None}
        row = {
            "imagePath": name,
            "imageWidth": 40,
            "imageHeight": 30,
            "shapes": [shape],
            "imageData": None,
            "flags": {},
        }
        (folder / name).with_suffix(".json").write_text(json.dumps(row))
    return folder


def via(path: Path) -> Path:
    shape = {"name": "rect", "x": 5, "y": 4, "width": 20, "height": 12}
    rows = {
        name: {
            "filename": name,
            "size": 9,
            "regions": [{"shape_attributes": shape, "region_attributes": {"kind": "cat"}}],
            "file_attributes": {},
        }
        for name in ("a.jpg", "b.png")
    }
    path.write_text(json.dumps(rows))
    return path


def spoilt(rng: random.Random, path: Path) -> str:
    """Give one value of a JSON another type, or damage the text of another file; returns what was done."""
    file = path if path.is_file() else rng.choice(sorted(p for p in path.rglob("*") if p.is_file()))
    if file.suffix == ".json" and rng.random() < 0.8:
        content = json.loads(file.read_text())
        places = list(leaves(content))
        holder, key = rng.choice(places)
        holder[key] = rng.choice(WRONG)
        file.write_text(json.dumps(content))
        return f"{key} = {holder[key]!r:.40} in {file.name}"
    how = rng.choice(("flipped bit", "cut", "other bytes", "empty"))
    file.write_bytes(DAMAGES[how](rng, file.read_bytes()))
    return f"{how} in {file.name}"


def leaves(content: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of every value, at any depth."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in list(pairs):
        yield content, key
        yield from leaves(value)


def imported(rng: random.Random, place: Path) -> tuple[str, str]:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    name, path, words = rng.choice(list(importers(place)))
    done = spoilt(rng, path)
    why = fault_of(Wsss(place, ())(*words, seconds=SECONDS))
    return f"importer {name}", f"{done}: {why}" if why else ""


# ---- all of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="for all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    rng, ledger = random.Random(asked.seed), Ledger()
    with tempfile.TemporaryDirectory() as root:
        place, subjects = Path(root) / "w", [subject(Path(root) / name, name) for name in METHODS]
        end = time.monotonic() + 60 * asked.minutes
        disks = can_mount()
        while time.monotonic() < end:
            one = rng.choice(subjects)
            ledger.note(f"kills: {one.name}", guarded(killed, rng, one, place))
            for _ in range(4):
                kind, why = damaged_safely(rng, rng.choice(subjects), place)
                ledger.note(kind, why)
            ledger.note("pairs of commands", guarded(paired, rng, one, place))
            if disks:
                ledger.note("a small disk", guarded(filled, rng, one, place))
            for _ in range(6):
                ledger.note(*imported(rng, place))
    ledger.tried = Counter(dict(sorted(ledger.tried.items())))
    print(ledger.table())
    print(f"seed {asked.seed}, {asked.minutes:g} minutes" + ("" if disks else "; no small disk could be mounted"))
    sys.exit(bool(ledger.failed))


def damaged_safely(rng: random.Random, one: Subject, place: Path) -> tuple[str, str]:
    try:
        return damaged(rng, one, place)
    except AssertionError as error:
        return "damages: a command hung", str(error)[:300]


if __name__ == "__main__":
    main()
