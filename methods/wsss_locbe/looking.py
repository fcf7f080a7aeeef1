"""What the network is shown beside its images, made of where it sees classes in them."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.cam.online import online_cams
from wsss_cli.cam.regions import UNSURE, region_map
from wsss_cli.nets.vit import Features
from wsss_locbe.config import Phase, Train
from wsss_locbe.nets import Crop, LocBe, Views
from wsss_locbe.windows import draw_windows


@torch.no_grad()
def look(net: LocBe, batch: dict[str, Tensor], features: Features, phase: Phase, config: Train) -> Views:
    """The class activation maps that this phase needs, and the erased images and crops made of the inner ones.

    net       not wrapped
    batch     image (B, 3, H, W), tags (B, C), draws (B, n)
    features  of the images as they are, which spares a pass
    """
    if not phase.needs_maps:
        return Views()
    images, tags = batch["image"], batch["tags"]
    if phase.needs_last_maps:
        cams, inner = online_cams(net.cams, images, tags, known=net.class_maps(features))
    else:
        cams, (inner,) = None, online_cams(net.inner_cams, images, tags, known=(net.inner_class_maps(features.inner),))
    regions = region_map(inner, config.thresholds.low, config.thresholds.high)
    erased = only(images, regions, UNSURE) if phase.erased else None
    crops = cut_crops(images, regions, batch["draws"], net.encoder.patch, config) if phase.local else ()
    return Views(cams, inner, erased, crops)


def only(images: Tensor, regions: Tensor, kept: int) -> Tensor:
    """Everything but one region set to 0, the mean colour: images (B, 3, H, W), regions (B, H, W).

    What is unsure is the boundary of classes; kept alone, it must be enough to tell them.  [LOC-BE]
    """
    return images * (regions == kept)[:, None]


def cut_crops(images: Tensor, regions: Tensor, draws: Tensor, patch: int, config: Train) -> tuple[Crop, ...]:
    """The windows of each group of images, each cut from all images of the group.

    The first image of a group draws: draws (B, n) in [0, 1).
    """
    together, side = config.windows.together, config.windows.side
    groups = zip(images.split(together), regions.split(together), draws[::together])
    return tuple(
        Crop(i * together, window.patches(patch).cut(group))
        for i, (group, region, drawn) in enumerate(groups)
        for window in draw_windows(region, drawn, side)
    )
