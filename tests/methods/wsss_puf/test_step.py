"""The training step in itself: what it computes when, that ranks' shares make the whole, and bf16."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.released.puf import Released
from on_one_device import RELEASED, OnOneDevice
from tiny_puf import batch_of, settings, step_of
from wsss_cli.data.prepared import Sample

TERMS = {
    "classification",
    "auxiliary",
    "class_distillation",
    "patch_distillation",
    "patch_contrast",
    "segmentation",
    "energy",
}
LOCAL = {"local_crops": 2}


def total(losses: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def images_through(net: nn.Module, run: Any) -> Counter[str]:
    """How many images each part of the network sees: the first and the last block, gathering, projection's rows."""
    seen: Counter[str] = Counter()
    parts = {
        "first": net.encoder.body.blocks[0],
        "last": net.encoder.body.blocks[-1],
        "gather": net.encoder.cls_blocks[0],
        "rows": net.projector.last_layer,
        "decoder": net.decoder,
    }
    hooks = [
        part.register_forward_pre_hook(lambda module, args, name=name: seen.update({name: len(args[0])}))
        for name, part in parts.items()
    ]
    run()
    for hook in hooks:
        hook.remove()
    return seen


B, MASKED = 4, 7  # images; of 4 x 4 blocks ceil(0.4 * 16), each of 2 x 2 patches


@pytest.mark.parametrize(
    ("k", "changes", "student", "teacher"),
    [
        # random masks, no segmentation: views 1 and 2; CAMs of view 1 by inner features: its mirror image, two scales
        (0, {}, {"first": 7 * B, "last": 2 * B}, {"first": 2 * B}),
        # with the segmentation the last block is needed as well
        (2, {}, {"first": 7 * B, "last": 7 * B, "decoder": B}, {"first": 2 * B}),
        # masks of CAMs: three scales of view 2 and mirror images, by inner features
        (5, {}, {"first": 13 * B, "last": 7 * B, "decoder": B}, {"first": 2 * B}),
        # nothing is masked: no CAMs for that
        (5, {"masking": {"ratio": 0.0}}, {"first": 7 * B, "last": 7 * B, "decoder": B}, {"first": B}),
        # no self-distillation: neither second view nor teacher
        (5, {"distillation": {"iterations": 5}}, {"first": 6 * B, "last": 6 * B, "decoder": B}, {}),
        # the contrast alone, then nothing but the classifications
        (0, {"distillation": {"iterations": 0}}, {"first": 6 * B, "last": B}, {}),
        (0, {"distillation": {"iterations": 0}, "losses": {"contrast_from": 1}}, {"first": B, "last": B}, {}),
        # one of the two comparisons: the teacher sees one view
        (2, {"distillation": {"class_weight": 0.0}}, {"first": 7 * B, "last": 7 * B, "decoder": B}, {"first": B}),
    ],
)
def test_nothing_without_weight_is_computed(
    samples: list[Sample], k: int, changes: Any, student: dict[str, int], teacher: dict[str, int]
) -> None:
    step = step_of(settings(**changes))
    batch = batch_of(samples, step.config)
    net, other = step.net, step.teacher
    losses: dict[str, Tensor] = {}
    found: list[Counter[str]] = []
    outer = images_through(other, lambda: found.append(images_through(net, lambda: losses.update(step(net, batch, k)))))
    assert set(losses) == TERMS and all(v.isfinite() for v in losses.values())
    now = step.phase(k)
    patches = now.patches > 0 and step.config.masking.ratio > 0
    rows = B * (now.classes > 0) + 4 * MASKED * B * patches
    expected = {"gather": B * (now.classes > 0), "rows": rows, **student}
    assert {name: found[0][name] for name in expected} == expected and found[0]["decoder"] == student.get("decoder", 0)
    assert outer["first"] == teacher.get("first", 0) and outer["decoder"] == 0
    # of the teacher's last layer also the mean patch
    assert outer["rows"] == rows + patches and outer["gather"] == expected["gather"]
    total(losses).backward()
    assert all(p.grad is not None for p in net.parameters())
    assert all(p.grad is None for p in other.parameters())


