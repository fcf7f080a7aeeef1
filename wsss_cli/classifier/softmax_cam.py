"""Class activation maps of a frozen CLIP from the features of class names: softmax Grad-CAM.  [Lin et al. 2023]"""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.nets.backbones.clip import Attended, ClipVisual
from wsss_cli.nets.backbones.vit import Grid, as_map

EPS = 1e-7
LOGIT_SCALE = 100.0
"""exp of the logit scale that OpenAI's CLIPs have learnt."""


@torch.enable_grad()
def softmax_cams(
    tower: ClipVisual,
    tokens: Tensor,
    grid: Grid,
    tags: Tensor,
    classes: Tensor,
    background: Tensor,
    scale: float = LOGIT_SCALE,
) -> tuple[Tensor, Tensor]:
    """The CAMs in [0, 1) of the classes present, 0 for the others, and the last block's attention maps.

    M_c = relu(sum_k mean_i(dp_c / dA_ik) A_k), A what the last block's attention is given, i the patches, p the softmax
    of `scale` times the cosines of the image with the names of the classes present and of background; then twice
    `min_max`.  Images do not see each other, so one backward pass serves the j-th class of every image.

    tokens (B, N, D) that enter the last block; tags (B, C) 1 where the class is present, best on the CPU: a GPU would
    have to be waited for; classes (C, E) and background (b, E) the features of names.

    Returns (B, C, h, w), (B, N, N).
    """
    with torch.no_grad():
        activation = tower.activation(tokens)
        attended = tower.last_attention(activation)
    mixed = attended.mixed.detach().requires_grad_()
    features = tower.features(tower.last(tokens.detach(), mixed)).float()  # (B, E)
    cams = torch.zeros(*tags.shape, *grid, device=tokens.device)
    with torch.autocast(tokens.device.type, enabled=False):  # a score near 1 is 1 in less than float32
        there = tags.to(tokens.device, non_blocking=True)
        prob = present_softmax(features, there, classes, background, scale)  # (B, C)
        for rank in range(int(tags.sum(1).max())):
            owner, channel = (x.to(tokens.device, non_blocking=True) for x in nth_present(tags, rank))
            (grad,) = torch.autograd.grad(prob[owner, channel].sum(), mixed, retain_graph=True)
            weight = tower.mean_gradient(Attended(*(x[owner] for x in attended)), grad[owner])  # (P, D)
            maps = as_map(activation[owner, 1:].float(), grid)  # (P, D, h, w)
            cams[owner, channel] = min_max(min_max(torch.einsum("pd,pdhw->phw", weight, maps).relu()))
    return cams, attended.weights.mean(1)


def present_softmax(features: Tensor, tags: Tensor, classes: Tensor, background: Tensor, scale: float) -> Tensor:
    """Softmax over the classes present and all background names, of the classes: (B, E) -> (B, C), 0 where absent."""
    names = torch.nn.functional.normalize(torch.cat([classes, background]).float(), dim=1)
    logits = scale * torch.nn.functional.normalize(features, dim=1) @ names.T  # (B, C + b)
    absent = torch.nn.functional.pad(tags <= 0, (0, len(background)))
    return logits.masked_fill(absent, -torch.inf).softmax(1)[:, : len(classes)]


def nth_present(tags: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Of the images that have more than `rank` classes: the image, and that class, counted from 0: (P,) each."""
    chosen = (tags > 0) & ((tags > 0).cumsum(1) == rank + 1)
    owner, channel = chosen.nonzero(as_tuple=True)
    return owner, channel


def min_max(cam: Tensor) -> Tensor:
    """(x - min x) / (max (x - min x) + 1e-7), each map by its own: (..., h, w) -> the same."""
    cam = cam - cam.amin((-2, -1), keepdim=True)
    return cam / (cam.amax((-2, -1), keepdim=True) + EPS)
