"""WeCLIP's networks, labels and losses against the released functions."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from reference_vectors import vectors
from tiny_clip import weights_beside
from tiny_weclip import reference_network, reference_plus
from wsss_cli.batches.transforms import Placement, flip, normalise, place
from wsss_cli.batches.views import rescaled
from wsss_cli.classifier.softmax_cam import min_max
from wsss_cli.data.label_format import BYTE
from wsss_cli.engine.adamw import AdamW, adamw, factor
from wsss_cli.engine.infer import predict
from wsss_cli.losses.two_part import two_part_cross_entropy
from wsss_cli.nets.backbones.clip import run_block
from wsss_cli.refine.crf import DenseCrf, unary_from_softmax
from wsss_cli.refine.par import par
from wsss_weclip.affinity import affinity_loss, cell_pairs, near
from wsss_weclip.checkpoint import trained_name
from wsss_weclip.config import AFA_CRF, Infer, Labels, Losses, Train
from wsss_weclip.dino import Dino
from wsss_weclip.nets import Evidence, Outputs, WeClip
from wsss_weclip.refinement import enlarged, refined_label, spread_cams
from wsss_weclip.step import WeClipStep

GUIDED = Outputs(torch.zeros(0), (), torch.zeros(0))
"""Of which spread_cams takes the affinity."""


@pytest.fixture
def weights(request: pytest.FixtureRequest) -> dict[str, Any]:
    return weights_beside(request)


def tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.asarray(array))


def close(found: Any, expected: Any, tolerance: float = 1e-5, what: str = "") -> None:
    """Within a share of the largest value."""
    expected, found = np.asarray(expected), np.asarray(found.detach() if isinstance(found, Tensor) else found)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max(), err_msg=what)


def same_labels(found: Tensor, expected: Any, share: float = 1e-3) -> None:
    assert (found.numpy() != expected).mean() <= share


@vectors("weclip/tower")
@pytest.mark.parametrize(("half", "tolerance"), [("", 1e-5), ("_half", 1e-3)])
def test_every_block_of_the_tower(ref: dict[str, Any], weights: dict[str, Any], half: str, tolerance: float) -> None:
    net = reference_network(weights, half_projection=bool(half))
    seen = net.encoder.see(tensor(ref["x"]))
    close(torch.stack(seen.tokens), ref[f"all_tokens{half}"], tolerance)
    close(seen.attention, ref[f"attn{half}"], tolerance)


@vectors("weclip/decoder")
def test_fusion_decoder_and_affinity(ref: dict[str, Any], weights: dict[str, Any]) -> None:
    levels = tensor(ref["tokens"])
    none = torch.zeros(0)
    for half, tolerance in (("", 1e-5), ("_half", 1e-3)):
        net = reference_network(weights, half_projection=bool(half))
        with torch.no_grad():
            out = net(Evidence(levels, none, none, none))
        close(out.logits, ref[f"seg{half}"], tolerance)
        close(out.affinity, ref["attn_pred"])
    x = reference_network(weights).fusion(levels)
    close(x, ref["fused"])
    x = x.flatten(2).transpose(1, 2)
    for i, block in enumerate(reference_network(weights).decoder.blocks):
        x, attention = run_block(block, x, block.norm1(x))
        close(attention, ref["decoder_attn"][:, i])


def check_labels(ref: dict[str, Any], net: WeClip, settings: Labels) -> None:
    """Maps and labels of one image, plain and guided, at the size of training and at its own."""
    image, keys = tensor(ref["image"]), tensor(ref["tags"]) + 1
    tags = torch.zeros(1, len(net.classes))
    tags[0, keys - 1] = 1
    np.testing.assert_array_equal(ref["keys"] + 1, keys)
    seen = net.look(image[None], tags, settings.maps)
    for kind, said in (("plain", None), ("guided", GUIDED._replace(affinity=tensor(ref["seg_attn"])))):
        (cams,) = spread_cams(seen, tags, settings, said)
        close(cams, min_max(tensor(ref[f"refined_small_{kind}"])), 1e-4)
        for where, size in (("train", image.shape[1:]), ("val", ref["orig_hw"].tolist())):
            cam = enlarged(cams, size)
            close(cam, ref[f"cam_{kind}_{where}"], 1e-4)
            same_labels(refined_label(image, cam, keys, settings.par, BYTE), ref[f"label_{kind}_{where}"])


@vectors("weclip/cam_label")
def test_pseudo_labels(ref: dict[str, Any], weights: dict[str, Any]) -> None:
    check_labels(ref, reference_network(weights), Labels())
    cam = tensor(ref["cam_guided_train"])
    refined = par(tensor(ref["image"])[None], torch.cat([1 - cam.amax(0, keepdim=True), cam])[None], Labels().par)
    close(refined[0], ref["par_out_guided_train"], 1e-4)


@vectors("weclip/cam_label_coco")
def test_pseudo_labels_of_coco(ref: dict[str, Any], weights: dict[str, Any]) -> None:
    check_labels(ref, reference_network(weights, coco=True), Labels(box_threshold=0.7, guided_maps=10))


@vectors("weclip/par")
def test_refinement(ref: dict[str, Any]) -> None:
    masks = tensor(ref["masks"])
    image = F.interpolate(tensor(ref["image"]), masks.shape[2:], mode="bilinear", align_corners=True)
    close(par(image, masks, Labels().par), ref["out"])


@vectors("weclip/affinity")
def test_affinity_loss(ref: dict[str, Any]) -> None:
    labels, predicted = tensor(ref["label"]), tensor(ref["attn_pred"]).requires_grad_()
    grid = (labels.shape[1] // 16, labels.shape[2] // 16)
    np.testing.assert_array_equal(near(grid, ref["radius"]), ref["mask"])
    same, different = cell_pairs(labels, grid, ref["radius"])
    np.testing.assert_array_equal(torch.where(same, 1, torch.where(different, 0, 255)), ref["aff_label"])
    assert (same.sum() + 1, different.sum() + 1) == (ref["pos_count"], ref["neg_count"])
    loss = affinity_loss(predicted, labels, grid, ref["radius"])
    loss.backward()
    close(loss, ref["loss"])
    close(predicted.grad, ref["grad"])


@vectors("weclip/seg_loss")
def test_segmentation_loss(ref: dict[str, Any]) -> None:
    logits, labels = tensor(ref["pred"]).requires_grad_(), tensor(ref["label"])
    loss = two_part_cross_entropy(logits, labels)
    loss.backward()
    close(loss, ref["loss"])
    close(logits.grad, ref["grad"])
    assert np.isnan(ref["loss_without_foreground"])  # here the other part alone
    assert two_part_cross_entropy(logits, torch.zeros_like(labels)).isfinite()


@vectors("weclip/lr_schedule")
def test_learning_rates(ref: dict[str, Any]) -> None:
    o = Train().optimiser
    assert (o.lr * o.head_factor, o.warm_up, o.power) == (ref["base"], ref["warmup_iter"], ref["power"])
    assert o.warm_up_ratio == ref["warmup_ratio"]
    rate = factor(o, ref["max_iter"])
    rates = [ref["base"] * rate(k) for k in ref["step"].tolist()]
    np.testing.assert_allclose(rates, ref["lr_f64"], rtol=1e-9)


@vectors("weclip/augment")
def test_augmentation(ref: dict[str, Any]) -> None:
    image = rescaled(ref["image"], ref["ratio"])
    assert image.shape[:2] == tuple(ref["scaled_hw"])
    image = flip(image) if ref["flip"] else image
    (y, x), (top, left), side = ref["pad_hw"].tolist(), ref["start_hw"].tolist(), ref["crop_size"]
    at = Placement(top, left, y, x, min(side, image.shape[0]), min(side, image.shape[1]))
    crop = place(image, at, side)
    np.testing.assert_array_equal(crop, ref["crop"])
    close(normalise(tensor(crop)[None])[0], ref["out"])


@vectors("weclip/train_iter")
@pytest.mark.parametrize("half", ["", "_half"])
def test_two_training_iterations(ref: dict[str, Any], weights: dict[str, Any], half: str) -> None:
    net = reference_network(weights, half_projection=bool(half))
    start, tolerance = ref["start_step"], 3e-3 if half else 1e-4
    config = Train(labelling=Labels(guided_from=start + 1), losses=Losses(radius=ref["radius"]))
    optimizer, rate, step = adamw(net, config.optimiser), factor(config.optimiser, 30000), WeClipStep(net, config)
    images, tags = tensor(ref["images"]), tensor(ref["tags"]).float()
    batch = {"image": images, "tags": tags, "box": torch.tensor([[0, 96, 0, 96]] * 2), "kept": None}
    (base,) = [group["lr"] for group in optimizer.param_groups]
    for i, k in enumerate((start, start + 1), 1):
        seen = net.look(images, tags, config.labelling.maps)
        said = net(seen)
        close(said.logits, ref[f"seg{i}{half}"], tolerance)
        close(said.affinity, ref[f"attn_pred{i}{half}"], tolerance)
        same_labels(step.labels(batch, seen, said, k), ref[f"label{i}{half}"], 0.06 if half else 1e-3)
        losses = step(net, batch, k)
        close(losses["segmentation"], ref[f"seg_loss{i}{half}"], tolerance)
        close(losses["affinity"] / 0.1, ref[f"aff_loss{i}{half}"], tolerance)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        check_gradients(net, ref["grad_names"], ref[f"grad_norms{i}{half}"], 10 * tolerance)
        optimizer.param_groups[0]["lr"] = base * rate(k)
        np.testing.assert_allclose(optimizer.param_groups[0]["lr"], ref[f"lr{i}"], rtol=1e-9)
        optimizer.step()
    found = dict(net.named_parameters())
    for name in (n for n in ref if n.startswith("after.") and n.endswith("_half") == bool(half)):
        close(found[trained_name(name.removeprefix("after.").removesuffix("_half"))], ref[name], 10 * tolerance, name)


def check_gradients(net: WeClip, names: Any, norms: Any, tolerance: float) -> None:
    found = {name: p.grad for name, p in net.named_parameters() if p.grad is not None}
    assert len(found) == len(names)
    for name, norm in zip(names.tolist(), norms.tolist(), strict=True):
        np.testing.assert_allclose(
            found[trained_name(name)].norm(), norm, rtol=tolerance, atol=tolerance * norms.max(), err_msg=name
        )


@vectors("weclip/ms_seg")
def test_scales_and_flips(ref: dict[str, Any]) -> None:
    """The toy network of the vector; ours gives softmax scores, enlarged. One scale there is without flip."""
    image = tensor(ref["image"])

    def toy(x: Tensor) -> Tensor:
        return F.conv2d(x, tensor(ref["w_seg"]), tensor(ref["b_seg"]), stride=16)

    for scales, grid, expected in (((1.0,), "segs", "pred"), (tuple(ref["scales"]), "msc_segs", "msc_pred")):
        settings = Infer(scales=scales, flip=len(scales) > 1, long_side=ref["resize_long"])
        size = (image.shape[1], image.shape[2])
        scores = predict_normalised(toy, image[None], settings, size)
        large = F.interpolate(tensor(ref[grid]), size, mode="bilinear", align_corners=False)
        close(scores, large.softmax(1), 1e-4)
        same_labels(scores[0].argmax(0), ref[expected])


def predict_normalised(net: Any, images: Tensor, settings: Infer, size: tuple[int, int]) -> Tensor:
    """`predict` of images that are normalised already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wsss_cli.engine.infer.normalise", lambda x: x)
        return predict(net, images, settings, size)


