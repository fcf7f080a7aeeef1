"""Filling rates at work: which labels inside the boxes to trust, by the scores that the network gives them."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.data.label_format import format_of


def official(labels: Tensor, boxes: Tensor, most: float = 0.05) -> Tensor:
    """The released filling-rate code's whole effect: background outside every box, if few enough pixels change.

    It sorts negated scores and takes them as thresholds, and assigns to a copy, so that nothing inside the boxes ever
    changes (but for scores that underflow to exactly 0).  [developfeng/BCM make_FR_labels]

    labels, boxes (B, h, w) ids.  Returns (B, h, w).
    """
    return _unless_many(labels, labels.masked_fill(boxes == 0, 0), most)


def intended(
    labels: Tensor,
    boxes: Tensor,
    prob: Tensor,
    rates: Tensor,
    strength: float = 0.3,
    low: float = 0.05,
    high: float = 0.98,
    most: float = 0.05,
) -> Tensor:
    """The same code with its slips repaired: low scores lose their label, high ones of ignored pixels get one.

    Per class c in an image: the scores p of its n box pixels are split at k0 = floor(n FR_c), best first, into two
    groups with variances a, b; delta = (b - a) / max(a, b); k = clip(floor(n FR_c (1 + strength delta)), labelled,
    n - 1). Labelled pixels with p <= min(p_k, low) are ignored, ignored ones with p > max(p_(k+1), high) labelled.

    labels, boxes (B, h, w) ids; prob (B, K, h, w) softmax scores; rates (C,); most: share of an image's pixels above
    which nothing of it changes.  Returns (B, h, w).
    """
    new = labels.masked_fill(boxes == 0, 0)
    for i in range(len(labels)):
        for c in _classes(boxes[i]):
            within = boxes[i] == c  # (h, w)
            scores, n = prob[i, c], int(within.sum())
            if n <= 2:
                continue
            labelled = min(int((labels[i] == c).sum()), n)
            best_first = scores[within].sort(descending=True)[0]  # (n,)
            k = anchor(best_first, labelled, float(rates[c - 1]), strength)
            lowest, highest = min(float(best_first[k - 1]), low), max(float(best_first[k]), high)
            ignore = format_of(labels).ignore
            unsure = within & (labels[i] == c) & (scores <= lowest)
            sure = within & (labels[i] == ignore) & (scores > highest)
            new[i] = new[i].masked_fill(unsure, ignore).masked_fill(sure, c)
    return _unless_many(labels, new, most)


def anchor(best_first: Tensor, labelled: int, rate: float, strength: float) -> int:
    """How many of a box's pixels (n,), best score first, are taken for the object: the shifted filling rate's share."""
    n = len(best_first)
    first = int(n * rate)
    a, b = (_variance(part) for part in (best_first[:first], best_first[max(first - 1, 0) :]))
    delta = (b - a) / max(a, b) if max(a, b) > 0 else 0.0
    return min(max(labelled, int(n * (rate * (1 + strength * delta)))), n - 1)


def top_share(labels: Tensor, boxes: Tensor, prob: Tensor, rates: Tensor) -> Tensor:
    """Keep of each class the pixels with the best scores, as many as its filling rate says; ignore the rest.

    k_c = clip(floor(FR_c |box_c|), 1, |label_c|), per image.  [after Song et al. 2019, sec. 3.3; no code released]

    labels, boxes (B, h, w) ids; prob (B, K, h, w) softmax scores; rates (C,).  Returns (B, h, w).
    """
    new = labels.clone()
    for i in range(len(labels)):
        for c in _classes(labels[i]):
            mine = labels[i] == c  # (h, w)
            k = min(max(int(float(rates[c - 1]) * int((boxes[i] == c).sum())), 1), int(mine.sum()))
            order = prob[i, c][mine].sort(descending=True, stable=True)[1]
            kept = torch.full_like(order, format_of(labels).ignore, dtype=labels.dtype)
            kept[order[:k]] = c
            new[i][mine] = kept
    return new


def _classes(labels: Tensor) -> list[int]:
    """The ids 1..C in a label map."""
    return [c for c in labels.unique().tolist() if c not in (0, format_of(labels).ignore)]


def _variance(scores: Tensor) -> float:
    return float(scores.double().var(correction=0)) if len(scores) else 0.0


def _unless_many(labels: Tensor, new: Tensor, most: float) -> Tensor:
    """`new`, or the labels of those images of which more than the share `most` of the pixels would change."""
    changed = (new != labels).float().mean((1, 2))  # (B,)
    return torch.where((changed > most)[:, None, None], labels, new)
