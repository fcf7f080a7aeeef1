"""Fingerprints -> choices: which method, network, crop, batch and length, and why."""

from dataclasses import replace
from typing import Any

import pytest

from wsss_cli.choices.choice import Choice, Proposal, best, refusals, under
from wsss_cli.choices.fingerprint import Fingerprint, long_side
from wsss_cli.choices.training import batch, epochs
from wsss_cli.config import flat, resolve
from wsss_cli.nets.clip_net import VIT_B16
from wsss_cli.plan import settings_of
from wsss_cli.plugins import method, methods

LAPTOP = Fingerprint(
    images=60,
    tagged=60,
    boxed=0,
    masked=0,
    scored=0,
    classes=3,
    alike=False,
    width=512,
    height=384,
    longest=512,
    gpu=0.0,
    cores=2,
    weights={"tf_efficientnet_lite0": "installed"},
)
ON_THE_HUB = (
    "tf_efficientnet_lite0",
    "resnet50.tv_in1k",
    "resnet50d",
    "resnet101d",
    "deit_tiny_patch16_224.fb_in1k",
    "deit_small_patch16_224.fb_in1k",
    "deit_base_patch16_224.fb_in1k",
    VIT_B16,
)
HUB = dict.fromkeys(ON_THE_HUB, "hub")
CLOSE = {**HUB, VIT_B16: "downloaded"}
NAMES = ["bcm", "beco", "clipes", "irn", "locbe", "ppmg", "puf", "toco", "weclip"]


def proposals(fp: Fingerprint) -> dict[str, Proposal]:
    return {name: p for name, m in methods().items() if (p := m.proposal(fp)) is not None}


def chosen(name: str, fp: Fingerprint) -> dict[str, Any]:
    """Key to value."""
    proposal = method(name).proposal(fp)
    assert proposal is not None
    return {choice.key: choice.value for choice in proposal.choices}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, "irn"),
        ({"boxed": 60}, "bcm"),
        ({"boxed": 60, "tagged": 0}, "bcm"),
        ({"weights": CLOSE}, "clipes"),
        ({"weights": HUB}, "irn"),
        ({"weights": {}}, "irn"),
        ({"gpu": 24.0, "weights": HUB}, "irn"),
        ({"alike": True, "classes": 1, "boxed": 60}, "bcm"),
        ({"tagged": 1}, None),
        ({"tagged": 0}, None),
    ],
)
def test_the_method_that_fits(changes: dict[str, Any], wanted: str | None) -> None:
    assert best(proposals(replace(LAPTOP, **changes)), full=False) == wanted


