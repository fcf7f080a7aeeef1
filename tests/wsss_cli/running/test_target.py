"""What a run is asked: its own settings, and what later commands lay over them."""

from pathlib import Path
from typing import Any

import pytest

from made_run import drawn_data
from wsss_cli.running import target
from wsss_cli.runs import Run


@pytest.mark.parametrize(
    ("earlier", "later", "kept"),
    [
        ({"net": {"head_args": {"dropout": 0.5}}}, {"net": {"head_args": {}}}, {"net": {"head_args": {}}}),
        ({"net": {"width": 8}}, {"net": {}}, {"net": {"width": 8}}),  # a section of settings
        ({"loop": {"iterations": 9}}, {"loop": {"epochs": 2}}, {"loop": {"epochs": 2, "iterations": None}}),
        ({"loop": {"epochs": 2}}, {"loop": {"iterations": 9}}, {"loop": {"epochs": 2, "iterations": 9}}),
        ({"loop": {"batch": 2}}, {"loop": {"epochs": 2}}, {"loop": {"batch": 2, "epochs": 2}}),
    ],
)
def test_a_later_command_over_an_earlier_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    earlier: dict[str, Any],
    later: dict[str, Any],
    kept: dict[str, Any],
) -> None:
    monkeypatch.setattr(target, "read_prepared", lambda folder: drawn_data(tmp_path))
    run = Run(tmp_path, "toy", "irn", "default")
    for asked in (earlier, later):
        found = target.resolve_target(run, tmp_path, None, {"train": asked})
        run.save_settings(found.saved)
    passed = target.resolve_target(Run(tmp_path, "toy", "irn", "other"), tmp_path, None, {"train": earlier},
                                   passing={"train": later})  # fmt: skip
    assert run.settings().overrides == passed.settings.overrides == {"train": kept}
