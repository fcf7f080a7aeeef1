"""One whole training iteration, from two views and a draw to student, teacher and centres after it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from official_puf import images, network, settings, state
from reference_vectors import vectors
from wsss_cli.engine.adamw import AdamW, adamw, factor
from wsss_cli.engine.ema import follow
from wsss_cli.single_stage.supervision import pseudo_labels, token_labels
from wsss_puf.checkpoint import to_official
from wsss_puf.config import Losses, Masking, Train
from wsss_puf.schedules import masks_uncertain, teacher_momentum, teacher_temperature
from wsss_puf.step import SelfReinforcement
from wsss_puf.teacher import Centres

TERMS = {
    "classification": (1, "loss_top_cls"),
    "auxiliary": (1, "loss_aux_cls"),
    "class_distillation": (0.1, "loss_fsr_cls"),
    "patch_distillation": (0.1, "loss_fsr_pat"),
    "patch_contrast": (0.2, "loss_aff"),
    "segmentation": (0.1, "loss_seg"),
    "energy": (0.05, "loss_reg"),
}
"""The weight of each of our terms, and what it is of."""
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def prepared(ref: dict[str, Any]) -> tuple[SelfReinforcement, dict[str, Tensor]]:
    """The step as it stands before the iteration, and its batch."""
    student, teacher = network(ref, "student0"), network(ref, "teacher0").requires_grad_(False)
    config = Train(
        net=settings(ref, state(ref, "student0")),
        masking=Masking(block=ref["block_size"]),
        losses=Losses(segmentation_from=0),
        optimiser=AdamW(
            weight_decay=0.05, decay="matrices", warm_up=ref["warmup_iters"], warm_up_ratio=0.1, schedule="cosine"
        ),
    )
    centres = Centres(config.net.projection.outputs)
    centres.classes.copy_(torch.from_numpy(ref["class_center0"]))
    centres.patches.copy_(torch.from_numpy(ref["patch_center0"])[0])
    side = ref["img_size"] // ref["block_size"]
    batch = {
        "view1": images(ref["img1_u8"]),
        "view2": images(ref["img2_u8"]),
        "local": torch.zeros(0, 3, 32, 32),
        "tags": torch.from_numpy(ref["cls_label"]).float(),
        "noise": torch.from_numpy(ref["noise"]).view(-1, side, side),
    }
    return SelfReinforcement(student, teacher, centres, config, ref["max_iters"]), batch


@vectors("puf/train_iter")
def test_an_iteration_is_the_released_one(ref: dict[str, Any]) -> None:
    step, batch = prepared(ref)
    k, total, student = ref["n_iter"], ref["max_iters"], step.net
    optimizer = adamw(student, step.config.optimiser)
    losses = step(student, batch, k)
    for name, (weight, term) in TERMS.items():
        np.testing.assert_allclose(losses[name].item(), weight * np.ravel(ref[term])[0], rtol=1e-4, err_msg=name)
    loss = sum(losses.values(), torch.zeros(()))
    np.testing.assert_allclose(loss.item(), np.ravel(ref["loss_total"])[0], rtol=1e-4)
    loss.backward()
    check_gradients(student, ref)
    for group in optimizer.param_groups:
        group["lr"] *= factor(step.config.optimiser, total)(k)
    np.testing.assert_allclose(sorted(g["lr"] for g in optimizer.param_groups), np.sort(ref["lr"]), rtol=1e-5)
    optimizer.step()
    step.after(k)
    for prefix, net in (("after", student), ("ema_after", step.teacher)):
        found = to_official(net.state_dict())
        for name in (key for key in ref if key.startswith(f"{prefix}.")):
            np.testing.assert_allclose(found[name.removeprefix(f"{prefix}.")], ref[name], err_msg=name, **CLOSE)
    np.testing.assert_allclose(step.centres.classes, ref["class_center1"], **CLOSE)
    np.testing.assert_allclose(step.centres.patches[None], ref["patch_center1"], **CLOSE)


def check_gradients(net: nn.Module, ref: dict[str, Any]) -> None:
    """Of a few parameters whole, of all their lengths."""
    grads = to_official({name: p.grad for name, p in net.named_parameters() if p.grad is not None})
    for name in (key for key in ref if key.startswith("grad.")):
        largest = np.abs(ref[name]).max()
        np.testing.assert_allclose(grads[name[5:]], ref[name], rtol=1e-4, atol=1e-4 * largest, err_msg=name)
    for name, length in zip(ref["grad_norm_keys"].tolist(), ref["grad_norms"].tolist(), strict=True):
        if length < 0:
            assert name not in grads
        else:
            np.testing.assert_allclose(grads[name].norm(), length, rtol=1e-4, atol=1e-6, err_msg=name)


@vectors("puf/train_iter")
def test_what_the_iteration_is_made_of(ref: dict[str, Any]) -> None:
    step, batch = prepared(ref)
    net, config, k, total = step.net, step.config, ref["n_iter"], ref["max_iters"]
    assert masks_uncertain(k, total, config.masking.random_share) == bool(ref["strategy_uncertain"])
    np.testing.assert_array_equal(step.mask(batch, k), ref["mask"][len(batch["view1"]) :])
    np.testing.assert_allclose(teacher_temperature(k, total), ref["teacher_temp"], rtol=1e-6)
    np.testing.assert_allclose(teacher_momentum(k, total), ref["ema_momentum"], rtol=1e-6)
    present = batch["tags"][:, :, None, None]
    (unsure,) = step.cams(net.inner_cams, batch["view2"], batch["tags"])
    np.testing.assert_allclose(unsure, ref["aux_cam2"] * present.numpy(), rtol=0, atol=1 / 4096)
    cams, inner = step.cams(net.cams, batch["view1"], batch["tags"])
    labels = pseudo_labels(batch["view1"], cams, batch["tags"], None, config.thresholds, config.par)
    assert (labels.numpy() != ref["pseudo_label"]).mean() < 0.001
    cells = token_labels(inner, tuple(ref["aux_label"].shape[1:]), config.thresholds)
    np.testing.assert_array_equal(cells, ref["aux_label"])


@vectors("puf/optim_ema")
def test_student_and_teacher_move_as_the_released_ones(ref: dict[str, Any]) -> None:
    count = sum(key.endswith(".init") for key in ref)
    mine = nn.ParameterList(torch.from_numpy(ref[f"p{i}.init"]).clone() for i in range(count))
    teacher = nn.ParameterList(p.detach().clone() for p in mine).requires_grad_(False)
    groups = [
        {"params": [p], "lr": lr, "weight_decay": decay}
        for p, lr, decay in zip(mine, ref["base_lr"].tolist(), ref["weight_decay"].tolist(), strict=True)
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, fused=True)
    settings = AdamW(warm_up=ref["warmup_iters"], warm_up_ratio=ref["warmup_ratio"], schedule="cosine")
    rate, first = factor(settings, ref["max_iters"]), float(ref["ema_momentum"][0])
    for k, momentum in enumerate(ref["ema_momentum"]):
        for i, (p, group) in enumerate(zip(mine, optimizer.param_groups)):
            p.grad = torch.from_numpy(ref[f"p{i}.grad{k}"])
            group["lr"] = float(ref["base_lr"][i]) * rate(k)
        np.testing.assert_allclose([g["lr"] for g in optimizer.param_groups], ref["lr_per_step"][k], rtol=1e-5)
        optimizer.step()
        np.testing.assert_allclose(teacher_momentum(k, ref["max_iters"], first), momentum, rtol=1e-6)
        follow(teacher, mine, teacher_momentum(k, ref["max_iters"], first))
        for i, (p, t) in enumerate(zip(mine, teacher)):
            np.testing.assert_allclose(p.detach(), ref[f"p{i}.after{k}"], rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(t.detach(), ref[f"p{i}.teacher{k}"], rtol=1e-5, atol=1e-7)