def test_why_none_fits_and_which_learns_from_masks() -> None:
    one = proposals(replace(LAPTOP, alike=True, classes=1, weights={}))
    assert any("have the very same tags" in why for why in refusals(one))
    assert best(proposals(replace(LAPTOP, masked=60, boxed=60)), full=True) == "irn"
    assert replace(LAPTOP, masked=60).fully_masked and not replace(LAPTOP, masked=59).fully_masked


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"begin": "none"},
        {"images": 3, "tagged": 2, "boxed": 2, "longest": 100},
        {"gpu": 12.0, "weights": HUB},
        {"gpu": 80.0, "weights": HUB, "images": 5000, "tagged": 5000, "boxed": 5000},
        {"effort": 0.01},
    ],
)
def test_every_choice_is_a_setting_of_the_method_with_a_reason(name: str, changes: dict[str, Any]) -> None:
    proposal = method(name).proposal(replace(LAPTOP, **changes))
    assert proposal is not None and all(choice.reason for choice in proposal.choices)
    settings = settings_of(proposal.choices)
    stages = {stage.name: stage for stage in method(name).all_stages()}
    assert settings.keys() <= stages.keys()
    for stage, values in settings.items():
        resolve(stages[stage].config_class(), stage, values)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_gpu_networks_and_crops_are_small(name: str) -> None:
    values = chosen(name, LAPTOP)
    backbones = {value for key, value in values.items() if key.endswith("backbone")}
    assert backbones <= {"tf_efficientnet_lite0", "deit_tiny_patch16_224.fb_in1k"}
    crops = [value for key, value in values.items() if key.endswith(("crop", "crop.size", "views.size"))]
    assert all(side <= 257 for side in crops) and (crops or name == "weclip")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, {"net.backbone": "tf_efficientnet_lite0", "augment.crop": 257, "loop.batch": 8, "loop.epochs": 30}),
        ({"images": 300, "tagged": 300}, {"loop.epochs": 27, "loop.batch": 8}),
        ({"images": 4000, "tagged": 4000}, {"loop.epochs": 2}),
        ({"tagged": 5}, {"loop.batch": 5, "loop.epochs": 200}),
        ({"effort": 0.5}, {"loop.epochs": 15, "optimiser.warm_up": 10}),
        ({"longest": 150}, {"augment.crop": 161}),
        ({"gpu": 24.0, "weights": HUB}, {"net.backbone": "resnet101d", "augment.crop": 513, "loop.batch": 16}),
        ({"gpu": 12.0, "weights": HUB}, {"net.backbone": "resnet50d", "augment.crop": 385, "loop.batch": 8}),
        ({"gpu": 24.0}, {"net.backbone": "tf_efficientnet_lite0", "augment.crop": 513}),
        ({"begin": "none"}, {"net.pretrained": "none", "net.freeze_bn": False, "optimiser.head_factor": 1.0}),
    ],
)
def test_the_segmentation_network(changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    longest = changes.get("longest", 1024 if "gpu" in changes else 512)
    values = chosen("irn", replace(LAPTOP, **{**changes, "longest": longest}))
    assert {key: values[f"train.{key}"] for key in wanted} == wanted


def test_reasons_say_where_weights_are() -> None:
    reasons = {c.key: c.reason for c in method("irn").proposal(LAPTOP).choices}  # type: ignore[union-attr]
    assert reasons["train.net.backbone"] == "no GPU, 2 CPU cores; its weights are installed"
    assert reasons["train.loop.epochs"] == "60 images: about 210 iterations"
    away = method("irn").proposal(replace(LAPTOP, weights={}))
    assert away is not None and away.choices[0].reason.endswith("its weights are out of reach")


@pytest.mark.parametrize(
    ("gpu", "longest", "steps"), [(0, 20, 3), (0, 256, 6), (0, 512, 8), (24, 20, 3), (24, 192, 5), (24, 512, 8)]
)
def test_the_walk_reaches_as_far_as_photos_are_large_and_edges_are_learnt(gpu: int, longest: int, steps: int) -> None:
    assert chosen("irn", replace(LAPTOP, gpu=gpu, longest=longest))["pseudo.walk.exp_times"] == steps


def test_few_steps_where_edges_are_learnt_from_random_features() -> None:
    assert chosen("irn", replace(LAPTOP, begin="none"))["pseudo.walk.exp_times"] == 4


def test_labels_of_flat_cams_are_those_of_small_pretrained_networks() -> None:
    flat = {
        "pseudo.ir_label.foreground": 0.55,
        "pseudo.walk.background": 0.48,
        "pseudo.training.optimiser.name": "adamw",
    }
    for name in ("irn", "beco"):
        assert flat.items() <= chosen(name, LAPTOP).items()
        for other in (replace(LAPTOP, begin="none"), replace(LAPTOP, gpu=24.0, weights=HUB)):
            assert not flat.keys() & chosen(name, other).keys()


def test_only_pretrained_first_layers_stay() -> None:
    assert chosen("irn", LAPTOP)["train.net.freeze"] == chosen("ppmg", LAPTOP)["seeds.net.freeze"] == 4
    assert not {"train.net.freeze", "seeds.net.freeze"} & chosen("ppmg", replace(LAPTOP, begin="none")).keys()


@pytest.mark.parametrize(
    ("longest", "gpu", "side"),
    [(4000, 0.0, 512), (500, 0.0, None), (512, 0.0, None), (4000, 24.0, 1024), (1000, 24.0, None), (1000, 2.0, 512)],
)
def test_the_longest_side(longest: int, gpu: float, side: int | None) -> None:
    assert long_side(longest, gpu) == side


def test_batches_come_in_pairs_where_a_method_mixes_them() -> None:
    assert [batch(LAPTOP, n, even=True) for n in (1, 2, 5, 100)] == [2, 2, 4, 8]
    assert [batch(LAPTOP, n) for n in (0, 1, 5, 100)] == [1, 1, 5, 8]
    assert epochs(LAPTOP, 8, 8, least=100, most=200) == 100 and epochs(LAPTOP, 8, 8, least=1, most=5) == 5


def test_choices_become_settings() -> None:
    choices = [
        *under("train.loop", [Choice("epochs", 3, "few")]),
        Choice("train.loop.batch", 2, ""),
        Choice("a", 1, ""),
    ]
    assert flat(settings_of(choices)) == {"train.loop.epochs": 3, "train.loop.batch": 2}