@vectors("weclip/crf")
def test_dense_crf(ref: dict[str, Any]) -> None:
    crf = DenseCrf(tensor(ref["image"]), AFA_CRF)
    scores = crf.infer(unary_from_softmax(tensor(ref["prob"])))
    same_labels(scores.argmax(0), ref["pred"])
    np.testing.assert_allclose(scores.amax(0), ref["Q_max"], atol=5e-4)
    assert AdamW().head_factor == 10 and Infer().crf_settings == AFA_CRF


def plus_config(ref: dict[str, Any], coco: bool, **labels: Any) -> Train:
    boxes = {"box_threshold": 0.7, "guided_maps": 8} if coco else {"box_threshold": None}
    return Train(
        labelling=Labels(guided_from=0, weigh=True, **boxes, **labels), losses=Losses(dice=1.0, radius=ref["radius"])
    )


@vectors("weclip/plus")
@pytest.mark.parametrize("coco", [False, True])
def test_plus_sees_and_labels(ref: dict[str, Any], coco: bool) -> None:
    net, kind = reference_plus(ref, coco), "coco_" if coco else ""
    step = WeClipStep(net, plus_config(ref, coco))
    images, tags = tensor(ref["images"]), tensor(ref[f"{kind}tags"]).float()
    seen = net.look(images, tags, step.config.labelling.maps)
    said = net(seen)
    close(said.parts[0], ref[f"{kind}seg_clip"])
    close(said.parts[1], ref[f"{kind}seg_dino"])
    close(said.affinity, ref[f"{kind}attn_pred"])
    same_labels(step.labels({"image": images, "tags": tags}, seen, said, 0), ref[f"{kind}label"])


