"""Filling-rate editing of labels: as released, as meant, and the paper's top share."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_bcm.labels import resize_labels
from wsss_bcm.shifting import anchor, intended, official, top_share
from wsss_cli.losses.segmentation import cross_entropy


def ids(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.uint8))


def small(ref: dict[str, Any]) -> tuple[torch.Tensor, ...]:
    """Labels and box maps at the logits' size, scores and rates."""
    logits = torch.from_numpy(ref["logits"])
    labels, boxes = (resize_labels(ids(ref[name]), logits.shape[2:]) for name in ("labels", "boxes"))
    return labels, boxes, logits.softmax(1), torch.from_numpy(ref["class_fr"])


@vectors("bcm/fr_labels")
def test_released_editing(ref: dict[str, Any]) -> None:
    labels, boxes, *_ = small(ref)
    assert torch.equal(labels, ids(ref["labels_nearest"]))
    assert torch.equal(official(labels, boxes), ids(ref["out_official"]))


@vectors("bcm/fr_labels")
def test_repaired_editing(ref: dict[str, Any]) -> None:
    assert torch.equal(intended(*small(ref)), ids(ref["out_intended"]))
    assert torch.equal(intended(*small(ref), most=1.0), ids(ref["out_intended_nolimit"]))


@vectors("bcm/fr_labels")
def test_the_anchor_of_each_class(ref: dict[str, Any]) -> None:
    labels, boxes, prob, rates = small(ref)
    for row in ref["stats_intended"]:
        i, c, n, labelled = row[:4].astype(int).tolist()
        scores = prob[i, c][boxes[i] == c].sort(descending=True)[0]
        assert len(scores) == n and min(int((labels[i] == c).sum()), n) == labelled
        assert anchor(scores, labelled, float(rates[c - 1]), 0.3) == row[8]


@vectors("bcm/recon_fr_topk")
def test_top_share(ref: dict[str, Any]) -> None:
    labels, boxes = ids(ref["labels"]), ids(ref["boxes"])
    logits = torch.from_numpy(ref["logits"]).requires_grad_()
    target = top_share(labels, boxes, logits.detach().softmax(1), torch.from_numpy(ref["class_fr"]))
    assert torch.equal(target, ids(ref["target"]))
    loss = cross_entropy(logits, target)
    loss.backward()
    np.testing.assert_allclose(loss.item(), ref["loss"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(logits.grad.abs().sum(1), ref["grad"], rtol=0, atol=1e-5)


def test_equal_scores_shift_nothing() -> None:
    """Both groups have no variance, at which the released code divides by 0."""
    assert anchor(torch.full((10,), 0.3), 2, 0.5, 0.3) == 5
    assert anchor(torch.full((10,), 0.3), 2, 0.05, 0.3) == 2
    assert anchor(torch.full((10,), 0.3), 10, 0.5, 0.3) == 9
