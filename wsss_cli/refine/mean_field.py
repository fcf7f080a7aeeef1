"""Mean-field inference over filters that are sparse: the inner loop of the dense CRF."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from wsss_cli.refine.compact import CompactLattice
from wsss_cli.refine.lattice import Lattice
from wsss_cli.refine.sparse import Sparse

ROWS = 8192  # of a block on the CPU; times 24 channels 0.8 MB
TOLERANCE = 1e-6  # of probabilities; the order of summation alone changes some by as much
LANES = 8  # channels of a vector register
LARGEST = 80.0  # a logit of which float32 still holds the exponential, and the sum of many


Kernels = list[Lattice] | list[CompactLattice]


def mean_field(kernels: Kernels, energy: Tensor, iterations: int, weight: float) -> Tensor:
    """Q <- softmax(-energy + sum of kernels Q), `iterations` times from softmax(-energy); energy (N, K) -> Q (N, K).

    With compact kernels both are (K, N).

    `weight` is the sum of the kernels' weights.

    Classes that nowhere reach t = sqrt(TOLERANCE / weight), even taken together, go on as one class for as long as that
    holds. A message about them is about weight t at most, so it changes no Q by more than weight t^2 = TOLERANCE; and
    as most classes are absent from most images, few are filtered after the first iterations.
    """
    negligible = math.sqrt(TOLERANCE / max(weight, 1))
    compact = is_compact(kernels)
    iterate: Callable[..., tuple[Tensor, Tensor, int]] = _iterate_compact if compact else _iterate
    of, width_of = (0, _exact) if compact else (1, _width)
    width = width_of(energy.shape[of])
    prob, left = torch.softmax(-energy, of), iterations if kernels else 0
    while left:
        prob, peak, done = iterate(
            kernels,
            energy,
            prob,
            left,
            lambda peak: width_of(_merged(peak, negligible)) < width,
        )
        left -= done
        if left:
            rare, kept = (which.nonzero()[:, 0] for which in _rare(peak, negligible))
            rare_energy, rare_prob = energy.index_select(of, rare), prob.index_select(of, rare)
            merged_energy = torch.cat([energy.index_select(of, kept), -(-rare_energy).logsumexp(of, keepdim=True)], of)
            merged = torch.cat([prob.index_select(of, kept), rare_prob.sum(of, keepdim=True)], of)
            merged, _, done = iterate(
                kernels,
                merged_energy,
                merged,
                left,
                lambda peak: bool(peak[-1] > negligible),
            )
            left -= done
            several, one = merged.narrow(of, 0, len(kept)), merged.narrow(of, len(kept), 1)
            prob.index_copy_(of, kept, several)
            prob.index_copy_(of, rare, torch.softmax(-rare_energy, of) * one)
    return prob


def binary_fields(kernels: Kernels, lead: Tensor, iterations: int) -> Tensor:
    """The same for many problems of two labels at once, each by itself: lead (N, n) -> Q of the second label (N, n).

    lead is how much lower the second label's energy is; with compact kernels it is (n, N), as the result.
    As Q and 1 - Q are filtered alike, one channel per problem does: Q <- sigmoid(lead + sum of kernels (2 Q - 1)).
    """
    problems = lead.shape[1]
    if not is_compact(kernels):
        lead = pad(lead, (0, _width(problems) - problems))
    prob = lead.sigmoid()
    for _ in range(iterations if kernels else 0):
        sides = prob.mul(2).sub_(1)
        logits = lead.clone()
        for kernel in kernels:
            kernel.add(logits, sides)
        prob = logits.sigmoid_()
    return prob[:, :problems]


def _rare(peak: Tensor, negligible: float) -> tuple[Tensor, Tensor]:
    """Which classes stay below `negligible` together, the rarest first, and which are the others: (K,) bool."""
    ascending, order = peak.sort()
    rare = torch.empty_like(peak, dtype=torch.bool).index_copy_(0, order, ascending.cumsum(0) < negligible)
    return rare, ~rare


def _merged(peak: Tensor, negligible: float) -> int:
    """How many classes are left if the rare ones go on as one."""
    return int(_rare(peak, negligible)[1].sum()) + 1


def _iterate(
    kernels: list[Lattice], energy: Tensor, prob: Tensor, at_most: int, stop: Callable[[Tensor], bool]
) -> tuple[Tensor, Tensor, int]:
    """Iterate until `stop` says so of the highest probability of each class (K,).

    Returns Q (N, K), these highest probabilities and the number of iterations made, 1 at least.
    """
    classes, rows = energy.shape[1], ROWS if energy.device.type == "cpu" else len(energy)
    unused = 0, _width(classes) - classes  # classes of infinite energy
    padded, prob = pad(energy, unused, value=math.inf), pad(prob, unused)
    padded -= energy.amin(1, keepdim=True)  # messages are not negative: so neither is the largest logit of a pixel now
    energies = padded.split(rows)
    slices = [kernel.slice.blocks(rows) for kernel in kernels]
    done, going_on = 0, True
    while going_on:
        peak = _step(kernels, slices, energies, prob)[:classes]
        done += 1
        going_on = done < at_most and not stop(peak)
    return prob[:, :classes], peak, done


def _step(kernels: list[Lattice], slices: list[list[Sparse]], energies: tuple[Tensor, ...], prob: Tensor) -> Tensor:
    """One iteration, in place on prob (N, K); energies (rows, K) and slices by blocks. Returns each class's peak (K,).

    What is made of a block of pixels is used while it is in the cache.
    """
    at_vertices = [kernel.to_vertices(prob) for kernel in kernels]
    peak = torch.zeros_like(energies[0])  # by elements first: a maximum over rows is slow
    for i, (energy, q) in enumerate(zip(energies, prob.split(len(peak)))):
        logits, *others = (parts[i] @ values for parts, values in zip(slices, at_vertices))
        for message in others:
            logits += message
        _softmax(logits.sub_(energy), q)
        torch.maximum(peak[: len(q)], q, out=peak[: len(q)])
    return peak.amax(0)


def _softmax(logits: Tensor, out: Tensor) -> None:
    """torch.softmax of rows (N, K) whose largest is not negative; on a CPU by whole blocks where none is too large.

    torch's own takes up to nine times as long where K is no multiple of a register, 8 of 16 for example.
    """
    if logits.device.type == "cpu" and logits.amax() < LARGEST:
        torch.exp(logits, out=out)
        out /= out.sum(1, keepdim=True)
    else:
        torch.softmax(logits, 1, out=out)


def _iterate_compact(
    kernels: list[CompactLattice], energy: Tensor, prob: Tensor, at_most: int, stop: Callable[[Tensor], bool]
) -> tuple[Tensor, Tensor, int]:
    """The same for energy and prob (K, N), in place on prob."""
    logits, done, going_on = torch.empty_like(energy), 0, True
    while going_on:
        torch.neg(energy, out=logits)
        for kernel in kernels:
            kernel.add(logits, prob)
        peak = torch.softmax(logits, 0, out=prob).amax(1)
        done += 1
        going_on = done < at_most and not stop(peak)
    return prob, peak, done


def is_compact(kernels: Kernels) -> bool:
    return bool(kernels) and isinstance(kernels[0], CompactLattice)


def _exact(classes: int) -> int:
    """The channels that so many classes take where each is filtered by itself."""
    return classes


def _width(classes: int) -> int:
    """The channels that so many classes take: whole registers, as softmax and products over a part of one are slow."""
    return -classes // LANES * -LANES
