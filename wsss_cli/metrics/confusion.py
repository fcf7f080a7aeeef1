"""The confusion matrix, or as much of it as scores need: rows ground truth, columns prediction, ignore dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.data.label_format import label_format
from wsss_cli.protocol import MeanOver

Labels = Tensor | NDArray[Any]

IDS = 256  # a label map holds bytes


def confusion(truth: Labels, prediction: Labels, num_classes: int) -> Tensor:
    """Count the pixels of each pair (truth, prediction).

    One histogram over all pairs of bytes does it: what is ignored, and what is out of range, falls into rows and
    columns of its own. Add the matrices of many images.

    truth, prediction: ids of any one shape, 255 in truth ignored; num_classes: K < 256, background included.
    Returns (K, K) int64.  Raises ValueError if sizes differ or ids are out of range.
    """
    counts = _pairs(truth, prediction, num_classes)
    _check_ids(counts[:, num_classes:].sum(0), num_classes, num_classes, "prediction")
    return counts[:, :num_classes].clone()


def with_open(truth: Labels, prediction: Labels, num_classes: int) -> Tensor:
    """`confusion` with one more column: the pixels that the prediction leaves open, as a pseudo-label may.

    Returns (K, K + 1) int64.  Raises ValueError as `confusion`.
    """
    counts = _pairs(truth, prediction, num_classes)
    _check_ids(counts[:, num_classes:-1].sum(0), num_classes, num_classes, "prediction")
    return torch.cat([counts[:, :num_classes], counts[:, -1:]], 1)


def _pairs(truth: Labels, prediction: Labels, num_classes: int) -> Tensor:
    """(K, 256) pixels of each class of the ground truth and each id of the prediction."""
    truth, prediction = _same_shape(truth, prediction)
    if num_classes >= IDS:
        raise ValueError(f"{num_classes} classes are no bytes: `tally` counts them")
    pairs = (_as_bytes(truth, "ground truth").int() * IDS).add_(_as_bytes(prediction, "prediction"))
    counts = torch.bincount(pairs.flatten(), minlength=IDS * IDS).view(IDS, IDS)
    _check_ids(counts[num_classes : IDS - 1].sum(1), num_classes, num_classes, "ground truth")
    return counts[:num_classes]


def tally(truth: Labels, prediction: Labels, num_classes: int) -> Tensor:
    """What scores need of the confusion matrix, small for any number of classes.

    truth, prediction: ids of any one shape; ignore in truth is dropped, in the prediction (a pseudo-label that leaves
    pixels open) it is missed; num_classes: K, background included.
    Returns (3, K) int64: pixels that are right, of the ground truth, of the prediction.  Raises ValueError as
    `confusion`.
    """
    if num_classes < IDS:
        return summary(with_open(truth, prediction, num_classes))
    truth, prediction = _same_shape(truth, prediction)
    ignore = label_format(num_classes - 1).ignore
    open_ = prediction == ignore
    if open_.any():
        counts = tally(truth.masked_fill(open_, ignore), prediction.masked_fill(open_, 0), num_classes)
        missed = tally(truth[open_], torch.zeros_like(truth[open_]), num_classes)
        return counts + torch.stack([torch.zeros_like(missed[0]), missed[1], torch.zeros_like(missed[2])])
    known = truth != ignore
    truth, prediction = truth[known].long(), prediction[known].long()  # (n,)
    _require_range(truth, num_classes, "ground truth")
    _require_range(prediction, num_classes, "prediction")
    right = truth[truth == prediction]
    return torch.stack([torch.bincount(ids, minlength=num_classes) for ids in (right, truth, prediction)])


def summary(matrix: Tensor) -> Tensor:
    """A confusion matrix (K, K), or one `with_open` pixels, -> what `tally` counts, (3, K)."""
    return torch.stack([matrix.diagonal(), matrix.sum(1), matrix.sum(0)[: len(matrix)]])


def _same_shape(truth: Labels, prediction: Labels) -> tuple[Tensor, Tensor]:
    truth, prediction = torch.as_tensor(truth), torch.as_tensor(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"prediction is {tuple(prediction.shape)}, ground truth {tuple(truth.shape)}")
    return truth, prediction


def _as_bytes(ids: Tensor, what: str) -> Tensor:
    """Ids of another integer type, once they are known to be bytes."""
    if ids.dtype != torch.uint8 and ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < IDS:
        raise ValueError(f"{what} holds ids outside 0..255")
    return ids


def _check_ids(counts: Tensor, first: int, num_classes: int, what: str) -> None:
    if counts.any():
        found = [first + i for i in counts.nonzero().flatten().tolist()]
        raise ValueError(f"{what} holds ids {found}, but there are {num_classes} classes (0..{num_classes - 1})")


def _require_range(ids: Tensor, num_classes: int, what: str) -> None:
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < num_classes:
        found = f"{int(ids.min())}..{int(ids.max())}"
        raise ValueError(f"{what} holds ids {found}, but there are {num_classes} classes (0..{num_classes - 1})")


def sweep(truth: Tensor, score: Tensor, label: Tensor, thresholds: Tensor, num_classes: int) -> Tensor:
    """The tally of `label where score > t else 0` for many background thresholds t at once.

    The pixels are counted once by how many thresholds lie below their score; the rest is sums over those counts.

    truth, label: ids; score: the label's; all of one shape; thresholds (T,) ascending.
    Returns (T, 3, K) int64.  Raises ValueError as `tally`.
    """
    k, t = num_classes, len(thresholds)
    whole = tally(truth, label, k)  # (3, K); for its checks too
    known = truth != label_format(k - 1).ignore
    truth, label = truth[known], label[known].long()  # (n,)
    below = torch.searchsorted(thresholds, score[known].contiguous())  # (n,) thresholds smaller than the score, 0..T

    def counted(all_of: Tensor, background: Tensor) -> Tensor:
        """(T, K) by label: those of score above threshold i, that is below > i; the rest of `background` become 0."""
        counts = torch.bincount(below[all_of] * k + label[all_of], minlength=(t + 1) * k).view(t + 1, k)
        kept = counts.flip(0).cumsum(0).flip(0)[1:]
        kept[:, 0] += torch.bincount(below[background], minlength=t + 1).cumsum(0)[:t]
        return kept

    every = torch.ones_like(truth, dtype=torch.bool)
    return torch.stack([counted(truth == label, truth == 0), whole[1].expand(t, k), counted(every, every)], dim=1)


@dataclass(frozen=True)
class Scores:
    """Of a confusion matrix or tally, all in [0, 1], NaN where there is nothing to divide by.

    miou      mean IoU over the classes that have one
    iou       (K,) per class; NaN for classes that are left out of the mean
    pixel_accuracy  share of pixels that are right
    mean_accuracy  mean over the classes of the ground truth of the share of their pixels that are right
    """

    miou: float
    iou: tuple[float, ...]
    pixel_accuracy: float
    mean_accuracy: float


def scores(matrix: Tensor, mean_over: MeanOver = "union") -> Scores:
    """The scores of a confusion matrix (K, K)."""
    return scores_of(summary(matrix), mean_over)


def scores_of(counts: Tensor, mean_over: MeanOver = "union") -> Scores:
    """The scores of a tally (3, K).

    mean_over  "union": a class that is only predicted has IoU 0, one that is nowhere none; "ground_truth": neither
               has one.  [VOCevalseg of VOC's devkit: union, but the mean is NaN if a class is nowhere]
    """
    right, truth, predicted = counts.double()
    iou = right / (truth + predicted - right)
    if mean_over == "ground_truth":
        iou = iou.masked_fill(truth == 0, torch.nan)
    return Scores(
        miou=iou.nanmean().item(),
        iou=tuple(iou.tolist()),
        pixel_accuracy=(right.sum() / truth.sum()).item(),
        mean_accuracy=(right / truth).nanmean().item(),
    )


def class_iou(matrix: Tensor, eps: float = 0.0) -> Tensor:
    """|truth and prediction| / (|truth or prediction| + eps) of each class: (K, K) -> (K,); NaN where neither is."""
    matrix = matrix.double()
    right = matrix.diagonal()
    return right / (matrix.sum(0) + matrix.sum(1) - right + eps)
