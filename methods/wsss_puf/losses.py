"""Self-distillation: what the student makes of an image it sees in part should be what the teacher makes of it all."""

from __future__ import annotations

from torch import Tensor


def class_distillation(
    student: Tensor, teacher: Tensor, centre: Tensor, teacher_temp: float, student_temp: float = 0.1
) -> Tensor:
    """1/(V B) sum_v,b H(softmax((t_b - c) / tau_t), softmax(s_vb / tau_s)), H the cross-entropy.

    [He et al. 2024, released code: cer.FSR]  student (V, B, P) class tokens' scores of V views; teacher (B, P) those of
    the other view; centre (1, P).
    """
    target = soft_targets(teacher, centre, teacher_temp).expand(len(student), -1, -1)  # (V, B, P)
    return soft_cross_entropy(student, target, student_temp).mean()


def patch_distillation(
    student: Tensor,
    teacher: Tensor,
    centre: Tensor,
    mask: Tensor,
    teacher_temp: float,
    student_temp: float = 0.1,
) -> Tensor:
    """1/B sum_b 1/max(1, n_b) sum_i H(softmax((t_i - c) / tau_t), softmax(s_i / tau_s)) over the n_b masked patches.

    [He et al. 2024, released code: unc.FSR]  student, teacher (M, P) scores of the masked patches alone, in the order
    of `mask.flatten(1).nonzero()`; centre (1, P); mask (B, h, w) bool.
    """
    each = soft_cross_entropy(student, soft_targets(teacher, centre, teacher_temp), student_temp)  # (M,)
    count = mask.flatten(1).sum(1)  # (B,)
    weight = 1 / (len(mask) * count.clamp(min=1))
    return (each * weight.repeat_interleave(count, output_size=len(each))).sum()


def soft_targets(teacher: Tensor, centre: Tensor, temp: float) -> Tensor:
    """softmax((t - c) / tau), without gradient: (..., P) -> (..., P)."""
    return ((teacher.detach().float() - centre) / temp).softmax(-1)


def soft_cross_entropy(scores: Tensor, target: Tensor, temp: float) -> Tensor:
    """-sum_p target_p log softmax(scores / temp)_p: (..., P) -> (...)."""
    return -(target * (scores.float() / temp).log_softmax(-1)).sum(-1)
