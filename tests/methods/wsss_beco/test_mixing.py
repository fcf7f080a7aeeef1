"""Mixing against the released code; the choice of classes; boundaries."""

from typing import Any

import pytest
import torch
from torch import Tensor

from reference_vectors import vectors
from wsss_beco.boundary import boundary_band, erode
from wsss_beco.mixing import (
    choose_classes,
    mix_offline,
    mix_online,
    neighbour,
    online_labels,
    paste,
    pasted_pixels,
)


def paired(batch: Any) -> Tensor:
    """The released pairs i, i + B / 2 side by side."""
    x = torch.from_numpy(batch)
    return torch.stack(x.chunk(2), 1).flatten(0, 1)


def chosen_classes(ref: dict[str, Any]) -> Tensor:
    """(B, 256) bool from rows of ids, padded with -1."""
    rows = torch.from_numpy(ref["chosen"])
    table = torch.zeros(len(rows), 257, dtype=torch.bool)
    return table.scatter_(1, torch.where(rows < 0, 256, rows), True)[:, :256]


def check(mixed: Any, ref: dict[str, Any]) -> None:
    torch.testing.assert_close(mixed.images, torch.from_numpy(ref["out_images"]), rtol=0, atol=0)
    assert torch.equal(mixed.labels, torch.from_numpy(ref["out_labels"]))
    assert torch.equal(mixed.masks.long(), torch.from_numpy(ref["out_masks"]).long())
    assert torch.equal(mixed.band.long(), torch.from_numpy(ref["out_bdry"]).long())


@vectors("beco/boundary")
def test_band_is_dilation_less_erosion(ref: dict[str, Any]) -> None:
    mask = torch.from_numpy(ref["alpha"])[None] > 0
    for size in (1, 2):
        assert torch.equal(boundary_band(mask, size).long(), torch.from_numpy(ref[f"bdry_size{size}"]))
        if 0 < mask.sum() < mask.numel():
            assert torch.equal(erode(mask, size).long(), torch.from_numpy(ref[f"inside_size{size}"]))
    assert torch.equal(boundary_band(torch.ones_like(mask)).long(), torch.from_numpy(ref["bdry_all_ones"]))


@vectors("beco/mix_online")
def test_online_mixing_is_the_released_one(ref: dict[str, Any]) -> None:
    images, labels, masks = paired(ref["images"]), paired(ref["labels"]), paired(ref["masks"])[:, 0] > 0
    own, sure = paired(ref["labels_online"]), paired(ref["masks_online"])[:, 0] > 0
    do_mix, chosen = torch.from_numpy(ref["do_mix"]), chosen_classes(ref)
    donor = own.masked_fill(~sure, 255)[neighbour(torch.arange(len(own)))]
    rows = do_mix.nonzero()[:, 0]
    check(paste(images, labels, masks, own, sure, pasted_pixels(donor, chosen)[rows], rows, band=1), ref)
    # the classes of highest priority are chosen, as many as the released code chooses: the whole function
    check(mix_online(images, labels, masks, own, sure, do_mix, priorities(donor, chosen, do_mix)), ref)


@vectors("beco/mix_offline")
def test_offline_mixing_is_the_released_one(ref: dict[str, Any]) -> None:
    images, labels, masks = paired(ref["images"]), paired(ref["labels"]), paired(ref["masks"])[:, 0] > 0
    do_mix, chosen = torch.from_numpy(ref["do_mix"]), chosen_classes(ref)
    check(
        mix_offline(
            images, labels, masks, do_mix, priorities(labels[neighbour(torch.arange(len(labels)))], chosen, do_mix)
        ),
        ref,
    )


def priorities(donor: Tensor, chosen: Tensor, do_mix: Tensor) -> Tensor:
    """Draws under which `choose_classes` must choose just those classes; where nothing is mixed, any."""
    k = int(donor[donor != 255].max()) + 1
    draws = 0.4 * torch.rand(len(donor), k) + 0.5 * chosen[:, :k]
    assert torch.equal(choose_classes(donor, draws)[do_mix], chosen[do_mix])
    return draws


@vectors("beco/online_label")
def test_online_labels_are_the_released_ones(ref: dict[str, Any]) -> None:
    label, mask = online_labels(torch.from_numpy(ref["logits1"]), torch.from_numpy(ref["logits2"]), ref["T"])
    assert torch.equal(label.long(), torch.from_numpy(ref["label_online"]))
    assert torch.equal(mask.long(), torch.from_numpy(ref["mask_online"]).long().view_as(label))


def test_half_of_the_classes_each_as_often() -> None:
    """Five eligible classes: three are chosen; never background, ignored pixels or absent classes."""
    donor = torch.tensor([0, 2, 3, 5, 7, 8, 255]).expand(6000, 1, 7)
    chosen = choose_classes(donor, torch.rand(6000, 9, generator=torch.Generator().manual_seed(0)))
    assert (chosen.sum(1) == 3).all()
    share = chosen.float().mean(0)
    assert share[[2, 3, 5, 7, 8]].tolist() == pytest.approx([0.6] * 5, abs=0.03)
    assert share.sum() == pytest.approx(3)


@pytest.mark.parametrize("ids", [[0], [255], [0, 255]])
def test_a_donor_without_classes_gives_nothing(ids: list[int]) -> None:
    donor = torch.tensor(ids).expand(2, 3, len(ids))
    assert not choose_classes(donor, torch.rand(2, 4)).any()


def test_neighbours_are_pairs() -> None:
    assert neighbour(torch.arange(6)).tolist() == [1, 0, 3, 2, 5, 4]


def test_nothing_mixed_is_everything_kept() -> None:
    images, labels, masks = torch.randn(2, 3, 4, 5), torch.randint(0, 4, (2, 4, 5)), torch.rand(2, 4, 5) < 0.5
    none, draws = torch.zeros(2, dtype=torch.bool), torch.rand(2, 4)
    for mixed in (
        mix_offline(images, labels, masks, none, draws),
        mix_online(images, labels, masks, labels.flip(0), ~masks, none, draws),
    ):
        assert torch.equal(mixed.images, images) and torch.equal(mixed.labels, labels)
        assert torch.equal(mixed.masks, masks) and not mixed.band.any()
