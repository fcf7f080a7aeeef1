"""CAMs of training batches against the released code."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from reference_vectors import ROOT, load, vectors
from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.online import floor_size, online_cams
from wsss_cli.nets.backbones.vit import ViT, as_map


@vectors("toco/ms_cam")
def test_cams_of_toco(ref: dict[str, Any]) -> None:
    def maps_of(images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        names = (("w_cam", "b_cam"), ("w_aux", "b_aux"))
        return tuple(
            F.conv2d(images, *(torch.from_numpy(ref[n]) for n in pair), stride=ref["stride"]) for pair in names
        )

    images = torch.from_numpy(ref["inputs"])
    tags = torch.ones(len(images), ref["cam"].shape[1])
    for known in (None, maps_of(images)):
        cams, inner = online_cams(maps_of, images, tags, ref["scales"].tolist(), known=known)
        np.testing.assert_allclose(cams, ref["cam"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(inner, ref["cam_aux"], rtol=1e-5, atol=1e-6)
    tags = sum(torch.meshgrid(*(torch.arange(n) for n in tags.shape), indexing="ij")).remainder(2).float()  # any number
    some = online_cams(maps_of, images, tags, ref["scales"].tolist())[0]
    np.testing.assert_allclose(some, ref["cam"] * tags.numpy()[:, :, None, None], rtol=1e-5, atol=1e-6)


@vectors("puf/multi_scale_cam")
def test_cams_of_puf(ref: dict[str, Any]) -> None:
    """Its class token goes another way, which the maps do not see: only patches go through the blocks."""
    net = load(ROOT / "puf" / ref["weights_from"])
    weights = {k[3:]: torch.from_numpy(v) for k, v in net.items() if k.startswith("sd.")}
    dim = weights["encoder.cls_token"].shape[2]
    sizes = {"embed_dim": dim, "depth": net["depth"], "num_heads": net["num_heads"], "img_size": net["img_size"]}
    encoder = ViT("vit_tiny_patch16_224", sizes)
    own = {k.removeprefix("encoder."): v for k, v in weights.items() if k.startswith("encoder.")}
    encoder.body.load_state_dict({k: v for k, v in own.items() if k in encoder.body.state_dict()})

    def maps_of(images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        patches, grid = encoder.embed(images)
        last, inner = encoder.run(patches + encoder.positions(grid)[1])
        top = F.conv2d(as_map(encoder.body.norm(last), grid), weights["top_classifier.weight"])
        return top, F.conv2d(as_map(inner, grid), weights["aux_classifier.weight"])

    for image, names in (("img1_u8", ("cam", "aux_cam")), ("rect_u8", ("rect_cam", "rect_aux_cam"))):
        images = normalise(torch.from_numpy(ref[image]).permute(0, 2, 3, 1))
        tags = torch.ones(len(images), ref[names[0]].shape[1])
        for found, name in zip(online_cams(maps_of, images, tags, ref["scales"].tolist(), relu_first=True), names):
            np.testing.assert_allclose(found, ref[name], rtol=1e-4, atol=1e-4)


def test_without_tags_there_is_no_cam() -> None:
    cams = online_cams(lambda x: (x[:, :, ::4, ::4],), torch.rand(2, 3, 16, 16), torch.zeros(2, 3))[0]
    assert cams.shape == (2, 3, 16, 16) and not cams.any()


def test_a_scaled_image_keeps_a_pixel() -> None:
    assert floor_size((1, 9), 0.5) == (1, 4) and floor_size((3, 1), 0.25) == (1, 1)


def test_under_autocast_weights_keep_their_gradients() -> None:
    """Casts are kept until autocast ends: one made without gradient must not serve the training pass after it."""
    conv = torch.nn.Conv2d(3, 2, 4, stride=4)
    images = torch.rand(2, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        online_cams(lambda x: (conv(x),), images, torch.ones(2, 2))
        conv(images).float().sum().backward()
    assert conv.weight.grad is not None and conv.weight.grad.abs().sum() > 0
