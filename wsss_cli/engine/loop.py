"""The training loop of every method: accumulate, scale, step, log, save; resume where it was.

Read top to bottom: `fit` is the whole story, the functions below it are its parts.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from wsss_cli import bounds, console
from wsss_cli.batches.loader import TrainingData, batches_per_epoch, readers_watched, training_loader
from wsss_cli.context import Context
from wsss_cli.engine import checkpoint
from wsss_cli.engine.batch_norms import renew_statistics
from wsss_cli.errors import WsssError
from wsss_cli.files import append_text, write_text
from wsss_cli.nets.precision import Precision, autocast, products
from wsss_cli.ranks.distributed import Runtime, any_ranks, gather, mean_over_ranks

Losses = dict[str, Tensor]
Step = Callable[[nn.Module, Any, int], Losses]


class Loop(Precision):
    """How long and how a network is trained."""

    epochs: float = Field(5, gt=0, le=bounds.EPOCHS, description="passes over the training images")
    iterations: int | None = Field(None, gt=0, le=bounds.STEPS, description="optimiser steps, instead of epochs")
    batch: int = Field(
        16, gt=0, le=bounds.BATCH, description="images per optimiser step, over all ranks and accumulation steps"
    )
    accumulate: int = Field(
        1, gt=0, le=bounds.BATCH, description="split each batch into this many forward passes, to save memory"
    )
    channels_last: bool = Field(False, description="memory format of the network; often faster, same values")
    ema: float = Field(0.0, ge=0, lt=1, description="decay of an average of the weights that is used afterwards; 0 off")
    precise_bn: int = Field(
        0,
        ge=0,
        le=bounds.STEPS,
        description="batches from which batch norms take their statistics anew after the training; 0: as learnt",
    )
    sync_bn: bool = Field(False, description="batch statistics over all ranks (GPU only)")
    clip: float = Field(0.0, ge=0, le=bounds.FACTOR, description="largest gradient norm; 0 off")
    save_minutes: float = Field(5.0, ge=0, le=bounds.MINUTES, description="time between checkpoints")
    log_every: int = Field(10, gt=0, le=bounds.STEPS, description="iterations between lines of metrics.jsonl")

    def share(self, ranks: int, where: str = "loop") -> int:
        """Images of a rank's forward pass. Raises WsssError if the batch cannot be split so."""
        parts = ranks * self.accumulate
        if self.batch % parts:
            raise WsssError(
                f"{where}.batch {self.batch} cannot be split over {ranks} ranks x accumulate {self.accumulate}",
                f"make it a multiple of {parts}",
            )
        return self.batch // parts

    def crops(self, n: int) -> int:
        """Images that a training on n images sees in all."""
        return total_iterations(self, n) * self.batch

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        yield from super().problems(context, where)
        try:
            self.share(context.ranks, where)
            if context.images is not None:
                batches_per_epoch(context.images, self.batch, where)
        except WsssError as error:
            yield error


@dataclass
class Training:
    """What a method hands to `fit`.

    model     put into training mode by `fit`; a part that must not be overrides its `train`
    step      step(model, batch, k) -> named losses, whose sum is minimised; the same names in every iteration and rank;
              each the mean over its images, so that ranks and accumulation give what one large batch gives (a mean
              over less than all pixels divides by mean_over_ranks(count)); model is wrapped for DDP
    factor    iteration k -> factor on every group's learning rate, set before the step
    prepare   batch -> batch on the device
    meta      plain data stored in the checkpoint: method, classes, net config
    modules   further state that must survive resumption, by name: teachers, centres; their mode is the method's
    after     after(k): called once the weights of iteration k have changed, for what follows them
    validate  called after each `validate_every` epochs; its numbers go into metrics.jsonl
    """

    model: nn.Module
    step: Step
    optimizer: torch.optim.Optimizer
    factor: Callable[[int], float]
    data: TrainingData
    prepare: Callable[[Any, torch.device], Any]
    meta: dict[str, Any]
    modules: dict[str, nn.Module] = field(default_factory=dict)
    after: Callable[[int], None] | None = None
    validate: Callable[[nn.Module], dict[str, float]] | None = None
    validate_every: int = 1


def total_iterations(loop: Loop, n: int) -> int:
    """Optimiser steps of the whole training on n images."""
    per_epoch = batches_per_epoch(n, loop.batch)
    return loop.iterations or max(1, round(loop.epochs * per_epoch))


