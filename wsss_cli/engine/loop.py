"""The training loop of every method: accumulate, scale, step, log, save; resume where it was.

Read top to bottom: `fit` is the whole story, the functions below it are its parts.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

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
from wsss_cli.engine.fixed_shapes import benchmarked, compile_parts, no_compiler, uncompiled
from wsss_cli.engine.optimiser import fuse
from wsss_cli.engine.reports import Clock, Journal, Late, Report, Reports
from wsss_cli.engine.schedules import Warmed
from wsss_cli.engine.stopping import Stopped, signals_noted
from wsss_cli.errors import WsssError
from wsss_cli.nets.layers.depthwise import quicken
from wsss_cli.nets.precision import Precision, autocast, products
from wsss_cli.ranks.distributed import Runtime, any_ranks, gather, mean_over_ranks, take_from_first

Losses = dict[str, Tensor]
Step = Callable[[nn.Module, Any, int], Losses]


class Loop(Precision):
    """How long and how a network is trained."""

    REPLACES: ClassVar[Mapping[str, str]] = {"epochs": "iterations"}

    epochs: float = Field(
        5,
        gt=0,
        le=bounds.EPOCHS,
        description="passes over the training images; asked for alone, they replace iterations of recipe or default",
    )
    iterations: int | None = Field(None, gt=0, le=bounds.STEPS, description="optimiser steps, instead of epochs")
    batch: int = Field(
        16, gt=0, le=bounds.BATCH, description="images per optimiser step, over all ranks and accumulation steps"
    )
    accumulate: int = Field(
        1,
        gt=0,
        le=bounds.BATCH,
        description="split each batch into so many passes, to save memory; all count alike, whatever they ignore",
    )
    channels_last: bool = Field(False, description="memory format of the network; often faster, same values")
    compile: bool = Field(
        False, description="torch.compile the backbone's parts for the sizes of the crops; needs a C++ compiler"
    )
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
    log_every: int = Field(
        10,
        gt=0,
        le=bounds.STEPS,
        description="iterations between lines of metrics.jsonl; several ranks save, and answer a signal, at a line",
    )

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
        if self.compile and (problem := no_compiler()):
            yield problem
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
              each the mean over its images, so that ranks and accumulation give what one large batch gives.  A mean
              over less than all pixels divides by mean_over_ranks(count), as the batch of all ranks would; passes of
              accumulation count alike all the same, whatever their counts.  model is wrapped for DDP
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
    k, last = state.resume(path) if path.exists() else (0, {})
    _check_same(k, path, runtime)
    if k >= total:
        return last
    if runtime.main and k:
        console.say(f"{title}: goes on from iteration {k} of {total}")
    if runtime.main and isinstance(training.factor, Warmed) and (lost := training.factor.lost(total)):
        console.say(f"{title}: {lost}")
    reports = Reports(title, Journal(folder / "metrics.jsonl", k) if runtime.main else None, per_epoch, last)
    saved = time.monotonic()
    showing = console.track(title, total - k, "iterations", runtime.main)
    with _computed(loop, runtime), readers_watched(), signals_noted() as signals, showing as tick:
        batches = iter(_loader(training, loop, runtime, seed, k, total))
        while k < total:
            logs = (k + 1) % loop.log_every == 0 or k + 1 == total
            validates = training.validate is not None and (k + 1) % (training.validate_every * per_epoch) == 0
            meets = runtime.world == 1 or logs or validates  # all ranks, who then decide alike
            report = state.iterate(batches, k, meets)
            k += 1
            report.rate = state.rate() if logs else None
            reports.add(report)  # on a GPU it has yet to be computed: the one before is looked at
            tick(1, note=reports.note())
            if not meets:
                continue
            due = time.monotonic() - saved > 60 * loop.save_minutes
            stop, due, bad = any_ranks([bool(signals), due, reports.bad is not None], runtime)
            ends = stop or due or k == total
            if bad or validates or ends:
                reports.check()  # so that nothing is kept that comes after a loss that is not finite
            if training.validate is not None and validates:
                report.scores = state.validate(training.validate)
            if k == total:
                state.renew_statistics()
            if ends:
                reports.settle()
                state.save(path, k, reports.last, done=k == total)
                saved = time.monotonic()
            if stop and k < total:
                text = f"{title}: saved at iteration {k} of {total}; the same command goes on from there"
                raise Stopped(signals[0] if signals else signal.SIGTERM, text)
    return reports.last


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

    @classmethod
    def create(cls, training: Training, loop: Loop, runtime: Runtime, seed: int) -> _State:
        loop.share(runtime.world)
        format_ = torch.channels_last if loop.channels_last else torch.preserve_format
        plain = training.model.to(runtime.device).to(memory_format=format_)
        if loop.compile:
            compile_parts(plain, runtime.device)
        elif runtime.device.type == "cpu":
            quicken(plain)
        plain.train()  # a network decides in its `train` which of its parts stay in eval mode
        for module in training.modules.values():
            module.to(runtime.device)
        average = get_ema_multi_avg_fn(loop.ema)
        ema = AveragedModel(plain, multi_avg_fn=average, use_buffers=True) if loop.ema else None
        scaler = torch.amp.GradScaler(runtime.device.type, enabled=loop.amp == "fp16")
        rates = [group["lr"] for group in training.optimizer.param_groups]
        fuse(training.optimizer, runtime.device)
        checkpoint.seed_all(seed + runtime.rank)
        return cls(training, loop, runtime, _wrap(plain, loop, runtime), ema, scaler, rates, seed)

    def iterate(self, batches: Iterator[Any], k: int, meets: bool) -> Report:
        """One optimiser step.  meets: the ranks do, and report the means of their losses."""
        clock = Clock()
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
        values = torch.stack(list(sums.values()))
        return Report(k + 1, tuple(sums), Late(mean_over_ranks(values) if meets else values), clock.seconds)

    def _step_optimizer(self) -> None:
        if self.loop.clip:
            self.scaler.unscale_(self.training.optimizer)
            nn.utils.clip_grad_norm_(self.training.model.parameters(), self.loop.clip)
        self.scaler.step(self.training.optimizer)
        self.scaler.update()
        if self.ema is not None:
            self.ema.update_parameters(self.training.model)

    def validate(self, function: Callable[[nn.Module], dict[str, float]]) -> dict[str, float]:
        """The scores of the weights that are used afterwards; whatever mode the modules were in is put back.

        Of rank 0's batch norms, which are those that are saved: each rank has seen other images, and DDP makes them
        alike when the next pass begins.
        """
        model = self.averaged()
        take_from_first(model.buffers())
        modes = [(module, module.training) for module in model.modules()]
        with benchmarked(False), uncompiled(self.loop.compile):  # images of many sizes
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

    def save(self, path: Path, k: int, last: dict[str, float], done: bool) -> None:
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
            "losses": last,
        }
        checkpoint.save(path, content, self.runtime)

    def resume(self, path: Path) -> tuple[int, dict[str, float]]:
        """Put everything back as it was; returns the iteration to go on from, and the losses of the last one.

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
        fuse(self.training.optimizer, self.runtime.device)  # whatever the device was that it comes from
        self.scaler.load_state_dict(content["scaler"])
        for name, module in self.training.modules.items():
            module.load_state_dict(content["modules"][name])
        states = content["rng"]
        if len(states) == self.runtime.world:
            checkpoint.set_rng_state(states[self.runtime.rank], self.runtime.device)
        elif self.runtime.main:
            console.warn(f"resumes with {self.runtime.world} ranks what {len(states)} began: random draws will differ")
        return content["iteration"], content["losses"]


@contextmanager
def _computed(loop: Loop, runtime: Runtime) -> Iterator[None]:
    """In which numbers, and by which kernels: crops have few sizes, so that trying all pays."""
    with products(loop, runtime.device), benchmarked(runtime.device.type == "cuda"):
        yield


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


def _check_same(k: int, path: Path, runtime: Runtime) -> None:
    """Raises WsssError if ranks see different checkpoints: they would wait for each other for ever."""
    seen = gather(k)
    if len(set(seen)) > 1:
        raise WsssError(
            f"the ranks see different states of {path}: iterations {seen}",
            "all machines must share the folder of runs",
        )
