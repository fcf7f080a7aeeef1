"""What scores or predicts begins no run by itself."""

from pathlib import Path

import pytest

from wsss_cli.commands.begun import require_begun
from wsss_cli.config import parse_set
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.plan import laid_out
from wsss_cli.plugins import method
from wsss_cli.runs import Run, Settings, write_record

SPLITS = {"train": "train", "val": "train", "seeds": "train"}
NONE = {"status": "failed", "config": {}, "data_hash": "", "inputs": {}}


def require(folder: Path, name: str, target: str, *settings: str) -> None:
    sample = Sample("a", folder / "a.png", 9, 9, (1,), (Box(1, 0, 0, 9, 9),), folder / "m.png", ("train",))
    data = Prepared(folder, DatasetInfo("none", "none", ("thing",), SPLITS, "made up", hash="1"), (sample,))
    asked = Settings()
    for setting in settings:
        asked = asked.updated(None, parse_set(setting))
    run = Run(folder / "runs", "none", name, "mine")
    require_begun(run, laid_out(run, method(name), target, data, asked))


def begin(folder: Path, name: str, stage: str, run: str = "mine") -> None:
    """However it went on."""
    write_record(folder / "runs/none" / name / run / stage, NONE)


@pytest.mark.parametrize(
    ("name", "target", "begun", "lacking"),
    [
        ("irn", "evaluate", (), "was never trained"),
        ("irn", "infer", (), "was never trained"),
        ("irn", "infer", ("seeds", "pseudo"), "was never trained"),
        ("irn", "evaluate-seeds", (), "has no seeds yet"),
        ("irn", "evaluate-pseudo", ("seeds",), "has no pseudo-labels yet"),  # for which IRN trains a network
        ("bcm", "evaluate-pseudo", ("seeds",), "was never trained"),
        ("toco", "evaluate-pseudo", (), "was never trained"),
        ("clipes", "evaluate-pseudo", (), "has no seeds yet"),
    ],
)
def test_what_was_never_begun_is_refused(
    tmp_path: Path, name: str, target: str, begun: tuple[str, ...], lacking: str
) -> None:
    for stage in begun:
        begin(tmp_path, name, stage)
    with pytest.raises(
        WsssError, match=rf"^run {name}/mine on data set 'none' {lacking}\n.*--name mine` begins it.*--train"
    ):
        require(tmp_path, name, target)


@pytest.mark.parametrize(
    ("name", "target", "begun", "settings"),
    [
        ("irn", "evaluate", ("train",), ()),  # the stages before it, gone or changed, are made again
        ("irn", "infer", ("train",), ("infer.flip=true", "train.loop.epochs=1")),
        ("irn", "evaluate-seeds", ("seeds",), ()),
        ("irn", "evaluate-pseudo", ("pseudo",), ()),
        ("clipes", "evaluate-pseudo", ("seeds",), ()),  # only refined
        ("toco", "evaluate-pseudo", ("train",), ()),
        ("beco", "infer", (), ("train.checkpoint=beco.pth",)),
        ("bcm", "infer", (), ("train.fr.checkpoint=bcm.pth",)),
    ],
)
def test_what_was_begun_goes_on(
    tmp_path: Path, name: str, target: str, begun: tuple[str, ...], settings: tuple[str, ...]
) -> None:
    for stage in begun:
        begin(tmp_path, name, stage)
    require(tmp_path, name, target, *settings)


def test_the_nearest_run_is_named(tmp_path: Path) -> None:
    begin(tmp_path, "irn", "train", "mime")
    begin(tmp_path, "irn", "seeds", "mine2")
    with pytest.raises(WsssError, match=r"was never trained; did you mean 'irn/mime'\?\n"):
        require(tmp_path, "irn", "evaluate")
    with pytest.raises(WsssError, match=r"has no seeds yet; did you mean 'irn/mine2'\?\n"):
        require(tmp_path, "irn", "evaluate-seeds")
