"""`wsss prepare NAME`, the host's side: let a plugin tell its samples, check them, put the data set in place."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from operator import length_hint
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from wsss_cli.checks.dataset import SHOWN, Finding, Whole, check_sample
from wsss_cli.data.holding import making, require_unused
from wsss_cli.data.label_format import label_format
from wsss_cli.data.prepared import BadSample, DatasetInfo, Sample, read_info, write_prepared
from wsss_cli.dataset import Dataset
from wsss_cli.errors import WsssError
from wsss_cli.files import cannot_take, flush_all, followed, put_in_place, sweep, write_text
from wsss_cli.names import LONGEST, one_line, require_folder_name, shown, visible
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.preparation.smaller import all_smaller, number_of
from wsss_cli.preparation.told import asked, typed

TIMES = re.compile(rb', "stamps": \[[^\]]*\]|^(lines|sum): .*$', re.MULTILINE)
Progress = Callable[[int, int], None]
Say = Callable[[Finding], None]


def prepare(
    plugin: Dataset,
    options: BaseModel,
    name: str,
    root: Path,
    force: bool = False,
    skip_bad: bool = False,
    progress: Progress | None = None,
    say: Say | None = None,
    long_side: int | None = None,
) -> Path:
    """Make the data set `root/name` with a plugin and record it in `root/latest`; returns its folder.

    Memory stays flat.  Everything is made in `.name.part` beside it and renamed at the end, so a failure leaves what
    was there before.  A folder of the same content stays as it is; another is replaced only with `force`.
    skip_bad  leave unusable images out and list them in skipped.txt, instead of failing
    progress  called with (images done, images in all or 0 if unknown); say, with notes and warnings
    long_side  no longer side of an image has more pixels: larger photos are made smaller, once, for every stage
    Raises WsssError with all problems found, nothing written.
    """
    _require_name(name)
    tell = say or (lambda finding: None)
    place = followed(root / name)
    with making(place), aside(place.parent, place.name, plugin.resumes, tell) as folder:
        if force:
            require_unused(place)  # before hours of work, not after
        info, samples = asked(plugin, options, folder)
        info = replace(info, name=name, long_side=long_side)
        review = Review(with_plain_classes(info), skip_bad, progress, partial(typed, plugin=plugin))
        write_prepared(folder, review.info, all_smaller(review.sound(samples), folder, long_side))
        for finding in review.conclude(folder):
            tell(finding)
        if number := number_of(folder):
            what = f"{number} of {review.total} photos are seen at {long_side} pixels of their longer side"
            tell(Finding("ok", f"{what}; results come at their own size"))
        _place(folder, place, force, tell)
    write_text(root / "latest", name + "\n")
    return root / name


def with_plain_classes(info: DatasetInfo) -> DatasetInfo:
    """The names of its classes on one line each, and a note of those that were not.

    Lists of classes and XML cannot hold others.  Raises WsssError for two of one name, for none or a very long one, and
    for the background's, which is id 0.
    """
    names = tuple(map(one_line, info.classes))
    if "background" in map(str.casefold, names):
        what = "a class is called 'background', as id 0 is, which is no class"
        raise WsssError(what, "leave it out or rename it; `wsss prepare folder` takes what has this name for id 0")
    for id, (name, before) in enumerate(zip(names, info.classes), 1):
        if not name or len(name.encode()) > LONGEST or name in names[: id - 1]:
            what = "another class has it" if name in names[: id - 1] else f"it needs 1 to {LONGEST} bytes"
            raise WsssError(f"class {id} cannot be called {shown(before)}: {what}", "correct the names of the classes")
    notes = [f"class {shown(old)} is called {new!r}" for old, new in zip(info.classes, names) if old != new]
    return replace(info, classes=names, notes=(*info.notes, *notes))


@dataclass
class Review:
    """The stream of samples on its way to disk: sound ones pass, problems are kept.

    typed  makes of each what it says it is, or raises WsssError
    """

    info: DatasetInfo
    skip_bad: bool
    progress: Progress | None
    typed: Callable[[Any], Sample | BadSample] = lambda sample: sample
    problems: list[tuple[str, Finding]] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    total: int = 0

    def __post_init__(self) -> None:
        label_format(len(self.info.classes))  # that there are not too many
        self.whole = Whole(self.info)

    def sound(self, samples: Iterable[Any]) -> Iterator[Sample]:
        """Check each sample on all cores; yield those without a problem, in order."""
        expected = length_hint(samples)
        num_classes, how = len(self.info.classes), self.info.reading
        looked_at = ParallelMap(lambda sample: check_sample(self.typed(sample), num_classes, how), samples)
        for done, checked in enumerate(looked_at, 1):
            problems = [*checked.problems]
            self.total += checked.id not in self.bad  # of one that several files name each can tell that it is missing
            if checked.sample is not None and not problems:
                problems = self.whole.add(checked.sample, checked)
            self.problems += [(checked.id, p) for p in problems]
            if problems:
                self.bad.add(checked.id)
            if checked.sample is not None and not problems:
                yield checked.sample
            if self.progress:
                self.progress(done, expected)

    def conclude(self, folder: Path) -> list[Finding]:
        """Notes and warnings.  Raises WsssError if there is an error; writes skipped.txt if images were left out."""
        findings = self.whole.findings()
        bad = [problem for _, problem in self.problems]
        refused = bool(bad) and not self.skip_bad
        errors = [f for f in self.whole.tally.findings() if f.level == "error"]
        if refused:  # a split that is empty for that is no second problem
            errors = [f for f in errors if f.kind != "empty-split"]
        if errors or refused:
            raise _several([*errors, *bad], refused)
        notes = [Finding("ok", note) for note in self.info.notes]
        if bad:
            lines = [f"{one_line(id)}\t{visible(problem.what)}\n" for id, problem in self.problems]
            write_text(folder / "skipped.txt", "".join(lines))
            what = f"{len(self.bad)} of {self.total} images left out"
            notes.append(Finding("warning", what, "skipped.txt lists them"))
        return [*notes, *findings]


def _several(problems: list[Finding], can_skip: bool) -> WsssError:
    """One error that tells of the first problems and the number of all."""
    skip = "put the files right, or leave these images out with --skip-bad" if can_skip else ""
    if len(problems) == 1:
        only = problems[0]
        return WsssError(
            only.what, "; ".join(x for x in (only.remedy, skip and "--skip-bad leaves the image out") if x)
        )
    lines = [f"  {p.what}" + (f"\n    {p.remedy}" if p.remedy else "") for p in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"  ... and {len(problems) - SHOWN} more")
    return WsssError(f"{len(problems)} problems in the data:\n" + "\n".join(lines), skip)


@contextmanager
def aside(root: Path, name: str, keep: bool = False, tell: Say = lambda finding: None) -> Iterator[Path]:
    """A folder beside the data set's place, gone at the end whatever happens; with `keep`, only if all went well.

    Its name is fixed, so what a killed run left behind is cleared by the next, or with `keep` found by it.
    """
    folder = root.absolute() / f".{name}.part"
    _clear(folder, keep)
    try:
        folder.mkdir(parents=True, exist_ok=keep)
    except OSError as error:
        raise WsssError(f"cannot make the folder {folder}: {error.strerror}", "choose another folder") from error
    try:
        yield folder
    except BaseException as error:
        _clear(folder, keep)
        if folder.exists():
            tell(Finding("ok", f"what is made already is kept for the next try in {folder}"))
        if isinstance(error, OSError) and (hindrance := cannot_take(error, folder)):  # of what a plugin writes itself
            raise hindrance from error
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _clear(folder: Path, keep: bool) -> None:
    """Remove the folder; with `keep` only its files, half-written ones at any depth, and the folder if it is empty."""
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.is_dir():
        sweep(folder)
        for path in folder.iterdir():
            if path.is_file():
                path.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()


def _place(folder: Path, place: Path, force: bool, tell: Say) -> None:
    """Rename the finished folder to its place, unless what is there already is the same or must not be touched."""
    if not place.exists():
        flush_all(folder)
        folder.replace(place)
        return
    if not (place / "dataset.yaml").is_file():
        raise WsssError(
            f"{place} exists and is no prepared data set", "choose another name with --name, or move it away"
        )
    same = _hash(place) == _hash(folder)
    if same and not force and _text(place) == _text(folder):
        tell(Finding("ok", f"{place} is up to date"))
        return
    if not (same or force):  # the same content at another place may be replaced: nothing made from it becomes stale
        what = f"{place} exists with other content"
        raise WsssError(what, "replace it with --force, or keep both by giving this one another --name")
    require_unused(place)
    put_in_place(folder, place)


def _hash(folder: Path) -> str:
    try:
        return read_info(folder).hash
    except WsssError:
        return "damaged"


def _text(folder: Path) -> list[bytes]:
    """What is said of the data, without the times of its files and what follows from them."""
    paths = (folder / "dataset.yaml", folder / "samples.jsonl")
    return [TIMES.sub(b"", path.read_bytes()) if path.is_file() else b"" for path in paths]


def _require_name(name: str) -> None:
    if require_folder_name(name) in ("latest", "downloads"):
        raise WsssError(f"'{name}' cannot be the name of a data set", "give another with --name")
