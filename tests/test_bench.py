"""What benches share: the device's name, its clock and memory, rows, and the check that finds two devices mixed."""

import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import pytest
import torch

import bench
from bench import measure
from bench.__main__ import OWN, rows
from bench.device import described
from bench.row import Row, markdown, table
from on_one_device import OnOneDevice

CPU = torch.device("cpu")
WITHOUT = {"coco", "crf_memory", "memory", "scale", "startup"}
"""Benches of what never runs on a GPU."""


def test_every_bench_has_rows_and_takes_a_device_if_it_has_tensors() -> None:
    names = {m.name for m in pkgutil.iter_modules(bench.__path__) if not m.ispkg} - set(OWN)
    mains = {name: inspect.signature(importlib.import_module(f"bench.{name}").main) for name in names}
    assert {name for name, main in mains.items() if "device" not in main.parameters} == WITHOUT
    assert rows(lambda device: [device], CPU) == [CPU] and rows(list, CPU) == []


def test_a_device_has_a_name_and_a_version() -> None:
    name = described(CPU)
    assert name.endswith(f"torch {torch.__version__}") and name.partition(",")[0].strip() and "model name" not in name


def test_runs_take_turns_and_the_least_counts() -> None:
    ran: list[str] = []
    now = iter([0, 3, 10, 11, 20, 21, 30, 35])
    found = measure.in_turns([lambda: ran.append("a"), lambda: ran.append("b")], 2, clock=lambda: next(now))
    assert ran == list("abab") and found == [1, 1]


def test_what_runs_alone_reports_seconds_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    measure.report(lambda: torch.ones(3_000_000).sum(), 1)
    said = json.loads(capsys.readouterr().out)
    assert said["seconds"] >= 0 and said["mb"] >= 0


def test_rows_are_a_table_for_terminals_and_for_pages() -> None:
    row = Row("a step, seconds", 0.5, 1.5, 3.0, "an example")
    assert table([row]).splitlines()[1].split() == ["a", "step,", "seconds", "0.5", "1.5", "3.0x", "an", "example"]
    assert markdown([row]).splitlines()[2] == "| a step, seconds | 0.5 | 1.5 | 3x | an example |"


def test_a_tensor_made_without_a_device_is_found(tmp_path: Path) -> None:
    """In code of that folder alone: others may know what they do."""
    code = "import torch\ndef bad(x):\n    return x + torch.zeros(1)\ndef good(x):\n    return x + x.new_zeros(1)\n"
    scope: dict[str, object] = {}
    exec(compile(code, f"{tmp_path}/released.py", "exec"), scope)
    with OnOneDevice(tmp_path):
        assert scope["good"](torch.ones(1)) == torch.ones(1)  # type: ignore[operator]
        with pytest.raises(AssertionError, match=r"released.py:3: zeros without a device"):
            scope["bad"](torch.ones(1))  # type: ignore[operator]
