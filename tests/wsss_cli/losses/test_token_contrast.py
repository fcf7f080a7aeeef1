"""The patch-token contrast against the released code, at its edges and over ranks."""

from typing import Any

import numpy as np
import torch

from reference_vectors import vectors
from wsss_cli.losses.token_contrast import pairs, token_contrast


def check(ref: dict[str, Any], labels: str, loss: str) -> None:
    features = torch.from_numpy(ref["fmap"]).requires_grad_()
    ids = torch.from_numpy(ref[labels]).to(torch.uint8)
    same, different = pairs(ids)
    np.testing.assert_array_equal(same, ref["aff_mask"] == 1)
    np.testing.assert_array_equal(different, ref["aff_mask"] == 0)
    found = token_contrast(features, ids)
    found.backward()
    np.testing.assert_allclose(found.item(), ref[loss], rtol=1e-5)
    np.testing.assert_allclose(features.grad, ref["grad_fmap"], rtol=1e-5, atol=1e-7)


@vectors("toco/ptc")
def test_loss_of_toco(ref: dict[str, Any]) -> None:
    if "labels" in ref:
        return check(ref, "labels", "loss")
    features = torch.from_numpy(ref["fmap"])  # the edge cases: no pair, and no different pair
    labels = torch.zeros(features[:, 0].shape, dtype=torch.uint8)
    np.testing.assert_allclose(token_contrast(features, labels), ref["loss_all_background"], rtol=1e-5)
    assert token_contrast(features, labels + 255) == ref["loss_all_ignored"] == 0.5
    return None


@vectors("puf/cam_label_ptc")
def test_loss_of_puf(ref: dict[str, Any]) -> None:
    check(ref, "aux_label", "ptc_loss")


def test_the_mean_over_ranks_is_the_loss_of_the_whole_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4, 8, 3, 3, generator=generator)
    labels = torch.randint(0, 3, (4, 3, 3), generator=generator).to(torch.uint8)
    labels[:2] = 255  # the first rank has no pair
    counts = torch.stack([p.sum() for p in pairs(labels)]) / 2
    shares = [token_contrast(features[i : i + 2], labels[i : i + 2], lambda _: counts, ranks=2) for i in (0, 2)]
    torch.testing.assert_close(torch.stack(shares).mean(), token_contrast(features, labels))
