"""Confusion and scores against the released metrics; ids out of range; the sweep against one threshold at a time."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from reference_vectors import vectors
from wsss_cli.data.label_format import label_format
from wsss_cli.metrics.confusion import (
    class_iou,
    confusion,
    scores,
    scores_of,
    sweep,
    tally,
    with_open,
)


@vectors("beco/metrics")
def test_scores_are_the_released_ones(ref: dict[str, Any]) -> None:
    k = len(ref["hist"])
    parts = [confusion(gt, pred, k) for gt, pred in zip(ref["gt"], ref["pred"])]
    matrix = torch.stack(parts).sum(0)
    np.testing.assert_array_equal(matrix, ref["hist"])
    present = ref["hist"].sum(1) > 0
    np.testing.assert_allclose(class_iou(matrix)[present], ref["iou"][present], rtol=0, atol=1e-5)
    ours = scores(matrix, "ground_truth")
    np.testing.assert_array_equal(np.isnan(ours.iou), ~present)
    np.testing.assert_allclose(ours.miou, ref["miou_valid_gt"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(scores(matrix).miou, ref["miou_all_nanmean"], rtol=0, atol=1e-5)


@vectors("toco/miou")
def test_scores_of_toco(ref: dict[str, Any]) -> None:
    """Those that its scorer returns: classes without ground truth do not count."""
    matrix = confusion(ref["gt"].astype(np.uint8), ref["pred"].astype(np.uint8), ref["num_classes"])
    ours = scores(matrix, "ground_truth")
    np.testing.assert_allclose(ours.miou, ref["miou_f64"], rtol=1e-6)
    np.testing.assert_allclose(ours.pixel_accuracy, ref["pAcc_f64"], rtol=1e-6)
    np.testing.assert_allclose(ours.mean_accuracy, ref["mAcc_f64"], rtol=1e-6)
    present = ~np.isnan(ours.iou)
    np.testing.assert_allclose(np.array(ours.iou)[present], ref["iou_f64"][present], rtol=1e-6)


@vectors("puf/miou")
def test_scores_of_puf(ref: dict[str, Any]) -> None:
    ours = scores(confusion(ref["gt"], ref["pred"], ref["num_classes"]), "ground_truth")
    found = ours.miou, ours.pixel_accuracy, ours.mean_accuracy
    np.testing.assert_allclose(found, [ref["miou"], ref["pAcc"], ref["mAcc"]], rtol=1e-5)


def test_ignored_predictions_are_missed() -> None:
    """A pseudo-label may leave pixels open: they stay in the ground truth, and are nobody's prediction."""
    truth, prediction = (torch.tensor(x, dtype=torch.uint8) for x in ([0, 0, 1, 1, 1, 255], [0, 255, 255, 1, 0, 255]))
    assert tally(truth, prediction, 2).tolist() == [[1, 1], [2, 3], [2, 1]]
    assert with_open(truth, prediction, 2).tolist() == [[1, 0, 1], [1, 1, 1]]
    wide = (torch.where(x == 255, 65535, x.int()).int() for x in (truth, prediction))
    assert tally(*wide, 300)[:, :2].tolist() == [[1, 1], [2, 3], [2, 1]]


def test_small_case_by_hand() -> None:
    truth = np.array([[0, 0, 1, 1, 255]], dtype=np.uint8)
    prediction = np.array([[0, 2, 1, 0, 2]], dtype=np.uint8)
    matrix = confusion(truth, prediction, 3)
    assert matrix.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]
    ours, of_truth = scores(matrix), scores(matrix, "ground_truth")
    assert ours.iou == (1 / 3, 1 / 2, 0) and ours.miou == pytest.approx(5 / 18)
    assert of_truth.iou[:2] == (1 / 3, 1 / 2) and math.isnan(of_truth.iou[2])
    assert of_truth.miou == pytest.approx(5 / 12)
    assert {(s.pixel_accuracy, s.mean_accuracy) for s in (ours, of_truth)} == {(0.5, 0.5)}