@pytest.mark.parametrize(("k", "changes"), [(0, {}), (5, {}), (5, {"views": LOCAL})])
def test_halves_of_a_batch_make_the_whole(samples: list[Sample], k: int, changes: Any) -> None:
    """As ranks and accumulation cut it; but for the contrast, whose denominators are whole batches', see its test."""
    whole, half = step_of(settings(**changes)), step_of(settings(**changes))
    losses = whole(whole.net, batch_of(samples, whole.config), k)
    halves = [half(half.net, batch_of(samples, half.config, part), k) for part in ((0, 1), (2, 3))]
    for name in TERMS - {"patch_contrast", "segmentation"}:
        mean = (halves[0][name] + halves[1][name]) / 2
        torch.testing.assert_close(losses[name], mean, rtol=1e-5, atol=1e-6, msg=name)
    for step in (whole, half):
        step.after(k)
    torch.testing.assert_close(whole.centres.state_dict(), half.centres.state_dict())
    assert whole.centres.classes.any() and whole.centres.patches.any()


def test_one_pass_gives_what_the_released_order_of_work_gives(samples: list[Sample]) -> None:
    step = step_of(settings())
    batch = batch_of(samples, step.config)
    ours = step(step.net, batch, 5)  # first: the released order changes the centres at once
    with OnOneDevice(RELEASED):
        theirs = Released(step.net, step.teacher, step.centres, step.config, step.total)(batch, 5)
    assert set(ours) == TERMS
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_no_energy_without_weight(samples: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    step = step_of(settings(losses={"energy": 0.0}))
    batch = batch_of(samples, step.config)
    expected = step_of(settings())
    with_energy = expected(expected.net, batch, 5)
    monkeypatch.setattr("wsss_puf.step.segmentation_losses", None)
    losses = step(step.net, batch, 5)
    assert losses["energy"] == 0 != with_energy["energy"]
    torch.testing.assert_close(losses["segmentation"], with_energy["segmentation"])


def test_after_an_iteration_the_teacher_follows(samples: list[Sample]) -> None:
    step = step_of(settings(distillation={"iterations": 3, "momentum": 0.9}))
    before = [p.clone() for p in step.teacher.parameters()]
    step(step.net, batch_of(samples, step.config), 0)
    step.after(0)
    for was, own, theirs in zip(before, step.teacher.parameters(), step.net.parameters(), strict=True):
        torch.testing.assert_close(own, 0.9 * was + 0.1 * theirs.detach())
    state = {name: value.clone() for name, value in step.teacher.state_dict().items()}
    step(step.net, batch_of(samples, step.config), 3)
    step.after(3)
    torch.testing.assert_close(step.teacher.state_dict(), state, rtol=0, atol=0)


@pytest.mark.parametrize("steady", [True, False])
def test_stochastic_depth_is_everywhere_unless_steady(steady: bool) -> None:
    step = step_of(settings(net={"drop_path": 0.5}, distillation={"steady": steady}))
    images, tags = torch.rand(4, 3, 64, 64), torch.ones(4, 3)
    one, two = (step.cams(step.net.inner_cams, images, tags)[0] for _ in range(2))
    assert torch.equal(one, two) == steady and step.net.training
    one, two = (step.teacher.class_scores(images) for _ in range(2))
    assert torch.equal(one, two) == steady
    one, two = (step.net(images).tags for _ in range(2))
    assert not torch.equal(one, two)


def test_bf16_is_near(samples: list[Sample]) -> None:
    """After the CAMs, which are made without gradient of weights that need one."""
    full, half = step_of(settings()), step_of(settings())
    batch = batch_of(samples, full.config)
    losses = full(full.net, batch, 5)
    with torch.autocast("cpu", torch.bfloat16):
        lower = half(half.net, batch, 5)
    for name, value in losses.items():
        torch.testing.assert_close(lower[name], value, rtol=0.05, atol=0.02, msg=name)
    total(losses).backward()
    total(lower).backward()
    grads = [(p.grad, q.grad) for p, q in zip(full.net.parameters(), half.net.parameters())]
    assert all(a is not None and b is not None for a, b in grads)
    largest = max(a.norm() for a, _ in grads)
    for (name, _), (a, b) in zip(full.net.named_parameters(), grads):
        assert (a - b).norm() <= 0.15 * a.norm() + 1e-3 * largest, name
    assert min(b.norm() for a, b in grads if a.norm() > 0.01 * largest) > 0
