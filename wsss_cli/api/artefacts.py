"""What a run has made, image by image: CAMs, pseudo-labels, predictions; and its scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from wsss_cli.api.arguments import checked
from wsss_cli.cam.store import Cam, read_cam
from wsss_cli.data.label_format import Labels
from wsss_cli.data.labels import read_labels
from wsss_cli.errors import WsssError
from wsss_cli.method import Kind
from wsss_cli.plugins import method as find_method
from wsss_cli.report.read import evaluations, outdated, stage_records
from wsss_cli.runs import Run, known_record

T = TypeVar("T")


class Files(Mapping[str, T]):
    """What lies in a folder by the images' ids; each is read when it is asked for."""

    def __init__(self, folder: Path, suffix: str, read: Callable[[Path], T]) -> None:
        self._folder, self._read = folder, read
        found = sorted(path for path in folder.rglob(f"*{suffix}") if not path.name.startswith("."))
        self._paths = {path.relative_to(folder).as_posix().removesuffix(suffix): path for path in found}

    def __getitem__(self, id: str) -> T:
        return self._read(self._paths[id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __repr__(self) -> str:
        return f"<{len(self)} files of {self._folder}>"


@checked
def read_cams(run: Run) -> Mapping[str, Cam]:
    """The CAMs of a run's stage seeds by the images' ids; `open_run` gives a run.

    Raises WsssError if it has none.
    """
    return Files(_made(run, "seeds", "cam"), ".npz", read_cam)


@checked
def read_pseudo_labels(run: Run) -> Mapping[str, Labels]:
    """The pseudo-labels by the images' ids: (H, W), 0 background, 1..C classes, 255 ignore (65535 of int32 maps).

    Raises WsssError if the run has none.
    """
    return Files(_made(run, "pseudo", "labels"), ".png", read_labels)


@checked
def read_predictions(run: Run, split: str | None = None, *, refined: bool = False) -> Mapping[str, Labels]:
    """The predictions of a split, the validation split if not given, by the images' ids: (H, W), 0 background.

    Ids are of the classes that the data set had when they were made.

    refined  those that a dense CRF has refined.  Raises WsssError if the run has none.
    """
    folder = run.stage(f"infer-{split}" if split else "infer")
    if split and not folder.is_dir() and _split_of(run) == split:
        folder = run.stage("infer")
    return Files(_there(folder / ("labels_crf" if refined else "labels"), run, "infer"), ".png", read_labels)


@checked
def read_scores(run: Run) -> dict[str, dict[str, Any]]:
    """scores.json of each evaluation of the run, by its folder: "evaluate", "evaluate-pseudo".

    Each with a key "outdated": which stage of the run was made again since, beside whose results this score is not to
    stand; "" if none was.
    """
    records = stage_records(run)
    return {
        key: report | {"outdated": outdated(key, records, None)} for key, report in evaluations(run, records).items()
    }


def _split_of(run: Run) -> str | None:
    """The split that the usual predictions are of."""
    return (stage_records(run).get("infer", {}).get("metrics") or {}).get("split")


def _made(run: Run, stage: str, kind: Kind) -> Path:
    """Where a stage has its files of a kind.  Raises WsssError if the method makes none, or they are not there yet."""
    writes = find_method(run.method).writes(stage, kind)
    if not writes:
        raise WsssError(f"stage {stage} of method '{run.method}' makes no {kind}", "see its page in docs/")
    return _there(run.stage(stage) / writes[0].folder, run, stage)


def _there(folder: Path, run: Run, stage: str) -> Path:
    """A folder of a stage that has reached its end; else it holds a part of the images."""
    command = f"wsss {stage} {run.method} --data {run.data} --name {run.name}"
    if not folder.is_dir():
        raise WsssError(f"there is no folder {folder}", f"run the stage first: {command}")
    if known_record(folder.parent).get("status") != "finished":
        raise WsssError(f"{folder.parent} has not reached its end", f"the same command goes on: {command}")
    return folder
