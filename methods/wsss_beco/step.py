"""BECO's training step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from wsss_beco.augment import strong_augment
from wsss_beco.config import Mixing, Train
from wsss_beco.losses import co_training_losses
from wsss_beco.mixing import Mixed, mix_offline, mix_online, online_labels
from wsss_beco.nets import TwoNetworks
from wsss_cli.data.label_format import format_of
from wsss_cli.losses.segmentation import cross_entropy, upsample
from wsss_cli.nets.heads.outputs import Outputs, training_losses
from wsss_cli.ranks.distributed import mean_over_ranks


class CoTraining:
    """One training step: mix, augment, forward both networks on the same batch, and let each teach the other.

    net      the two networks as they are, for their own labels; the step's model is the same, wrapped for DDP
    warm_up  iterations that mix by the given labels
    """

    def __init__(self, net: TwoNetworks, config: Train, warm_up: int) -> None:
        self.net, self.config, self.warm_up = net, config, warm_up

    def __call__(self, model: nn.Module, batch: dict[str, Any], k: int) -> dict[str, Tensor]:
        mixing: Mixing = self.config.mixing
        mixed = self.mix(batch, k)
        images = strong_augment(mixed.images, batch["jitter"]) if self.config.strong.enabled else mixed.images
        size = mixed.labels.shape[1:]
        found = model(images, outputs=True)
        logits1, logits2 = (upsample(outputs.pop("main").logits.float(), size) for outputs in found)
        weights = mixing.boundary_weight, mixing.boundary_weight_unsure
        losses = co_training_losses(logits1, logits2, mixed.labels, mixed.masks, mixed.band, *weights)
        return losses | _other_losses(found, mixed)

    @torch.no_grad()
    def mix(self, batch: dict[str, Any], k: int) -> Mixed:
        """Offline in the warm-up, then by what both networks see in the images as they were before."""
        images, labels, masks = batch["image"], batch["label"], batch["mask"]
        draws = batch["mixed"], batch["priority"]
        if k < self.warm_up:
            return mix_offline(images, labels, masks, *draws)
        self.net.eval()
        one, two = (upsample(logits.float(), labels.shape[1:]) for logits in self.net(images))
        own_labels, own_masks = online_labels(one, two, self.config.mixing.threshold)
        self.net.train()
        return mix_online(images, labels, masks, own_labels, own_masks, *draws, self.config.mixing.band)


def _other_losses(found: Sequence[Outputs], mixed: Mixed) -> dict[str, Tensor]:
    """What else the networks' heads learn by, from the labels where they are trusted; BECO's own head has nothing."""
    sure = mixed.labels.masked_fill(mixed.masks == 0, format_of(mixed.labels).ignore)
    losses = (training_losses(outputs, sure, _cross_entropy) for outputs in found)
    return {f"{name}{i}": loss for i, named in enumerate(losses, 1) for name, loss in named.items()}


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, mean_over_ranks)
