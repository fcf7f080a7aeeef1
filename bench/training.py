"""A training step of every method at the papers' sizes: seconds, memory, images a second, share of the GPU's peak.

By the toolkit's own loop, data kept in memory. The last columns are the same step of another checkout, in the same
run, if `--beside` names its folder. FLOPs by torch.utils.flop_counter, in the first step; the peak is that of a matrix
product in bf16.
python -m bench.training [--device D] [--beside FOLDER] [--compiled] [--tiny] [NAME ...]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bench.cases import CASES, TOTAL, Case, Setup
from bench.device import DEVICES, described
from bench.measure import peak_mb, seconds
from wsss_cli.engine.loop import Loop, Training, fit
from wsss_cli.ranks.distributed import Runtime, choose_device

WARM, STEPS = 4, 8
"""Steps before those that are timed: of the first FLOPs are counted, of the second synchronisations."""
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "bf16": {"amp": "bf16"},
    "float32": {"matmul": "float32"},
}
COMPILED: dict[str, dict[str, Any]] = {"bf16, compiled": {"amp": "bf16", "compile": True}}
"""By name; those that a checkout does not know are left out."""


@dataclass
class Step:
    """What one training step of these settings took; gb the most memory of all tensors, syncs None on a CPU."""

    seconds: float
    gb: float
    tflop: float
    syncs: int | None
    failed: str = ""


class Watched:
    """Stands where a training's batches come from, and looks at the clock when the loop asks for the next one."""

    def __init__(self, setup: Setup, device: torch.device, warm: int, steps: int, count: bool) -> None:
        self.setup, self.device, self.warm, self.steps, self.count = setup, device, warm, steps, count
        self.asked, self.flops, self.syncs, self.seconds, self.start = 0, 0, None, 0.0, 0.0
        self.watching = ExitStack()
        self.flop_counter: FlopCounterMode | None = None
        self.warned: list[warnings.WarningMessage] = []

    def __call__(self, _: Tensor, device: torch.device) -> Any:
        self._before(self.asked)
        self.asked += 1
        return self.setup.prepare(self.setup.batch, device)

    def _before(self, k: int) -> None:
        """What begins or ends before step k, from 0."""
        gpu = self.device.type == "cuda"
        self.watching.close()
        if k == 0 and self.count:
            self.flop_counter = self.watching.enter_context(FlopCounterMode(display=False))
        if k == 1 and self.flop_counter is not None:
            self.flops = self.flop_counter.get_total_flops()
        if k == 1 and gpu:
            caught = self.watching.enter_context(warnings.catch_warnings(record=True))
            self.warned = [] if caught is None else caught
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            self.watching.callback(torch.cuda.set_sync_debug_mode, "default")
        if k == 2 and gpu:
            self.syncs = sum("synchronizing" in str(one.message) for one in self.warned)
        if k in (self.warm, self.warm + self.steps):
            if gpu:
                torch.cuda.synchronize(self.device)
            now = time.perf_counter()
            self.seconds, self.start = (now - self.start) / self.steps, now


class _Numbers:
    """As many samples as the loop asks for; the batch is elsewhere."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def item(self, index: int, rng: Any) -> int:
        return index


def trained(
    setup: Setup, size: int, changes: dict[str, Any], device: torch.device, warm: int, steps: int, count: bool = True
) -> Step:
    """Train some iterations, and see what one takes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    watched = Watched(setup, device, warm, steps, count)
    training = Training(
        model=setup.model,
        step=setup.step,
        optimizer=setup.optimizer,
        factor=lambda k: 1e-3,
        data=_Numbers(TOTAL * size),
        prepare=watched,
        meta={},
        modules=setup.modules,
        after=setup.after,
    )
    loop = Loop(iterations=warm + steps + 1, batch=size, log_every=10, save_minutes=1e4, **changes)
    with tempfile.TemporaryDirectory() as folder, watched.watching:  # a failed step leaves neither counter nor mode
        fit(training, loop, Runtime(device), Path(folder), title="bench", seed=0)
    return Step(watched.seconds, peak_mb(device) / 1024, watched.flops / 1e12, watched.syncs)


