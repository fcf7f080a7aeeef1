"""CAMs from class names against the released functions, and images of a batch that do not see each other."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from reference_vectors import vectors
from tiny_clip import state_of, tower_of, weights_beside
from wsss_cli.classifier.softmax_cam import present_softmax, softmax_cams
from wsss_cli.refine.attention import boxes_of, spread, transition


@vectors("clipes/gradcam")
def test_cams_are_the_released_ones(ref: dict[str, Any], request: pytest.FixtureRequest) -> None:
    weights = weights_beside(request)
    tower = tower_of(state_of(weights), weights["heads"])
    tokens, names = torch.from_numpy(ref["tokens"]), torch.from_numpy(ref["text"])
    np.testing.assert_allclose(tower.see(torch.from_numpy(ref["x"]), 0).tokens[-1], tokens, rtol=0, atol=1e-4)
    classes, background = names[: ref["n_fg"]], names[ref["n_fg"] :]
    tags, scale = torch.ones(1, ref["n_fg"]), float(torch.tensor(weights["logit_scale"]).exp())
    cams, attention = softmax_cams(tower, tokens, ref["cam"].shape[1:], tags, classes, background, scale)
    np.testing.assert_allclose(cams[0], ref["cam"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(attention, ref["attn_last"], rtol=0, atol=1e-5)


@vectors("clipes/gradcam")
def test_scores_and_their_gradients_are_the_released_ones(ref: dict[str, Any], request: pytest.FixtureRequest) -> None:
    weights = weights_beside(request)
    tower = tower_of(state_of(weights), weights["heads"])
    tokens, names, count = torch.from_numpy(ref["tokens"]), torch.from_numpy(ref["text"]), ref["n_fg"]
    scale = float(torch.tensor(weights["logit_scale"]).exp())
    attended = tower.last_attention(tower.activation(tokens))
    mixed = attended.mixed.requires_grad_()
    features = tower.features(tower.last(tokens, mixed))
    prob = present_softmax(features, torch.ones(1, count), names[:count], names[count:], scale)
    np.testing.assert_allclose(prob.detach(), ref["prob"][:, :count], rtol=1e-4, atol=1e-6)
    for p, gradient, raw in zip(prob[0], ref["gradient"], ref["cam_before_normalising"], strict=True):
        (grad,) = torch.autograd.grad(p, mixed, retain_graph=True)
        weight = tower.mean_gradient(attended, grad)[0].detach()
        expected = gradient.mean((1, 2))
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
        cam = np.einsum("d,dhw->hw", weight, ref["activation"]).clip(0)
        np.testing.assert_allclose(cam, raw, rtol=0, atol=1e-4 * raw.max())


@vectors("clipes/gradcam")
def test_a_batch_gives_what_each_image_gives(ref: dict[str, Any], request: pytest.FixtureRequest) -> None:
    weights = weights_beside(request)
    tower = tower_of(state_of(weights), weights["heads"])
    torch.manual_seed(0)
    tokens, names = torch.randn(3, 1 + 12, tower.dim), F.normalize(torch.randn(9, tower.proj.out_features), dim=1)
    tags = torch.tensor([[1.0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]])
    together, _ = softmax_cams(tower, tokens, (3, 4), tags, names[:4], names[4:], 20)
    for i in range(3):
        one, _ = softmax_cams(tower, tokens[i : i + 1], (3, 4), tags[i : i + 1], names[:4], names[4:], 20)
        torch.testing.assert_close(together[i], one[0], rtol=1e-3, atol=1e-4)
    assert not together[tags == 0].any() and together[tags == 1].amax((1, 2)).min() > 0.9


@vectors("clipes/boxes")
def test_boxes_are_the_released_ones(ref: dict[str, Any]) -> None:
    for threshold in (40, 70):
        found = boxes_of(torch.from_numpy(ref["cam"]), threshold / 100)
        np.testing.assert_array_equal(found, ref[f"mask_{threshold}"])


@vectors("clipes/caa")
def test_cams_spread_as_released(ref: dict[str, Any]) -> None:
    mean = torch.from_numpy(ref["attn"])[-8:, 1:, 1:].mean(0)  # of the last maps, without class token
    np.testing.assert_allclose(mean, ref["attn_mean"], rtol=1e-5)
    matrix = transition(mean)
    for mask, squared in zip(ref["box_mask"].reshape(len(ref["cam"]), 1, -1), ref["transition_masked"]):
        np.testing.assert_allclose((matrix @ matrix).numpy() * mask, squared, rtol=0, atol=1e-5 * np.abs(squared).max())
    found = spread(torch.from_numpy(ref["cam"] * ref["box_mask"]), matrix)
    np.testing.assert_allclose(found, ref["refined"], rtol=0, atol=1e-5 * np.abs(ref["refined"]).max())