def test_a_class_that_is_nowhere_is_left_out() -> None:
    """Where VOC's devkit would divide 0 by 0."""
    ours = scores(confusion(torch.tensor([0, 1]), torch.tensor([0, 1]), 3))
    assert ours.miou == 1 and math.isnan(ours.iou[2])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64])
def test_types_do_not_matter(dtype: torch.dtype) -> None:
    truth, prediction = torch.randint(0, 5, (2, 30, 40), generator=torch.Generator().manual_seed(0))
    expected = torch.zeros(5, 5, dtype=torch.int64)
    expected.index_put_((truth.flatten(), prediction.flatten()), torch.tensor(1), accumulate=True)
    assert torch.equal(confusion(truth.to(dtype), prediction.to(dtype), 5), expected)


@pytest.mark.parametrize(
    ("truth", "prediction", "says"),
    [
        ([0, 1], [0, 3], r"prediction holds ids \[3\]"),
        ([0, 1], [0, 255], r"prediction holds ids \[255\]"),
        ([0, 7], [0, 1], r"ground truth holds ids \[7\]"),
        ([0, 1], [0, 256], "prediction holds ids outside"),
        ([0, 1], [0, -1], "prediction holds ids outside"),
        ([0, 1], [0], "prediction is"),
    ],
)
def test_ids_out_of_range_are_named(truth: list[int], prediction: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        confusion(torch.tensor(truth), torch.tensor(prediction), 3)


def test_any_prediction_under_ignore_is_dropped() -> None:
    assert confusion(torch.tensor([255, 0]), torch.tensor([9, 0]), 2).tolist() == [[1, 0], [0, 0]]


def test_nothing_labelled_scores_nan() -> None:
    assert math.isnan(scores(confusion(torch.tensor([255]), torch.tensor([0]), 2)).miou)


@pytest.mark.parametrize("k", [4, 255, 256, 301, 40_000])
def test_tally_is_the_diagonal_and_the_sums(k: int) -> None:
    form, g = label_format(k - 1), torch.Generator().manual_seed(0)
    truth, prediction = torch.randint(0, k, (2, 60, 50), generator=g)
    prediction[20:] = truth[20:]
    prediction[:5, :9] = k - 1
    right = truth == prediction
    expected = torch.stack([torch.bincount(i.flatten(), minlength=k) for i in (truth[right], truth, prediction)])
    assert torch.equal(tally(form.tensor(truth), form.tensor(prediction), k), expected)
    truth[:5] = form.ignore
    expected = torch.stack([torch.bincount(i[5:].flatten(), minlength=k) for i in (truth, truth, prediction)])
    counts = tally(form.tensor(truth), form.tensor(prediction), k)
    assert torch.equal(counts[1:], expected[1:])
    assert scores_of(counts).pixel_accuracy == pytest.approx((truth == prediction)[5:].float().mean().item())


def test_16_bit_ids_out_of_range_are_named() -> None:
    good, bad = torch.tensor([0, 300, 65535]).int(), torch.tensor([0, 301, 1]).int()
    with pytest.raises(ValueError, match=r"prediction holds ids 0\.\.301, but there are 301 classes"):
        tally(good, bad, 301)
    with pytest.raises(ValueError, match=r"ground truth holds ids 0\.\.301"):
        tally(bad, good, 301)
    with pytest.raises(ValueError, match="301 classes are no bytes"):
        confusion(good, good, 301)


@pytest.mark.parametrize("k", [4, 301])
def test_sweep_is_one_tally_per_threshold(k: int) -> None:
    g = torch.Generator().manual_seed(0)
    form = label_format(k - 1)
    truth, label = (form.tensor(ids) for ids in torch.randint(0, 4, (2, 40, 50), generator=g))
    truth[10:20], label[12:30] = k - 1, k - 1
    truth[:5] = form.ignore
    score = torch.randint(0, 11, (40, 50), generator=g) / 10  # scores that equal thresholds
    thresholds = torch.arange(0, 11) / 10
    each = [tally(truth, torch.where(score > t, label, 0), k) for t in thresholds]
    assert torch.equal(sweep(truth, score, label, thresholds, k), torch.stack(each))