@vectors("weclip/plus")
@pytest.mark.parametrize("late", ["late0", "late1"])
def test_plus_losses_and_gradients(ref: dict[str, Any], late: str) -> None:
    net = reference_plus(ref, coco=False)
    config = plus_config(ref, False, trust_from=0 if late == "late1" else None, trust_above=ref[f"{late}_threshold"])
    step = WeClipStep(net, config)
    images, tags = tensor(ref["images"]), tensor(ref["tags"]).float()
    batch = {"image": images, "tags": tags, "kept": None}
    seen = net.look(images, tags, config.labelling.maps)
    said = net(seen)
    logits = F.interpolate(said.logits, images.shape[2:], mode="bilinear", align_corners=False)
    same_labels(step.with_sure(tensor(ref["label"]), logits, 0), ref[f"{late}_label_used"])
    losses = step(net, batch, 0)
    close(losses["segmentation"], ref[f"{late}_seg_loss"], 1e-4)
    close(losses["dice"], ref[f"{late}_dice"], 1e-4)
    close(losses["affinity"] / 0.1, ref[f"{late}_aff_loss"], 1e-4)
    crossed = np.nan_to_num([ref[f"{late}_clip_from_dino"], ref[f"{late}_dino_from_clip"]]).sum()
    if np.isfinite(ref[f"{late}_total"]):
        close(losses["cross"] / 0.1, crossed, 1e-4)
        close(torch.stack(list(losses.values())).sum(), ref[f"{late}_total"], 1e-4)
    torch.stack(list(losses.values())).sum().backward()
    check_gradients(net, ref["grad_names"], ref[f"{late}_grad_norms"], 1e-3)


@vectors("weclip/plus")
def test_what_dino_is_shown(ref: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {"img_size": 56, "embed_dim": 24, "depth": 1, "num_heads": 2}
    dino, shown = Dino("vit_small_patch14_dinov2", tiny), []

    def show(x: Tensor, grid: tuple[int, int]) -> Tensor:
        shown.append(x)
        return torch.zeros(len(x), 1 + grid[0] * grid[1], 24)

    monkeypatch.setattr(dino, "_without_registers", show)
    dino(tensor(ref["images"]))
    close(shown[0], ref["dino_input"])
