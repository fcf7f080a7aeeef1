"""Every method says what its stages have to do, in numbers that follow from its settings."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from drawn_folder import drawn_folder
from wsss_cli.config import flat
from wsss_cli.engine.costs import Costs
from wsss_cli.plan import plan, work
from wsss_cli.plugins import method
from wsss_cli.running.survey import survey
from wsss_cli.runs import Run, Settings
from wsss_cli.work import Call, Pass, Work, areas, passes, typical_size, within

LOOPS = {
    "bcm": {"train": ("base.loop", "base")},
    "beco": {"seeds": ("training.loop", "train classifier"), "train": ("loop", "train")},
    "clipes": {"train": ("loop", "train")},
    "irn": {"seeds": ("training.loop", "train classifier"), "train": ("loop", "train")},
    "locbe": {"train": ("loop", "train")},
    "ppmg": {"train": ("loop", "train")},
    "puf": {"train": ("loop", "train")},
    "toco": {"train": ("loop", "train")},
    "weclip": {"train": ("loop", "train")},
}
OFTEN = {"bcm": 1.8125, "beco": 2.0, "ppmg": 2.0, "puf": 2.0, "weclip": 0.3, "toco": 1 + 8 * (32 / 129) ** 2}


@pytest.mark.parametrize("name", LOOPS)
def test_work_is_counted_by_the_settings(name: str, tmp_path: Path) -> None:
    data = drawn_folder(tmp_path)
    fp = replace(survey(data, "cpu", ["none"]), begin="none")
    proposal = method(name).proposal(fp)
    assert proposal is not None
    settings = Settings(chosen=proposal.choices)
    steps = plan(Run(tmp_path / "runs", "mine", name, "x"), method(name), "evaluate", data, settings)
    todo = work(steps, data)
    assert set(todo) == {step.key for step in steps}
    for stage, (loop, what) in LOOPS[name].items():
        chosen = dict(flat({s.key: s.config.model_dump() for s in steps}).items())
        n = chosen[f"{stage}.{loop}.iterations"] or chosen[f"{stage}.{loop}.epochs"]
        seen = n * chosen[f"{stage}.{loop}.batch"]
        counted = sum(part.count for part in todo[stage] if part.what == what)
        assert counted == pytest.approx(seen * (OFTEN.get(name, 1.0) if stage == "train" else 1.0), rel=0.3)
    assert any(part.what == "predict" and part.count > 0 for part in todo["infer"])


def test_costs_are_timed_once_and_added() -> None:
    costs = Costs(torch.device("cpu"), processes=4)
    call, shared = Call("builtins:len", ((),)), Call("builtins:len", ((),), shared=True)
    costs.known = {str(call): 2.0, str(shared): 2.0}
    parts = [Work("a", 3, call), Work("a", 1, call), Work("b", 2, shared)]
    assert costs.of(parts) == {"a": 8.0, "b": 1.0}


def test_a_network_is_timed() -> None:
    from wsss_cli.classifier.config import Network

    costs, net = Costs(torch.device("cpu")), Network(backbone="test_resnet", pretrained="none")
    seconds = [costs.seconds(Pass(net, 2, 32, 32, learns)) for learns in (False, True)]
    assert all(0 < s < 60 for s in seconds) and len(costs.known) == 2


def test_larger_images_count_by_area(tmp_path: Path) -> None:
    assert within((512, 1024), 256) == (128, 256, 16.0) and within((10, 20), 256) == (10, 20, 1.0)
    part = passes("look", 3, None, 2, (512, 1024))
    assert part.count == 48 and isinstance(part.unit, Pass) and part.unit.width == 256
    assert areas((1.0, 0.5), flip=True) == 2.5
    assert typical_size(drawn_folder(tmp_path).samples) == (16, 20)
