"""What the network is shown beside its images, made of where it sees classes in them."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_cli.cam.online import online_cams
from wsss_cli.cam.regions import UNSURE, region_map
from wsss_cli.nets.backbones.vit import Features
from wsss_locbe.config import Phase, Train, Windows
from wsss_locbe.nets import Crop, LocBe, Views
from wsss_locbe.windows import draw_windows


@torch.no_grad()
def make_views(net: LocBe, batch: dict[str, Tensor], features: Features, phase: Phase, config: Train) -> Views:
    """The CAMs that the phase needs, and the erased images and crops made of the inner ones.

    net       not wrapped for DDP
    batch     image (B, 3, H, W), tags (B, C), draws (B, n)
    features  of the images as they are, which spares a pass
    """
    if not phase.needs_cams:
        return Views()
    images, tags = batch["image"], batch["tags"]
    if phase.segments and phase.labels_from == "cam":
        last, inner = online_cams(net.cams, images, tags, known=net.class_maps(features))
    else:  # the last blocks need not be run
        known = (net.inner_class_maps(features.inner),)
        last, (inner,) = None, online_cams(net.inner_cams, images, tags, known=known)
    regions = region_map(inner, config.thresholds.low, config.thresholds.high)
    erased = only(images, regions, UNSURE) if phase.boundary else None
    crops = cut_crops(images, regions, batch["draws"], net.encoder.patch, config.windows) if phase.local else ()
    return Views(inner if last is None else last, inner, erased, crops)


def only(images: Tensor, regions: Tensor, kept: int) -> Tensor:
    """The images with all but one region set to 0, the mean colour: (B, 3, H, W), regions (B, H, W).

    Where the CAMs are unsure are the boundaries of objects; shown alone, these must do to tell the classes.
    """
    return images * (regions == kept)[:, None]


def cut_crops(images: Tensor, regions: Tensor, draws: Tensor, patch: int, settings: Windows) -> tuple[Crop, ...]:
    """Each group's windows, by the draws of its first image, cut from all images of the group.

    images (B, 3, H, W); regions (B, H, W) of `region_map`; draws (B, n) in [0, 1).
    """
    on_host = regions.cpu()  # the one thing in a step that the host waits for: sizes of windows depend on it
    groups = zip(images.split(settings.together), on_host.split(settings.together), draws[:: settings.together])
    return tuple(
        Crop(i * settings.together, window.patches(patch).cut(group))
        for i, (group, region, drawn) in enumerate(groups)
        for window in draw_windows(region, drawn, settings.side)
    )
