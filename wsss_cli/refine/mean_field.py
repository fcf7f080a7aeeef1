"""Mean-field inference over filters that are sparse: the inner loop of the dense CRF."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from wsss_cli.refine.lattice import Lattice

ROWS = 8192  # of a block on the CPU; times 24 channels 0.8 MB
LANES = 8  # channels of one vector register: widths are whole registers


def mean_field(kernels: list[Lattice], energy: Tensor, iterations: int, weight: float) -> Tensor:
    """Q <- softmax(-energy + sum of kernels Q), `iterations` times from softmax(-energy); energy (N, K) -> Q (N, K).

    `weight` is the sum of the kernels' weights. A class whose probability is below t = sqrt(2^-24 / weight) everywhere
    is not filtered in that iteration: its message is at most weight t, so no Q changes by more than weight t^2, a
    float32's last bit. Most classes are absent from most images and drop out after the first iteration.
    """
    classes = energy.shape[1]
    energy = pad(energy, (0, -classes % LANES if classes > LANES else 0), value=math.inf)  # (N, K')
    negligible = math.sqrt(2**-24 / weight) if weight else 1.0
    rows = ROWS if energy.device.type == "cpu" else max(1, len(energy))
    filters = [_BlockedFilter(kernel, rows, energy.shape[1]) for kernel in kernels]
    prob, peak = torch.softmax(-energy, 1), torch.ones_like(energy[0])
    order = torch.arange(len(peak), device=energy.device)  # class of each channel; the first `width` are filtered
    width = len(peak)
    for _ in range(iterations):
        live = peak > negligible
        needed = min(len(peak), -int(live.sum()) // LANES * -LANES)
        if needed != width or live[width:].any():
            width, first = needed, live.int().argsort(descending=True)
            order, energy, prob = order[first], energy.index_select(1, first), prob.index_select(1, first)
        peak = _update(filters, energy, prob, width)
    return prob.index_select(1, order.argsort()[:classes])


def _update(filters: list[_BlockedFilter], energy: Tensor, prob: Tensor, width: int) -> Tensor:
    """One iteration in place: energy, prob (N, K'), of which the first `width` channels are filtered.

    Returns the highest probability of each channel (K',).
    """
    at_vertices = [f.to_vertices(prob[:, :width].contiguous()) for f in filters]
    rows = filters[0].rows if filters else len(energy)
    peak = torch.zeros_like(energy[:rows])  # by elements first: a maximum over rows is slow
    for i, (block, q) in enumerate(zip(energy.split(rows), prob.split(rows))):
        logits = -block
        for f, values in zip(filters, at_vertices):
            logits[:, :width] += f.slice[i] @ values
        torch.softmax(logits, 1, out=q)
        torch.maximum(peak[: len(q)], q, out=peak[: len(q)])
    return peak.amax(0)


class _BlockedFilter:
    """A lattice cut into blocks of rows, with memory for the values at its vertices.

    What is made of a block is used while it is in the cache, and no large array is allocated in the loop: fresh
    memory from the system costs more than the arithmetic on it.
    """

    def __init__(self, lattice: Lattice, rows: int, channels: int) -> None:
        self.rows, self.vertices = rows, len(lattice.splat.offsets) - 1
        self.steps = [matrix.blocks(rows) for matrix in (lattice.splat, *lattice.blurs)]
        self.slice = lattice.slice.blocks(rows)
        self.memory = torch.empty(2, self.vertices * channels, device=lattice.splat.weights.device)

    def to_vertices(self, values: Tensor) -> Tensor:
        """Splat and blur: (N, C) -> (M, C), which holds until the next call."""
        size = self.vertices, values.shape[1]
        for i, step in enumerate(self.steps):
            out = self.memory[i % 2, : math.prod(size)].view(size)
            for block, into in zip(step, out.split(self.rows)):
                into.copy_(block @ values)
            values = out
        return values
