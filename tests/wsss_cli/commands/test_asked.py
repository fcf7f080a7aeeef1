"""What a command that failed leaves of what it was asked."""

from pathlib import Path

import pytest
import torch

from wsss_cli.config import StageConfig
from wsss_cli.data.prepared import DatasetInfo, read_prepared, write_prepared
from wsss_cli.errors import Hindrance, WsssError
from wsss_cli.method import Stage
from wsss_cli.plan import Step
from wsss_cli.plugins import method
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.running.target import Target, perform
from wsss_cli.runs import Run, Settings

EARLIER, NOW = Settings("mobile", {"train": {"seed": 1}}), Settings("voc", {"train": {"seed": 2}})


@pytest.mark.parametrize("before", [None, EARLIER])
@pytest.mark.parametrize(
    ("error", "made", "kept"),
    [
        (WsssError("decode head 'fcn' has no option 'widht'"), False, False),
        (WsssError("the loss is not finite at iteration 300"), True, True),
        (Hindrance("the weights could not be downloaded"), False, True),
        (Hindrance("no space left while writing checkpoint.pt"), True, True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False, True),
        (KeyboardInterrupt(), False, True),
        (SystemExit(143), False, True),
    ],
)
def test_what_a_failed_command_was_asked_is_remembered_unless_it_was_a_mistake(
    tmp_path: Path,
    before: Settings | None,
    error: BaseException,
    made: bool,
    kept: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(steps: list[Step], *rest: object) -> None:
        if made:
            (steps[0].folder / "labels").mkdir(parents=True)
            (steps[0].folder / "labels/a.png").touch()
        raise error

    monkeypatch.setattr("wsss_cli.execute.execute", failing)
    write_prepared(tmp_path / "d", DatasetInfo("d", "d", ("cat",), {}, "made up", "masks"), [])
    data = read_prepared(tmp_path / "d")
    run, other = (Run(tmp_path / "runs", "d", "irn", name) for name in ("mine", "other"))
    if before is not None:
        run.ask(before)
    other.ask(Settings())
    step = Step("train", Stage("train", "", ""), StageConfig(), {}, run.stage("train"), "", "missing")
    target = Target(run, method("irn"), data, NOW, NOW, before or Settings())
    with pytest.raises(type(error)) as raised:
        perform(target, [step], Runtime(torch.device("cpu")))
    assert raised.value is error
    assert (tmp_path / "runs/latest").read_text().strip() == f"d/irn/{'mine' if kept else 'other'}"
    if kept or before is not None:
        assert run.settings() == (NOW if kept else before)
    else:
        assert not run.settings_file.exists()