def fit(training: Training, loop: Loop, runtime: Runtime, folder: Path, *, title: str, seed: int) -> dict[str, float]:
    """Train to the end, from the last checkpoint if there is one; leaves `folder/checkpoint.pt`.

    Returns the last iteration's losses and its seconds. Raises WsssError for a non-finite loss, naming the iteration
    and the terms, and Stopped after a signal, when the state has been saved.
    """
    path = folder / "checkpoint.pt"
    total = total_iterations(loop, len(training.data))
    per_epoch = batches_per_epoch(len(training.data), loop.batch)
    state = _State.create(training, loop, runtime, seed)
    k = state.resume(path) if path.exists() else 0
    _check_same(k, path, runtime)
    if k >= total:
        return state.last
    if runtime.main and k:
        console.say(f"{title}: goes on from iteration {k} of {total}")
    journal = _Journal(folder / "metrics.jsonl", k) if runtime.main else None
    saved = time.monotonic()
    showing = console.track(title, total - k, "iterations", runtime.main)
    with products(loop, runtime.device), readers_watched(), _signals() as signals, showing as tick:
        batches = iter(_loader(training, loop, runtime, seed, k, total))
        while k < total:
            losses, seconds = state.iterate(batches, k)
            _check_finite(losses, k + 1, title)
            k += 1
            state.last = losses | {"seconds": sum(seconds.values())}
            row = {"lr": state.rate(), **losses, "time": seconds} if k % loop.log_every == 0 or k == total else {}
            if training.validate is not None and k % (training.validate_every * per_epoch) == 0:
                row |= state.validate(training.validate)
            if journal is not None and row:
                journal.write({"iteration": k, "epoch": k / per_epoch, **row})
            tick(1, note=f"loss {sum(losses.values()):.4g}")
            due = time.monotonic() - saved > 60 * loop.save_minutes
            stop, due = any_ranks([bool(signals), due], runtime)
            if k == total:
                state.renew_statistics()
            if stop or due or k == total:
                state.save(path, k, done=k == total)
                saved = time.monotonic()
            if stop and k < total:
                text = f"{title}: saved at iteration {k} of {total}; the same command goes on from there"
                raise Stopped(signals[0] if signals else signal.SIGTERM, text)
    return state.last


class Stopped(SystemExit):
    """A signal ended the training after its state was saved; `text` says so to the user."""

    def __init__(self, signum: int, text: str) -> None:
        super().__init__(128 + signum)
        self.text = text


@dataclass
class _State:
    """The moving parts, and what of them is saved."""

    training: Training
    loop: Loop
    runtime: Runtime
    model: nn.Module
    ema: AveragedModel | None
    scaler: torch.amp.GradScaler
    base_rates: list[float]
    seed: int
    last: dict[str, float]

    @classmethod
    def create(cls, training: Training, loop: Loop, runtime: Runtime, seed: int) -> _State:
        loop.share(runtime.world)
        format_ = torch.channels_last if loop.channels_last else torch.preserve_format
        plain = training.model.to(runtime.device).to(memory_format=format_)
        plain.train()  # a network decides in its `train` which of its parts stay in eval mode
        for module in training.modules.values():
            module.to(runtime.device)
        average = get_ema_multi_avg_fn(loop.ema)
        ema = AveragedModel(plain, multi_avg_fn=average, use_buffers=True) if loop.ema else None
        scaler = torch.amp.GradScaler(runtime.device.type, enabled=loop.amp == "fp16")
        rates = [group["lr"] for group in training.optimizer.param_groups]
        checkpoint.seed_all(seed + runtime.rank)
        return cls(training, loop, runtime, _wrap(plain, loop, runtime), ema, scaler, rates, seed, {})

    def iterate(self, batches: Iterator[Any], k: int) -> tuple[dict[str, float], dict[str, float]]:
        """One optimiser step. Returns the mean losses over ranks and the seconds of its parts."""
        clock = _Clock(self.runtime.device)
        optimizer, n = self.training.optimizer, self.loop.accumulate
        for group, rate in zip(optimizer.param_groups, self.base_rates):
            group["lr"] = rate * self.training.factor(k)
        optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for i in range(n):
            batch = self.training.prepare(next(batches), self.runtime.device)
            clock.lap("data")
            local = isinstance(self.model, DistributedDataParallel) and i < n - 1
            with self.model.no_sync() if local else nullcontext():  # type: ignore[operator]
                with autocast(self.loop, self.runtime.device):
                    losses = self.training.step(self.model, batch, k)
                    total = torch.stack([v.float() for v in losses.values()]).sum() / n
                clock.lap("forward")
                self.scaler.scale(total).backward()
                clock.lap("backward")
            for name, value in losses.items():
                sums[name] = sums.get(name, 0) + value.detach().float() / n
        self._step_optimizer()
        if self.training.after is not None:
            self.training.after(k)
        clock.lap("optimizer")
        return _mean_losses(sums), clock.seconds

    def _step_optimizer(self) -> None:
        if self.loop.clip:
            self.scaler.unscale_(self.training.optimizer)
            nn.utils.clip_grad_norm_(self.training.model.parameters(), self.loop.clip)
        self.scaler.step(self.training.optimizer)
        self.scaler.update()
        if self.ema is not None:
            self.ema.update_parameters(self.training.model)

    def validate(self, function: Callable[[nn.Module], dict[str, float]]) -> dict[str, float]:
        """The scores of the weights that are used afterwards; whatever mode the modules were in is put back."""
        model = self.averaged()
        modes = [(module, module.training) for module in model.modules()]
        scores = function(model)
        for module, mode in modes:
            module.training = mode
        return scores

    def renew_statistics(self) -> None:
        """Those of batch norms, in the weights that are used afterwards, if the settings ask for it."""
        if not self.loop.precise_bn:
            return
        training, model = self.training, self.averaged()
        total = total_iterations(self.loop, len(training.data))
        batches = _loader(training, self.loop, self.runtime, self.seed, total, total + self.loop.precise_bn)
        prepared = (training.prepare(batch, self.runtime.device) for batch in batches)
        renew_statistics(model, prepared, lambda batch: training.step(model, batch, total))

    def rate(self) -> float:
        return self.training.optimizer.param_groups[0]["lr"]

    def averaged(self) -> nn.Module:
        """The weights that are used afterwards."""
        return self.ema.module if self.ema is not None else self.training.model

    def save(self, path: Path, k: int, done: bool) -> None:
        content = {
            "meta": self.training.meta,
            "iteration": k,
            "done": done,
            "model": self.averaged().state_dict(),
            "raw_model": self.training.model.state_dict() if self.ema is not None else None,
            "ema_updates": int(self.ema.n_averaged) if self.ema is not None else 0,
            "optimizer": self.training.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "modules": {name: m.state_dict() for name, m in self.training.modules.items()},
            "losses": self.last,
        }
        checkpoint.save(path, content, self.runtime)

    def resume(self, path: Path) -> int:
        """Put everything back as it was; returns the iteration to go on from.

        Raises WsssError if the checkpoint is damaged or of another training.
        """
        content = checkpoint.load(path)
        if not isinstance(content, dict) or content.get("meta") != self.training.meta:
            raise WsssError(f"{path} is the checkpoint of another training", "--force starts again")
        raw = content["raw_model"] if self.ema is not None else content["model"]
        self.training.model.load_state_dict(raw)
        if self.ema is not None:
            self.ema.module.load_state_dict(content["model"])
            self.ema.n_averaged.fill_(content["ema_updates"])
        self.training.optimizer.load_state_dict(content["optimizer"])
        self.scaler.load_state_dict(content["scaler"])
        for name, module in self.training.modules.items():
            module.load_state_dict(content["modules"][name])
        states = content["rng"]
        if len(states) == self.runtime.world:
            checkpoint.set_rng_state(states[self.runtime.rank], self.runtime.device)
        elif self.runtime.main:
            console.warn(f"resumes with {self.runtime.world} ranks what {len(states)} began: random draws will differ")
        self.last = content["losses"]
        return content["iteration"]