def measured(name: str, device: torch.device, tiny: bool, compiled: bool = False) -> dict[str, Any]:
    """The steps of a case in all settings, in one process; a failure is told in place of its step."""
    case, found, tflop = CASES[name], {}, 0.0
    size, side, warm, steps = (2, case.tiny_side, 2, 1) if tiny else (case.images, case.side, WARM, STEPS)
    for what, changes in (SETTINGS | (COMPILED if compiled else {})).items():
        if not changes.keys() <= Loop.model_fields.keys() or (changes.get("compile") and device.type == "cpu"):
            continue
        torch.manual_seed(0)
        try:
            step = trained(case.make(size, side, tiny), size, changes, device, warm, steps, count=not tflop)
        except Exception as error:  # whatever it is, the other rows are wanted
            step = Step(float("nan"), float("nan"), tflop, None, f"{type(error).__name__}: {error}".splitlines()[0])
        tflop = step.tflop = step.tflop or tflop
        found[what] = vars(step)
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return {"size": size, "side": side, "steps": found}


def peak_tflops(device: torch.device, n: int = 8192) -> float:
    """TFLOP/s of a bf16 product of two n x n matrices, which is what a step can be compared with."""
    n = n if device.type == "cuda" else 256
    a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * n**3 / seconds(lambda: a @ b, 10, device, time.perf_counter) / 1e12


def alone(name: str, device: torch.device, flags: Iterable[str], source: str | None = None) -> dict[str, Any]:
    """`measured` in a process of its own, of this checkout or of the one in `source`. Raises RuntimeError."""
    words = ["--device", device.type, "--measure", *flags, name]
    there = os.environ | ({"BENCH_SOURCE": source} if source else {})
    command = [sys.executable, "-m", "bench.training", *words]
    ran = subprocess.run(command, capture_output=True, text=True, env=there)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else f"exit code {ran.returncode}")
    return json.loads(ran.stdout.splitlines()[-1])


HEAD = [
    "| step | images, side | settings | ms | images/s | GiB | TFLOP | share of peak | syncs | before, ms | of before |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
]


def lines(case: Case, ours: dict[str, Any], before: dict[str, Any] | None, peak: float) -> Iterable[str]:
    """Lines of the Markdown table: each setting beside the same one of before, or its default where it had none."""
    for what, found in ours["steps"].items():
        step, size = Step(**found), ours["size"]
        where = f"| {case.what} | {size} x {ours['side']} | {what} "
        if step.failed:
            yield f"{where}| failed: {step.failed} | | | | | | | |"
            continue
        earlier = _earlier(what, before)
        ms, rate, share = 1000 * step.seconds, size / step.seconds, step.tflop / step.seconds / peak
        values = f"| {ms:.1f} | {rate:.1f} | {step.gb:.2f} | {step.tflop:.3g} | {share:.1%} | {_or_dash(step.syncs)} "
        ratio = f"| {1000 * earlier:.1f} | {step.seconds / earlier:.2f} |" if earlier else "| - | - |"
        yield where + values + ratio


def _earlier(what: str, before: dict[str, Any] | None) -> float | None:
    steps = {} if before is None else before["steps"]
    base = "bf16" if what.startswith("bf16") else "default"
    found = steps.get(what) or steps.get(base)
    return found["seconds"] if found and not found["failed"] else None


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def main(names: Iterable[str], device: torch.device, flags: Iterable[str], beside: str | None) -> None:
    peak = peak_tflops(device)
    print(described(device), f"{peak:.4g} TFLOP/s in a bf16 matrix product", "", *HEAD, sep="\n")
    for name in names or CASES:
        ours = alone(name, device, flags)
        before = alone(name, device, flags, beside) if beside else None
        print(*lines(CASES[name], ours, before, peak), sep="\n", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--beside", metavar="FOLDER", help="another checkout, timed in the same run")
    parser.add_argument("--tiny", action="store_true", help="small networks and images, to see that it runs")
    parser.add_argument("--compiled", action="store_true", help="with torch.compile, too")
    parser.add_argument("--measure", action="store_true", help="print one case's steps as JSON")
    parser.add_argument("names", nargs="*", help=", ".join(CASES))
    given = parser.parse_args()
    chosen = choose_device(given.device)
    if given.measure:
        print(json.dumps(measured(given.names[0], chosen, given.tiny, given.compiled)))
    else:
        flags = ["--tiny"] * given.tiny + ["--compiled"] * given.compiled
        main(given.names, chosen, flags, given.beside)
