"""The self-distillation losses against the released ones, two steps in a row, and their centres."""

from typing import Any

import numpy as np
import pytest
import torch

from reference_vectors import vectors
from wsss_puf.losses import class_distillation, patch_distillation
from wsss_puf.schedules import teacher_temperature
from wsss_puf.teacher import Centres


@vectors("puf/fsr_loss")
def test_losses_gradients_and_centres_are_the_released_ones(ref: dict[str, Any]) -> None:
    centres = Centres(ref["s0.teacher"].shape[2], ref["center_momentum"])
    for step in ("s0", "s1"):

        def of(name: str, step: str = step) -> torch.Tensor:
            return torch.from_numpy(np.asarray(ref[f"{step}.{name}"]))

        np.testing.assert_allclose(centres.classes, of("class_center_before"), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(centres.patches[None], of("patch_center_before"), rtol=1e-5, atol=1e-7)
        temp = teacher_temperature(ref[f"{step}.iter"], ref["max_iters"])
        np.testing.assert_allclose(temp, of("teacher_temp"), rtol=1e-6)
        teacher, student = of("teacher"), of("student").requires_grad_()
        b, outputs = len(teacher) // 2, teacher.shape[2]
        views = student[b:, 0][None]  # (1, B, P)
        local = of("student_local").requires_grad_() if f"{step}.student_local" in ref else None
        if local is not None:
            views = torch.cat([views, local.view(-1, b, outputs)])
        mask = of("mask")[b:]
        hidden = mask.flatten(1)
        temps = temp, ref["student_temp"]
        classes = class_distillation(views, teacher[:b, 0], centres.classes, *temps)
        patches = patch_distillation(student[b:, 1:][hidden], teacher[b:, 1:][hidden], centres.patches, mask, *temps)
        np.testing.assert_allclose(classes.item(), of("class_loss"), rtol=1e-5)
        np.testing.assert_allclose(patches.item(), of("patch_loss"), rtol=1e-5)
        (ref["w_class"] * classes + ref["w_patch"] * patches).backward()
        np.testing.assert_allclose(student.grad, of("grad_student"), rtol=1e-5, atol=1e-7)
        if local is not None:
            np.testing.assert_allclose(local.grad, of("grad_student_local"), rtol=1e-5, atol=1e-7)
        centres.see("classes", teacher[:b, 0].mean(0, keepdim=True))
        centres.see("patches", teacher[b:, 1:].mean((0, 1))[None])
        centres.update()
        np.testing.assert_allclose(centres.classes, of("class_center_after"), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(centres.patches[None], of("patch_center_after"), rtol=1e-5, atol=1e-7)


def test_nothing_masked_is_no_loss() -> None:
    none = torch.zeros(0, 8, requires_grad=True)
    loss = patch_distillation(none, torch.zeros(0, 8), torch.zeros(1, 8), torch.zeros(2, 3, 3, dtype=torch.bool), 0.1)
    assert loss.item() == 0
    loss.backward()


def test_parts_of_a_batch_make_the_centre_of_the_whole() -> None:
    whole, parts, scores = Centres(5), Centres(5), torch.rand(4, 5)
    whole.see("classes", scores.mean(0, keepdim=True))
    for part in scores.split(2):
        parts.see("classes", part.mean(0, keepdim=True))
    whole.update()
    parts.update()
    torch.testing.assert_close(whole.classes, parts.classes)
    assert whole.classes.any() and not whole.patches.any()
    parts.update()  # nothing new
    torch.testing.assert_close(whole.classes, parts.classes)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_teacher_that_agrees_leaves_the_entropy(outputs: int) -> None:
    scores = torch.randn(1, 2, outputs)
    loss = class_distillation(scores, scores[0], torch.zeros(1, outputs), 0.1, 0.1)
    prob = (scores[0] / 0.1).softmax(1)
    torch.testing.assert_close(loss, -(prob * prob.log()).nansum(1).mean())