class _Journal:
    """metrics.jsonl; on resumption the lines that the checkpoint does not know are dropped."""

    def __init__(self, path: Path, iteration: int) -> None:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() and iteration else []
        write_text(path, "".join(line + "\n" for line in lines if _iteration(line) <= iteration))
        self.path = path

    def write(self, row: dict[str, Any]) -> None:
        append_text(self.path, json.dumps(row) + "\n")


class _Clock:
    """Seconds of the parts of an iteration; on a GPU they are what the host waited."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self.last
        self.last = now


def _wrap(model: nn.Module, loop: Loop, runtime: Runtime) -> nn.Module:
    if runtime.world == 1:
        return model
    cuda = runtime.device.type == "cuda"
    if loop.sync_bn and cuda:
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return DistributedDataParallel(model, device_ids=[runtime.device.index] if cuda else None)


def _loader(training: Training, loop: Loop, runtime: Runtime, seed: int, k: int, total: int) -> Any:
    return training_loader(
        training.data,
        loop.share(runtime.world),
        rank=runtime.rank,
        world=runtime.world,
        seed=seed,
        start=k,
        total=total,
        parts=loop.accumulate,
        workers=runtime.workers,
        pin=runtime.device.type == "cuda",
    )


def _mean_losses(sums: dict[str, Tensor]) -> dict[str, float]:
    return dict(zip(sums, mean_over_ranks(torch.stack(list(sums.values()))).tolist()))


def _check_same(k: int, path: Path, runtime: Runtime) -> None:
    """Raises WsssError if ranks see different checkpoints: they would wait for each other for ever."""
    seen = gather(k)
    if len(set(seen)) > 1:
        raise WsssError(
            f"the ranks see different states of {path}: iterations {seen}",
            "all machines must share the folder of runs",
        )


def _check_finite(losses: dict[str, float], k: int, title: str) -> None:
    bad = {name: value for name, value in losses.items() if not math.isfinite(value)}
    if bad:
        terms = ", ".join(f"{name} = {value}" for name, value in losses.items())
        raise WsssError(
            f"{title}: the loss is not finite at iteration {k}: {terms}",
            "lower the learning rate, or use amp=bf16 or off; the last checkpoint is from before",
        )


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list while training; a second one ends at once.

    Unless it comes within a second: launchers and terminals may deliver one request twice.
    """
    seen: list[int] = []
    first = 0.0

    def note(signum: int, frame: object) -> None:
        nonlocal first
        if seen and time.monotonic() - first > 1:
            raise KeyboardInterrupt
        first = first or time.monotonic()
        seen.append(signum)

    if threading.current_thread() is not threading.main_thread():  # no signals to collect
        yield seen
        return
    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


def _iteration(line: str) -> int:
    try:
        return json.loads(line)["iteration"]
    except (ValueError, KeyError):
        return 2**62  # a line cut short by a crash
