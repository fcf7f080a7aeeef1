"""Shipped recipes on a handful of scenes: their own path through every phase, on networks and images of a tiny size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from processes import Wsss
from wsss_cli.config import as_dict, merge
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.execute import execute
from wsss_cli.plan import plan, read_recipe
from wsss_cli.plugins import method
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.runs import Run, Settings
from wsss_locbe.config import Train

METHODS = ("irn", "beco", "ppmg", "toco", "locbe", "puf", "bcm", "clipes", "weclip")
RECIPES = [(name, recipe) for name in METHODS for recipe in method(name).recipes()]

TWO = {"iterations": 2, "log_every": 1, "save_minutes": 0}
SMALL_NET = {"backbone": "test_resnet", "pretrained": "none"}
VIT = {
    "backbone": "vit_tiny_patch16_224",
    "backbone_args": {"img_size": 64, "patch_size": 8, "embed_dim": 24, "depth": 4, "num_heads": 2},
    "pretrained": "none",
    "width": 16,
    "dilation": 1,
}
SEAM = {"resize_long": [56, 72], "crop": 64, "loop": TWO}
IRN = {
    "seeds": {"net": SMALL_NET, "training": {"resize_long": [56, 72], "crop": 64, "loop": TWO}},
    "pseudo": {
        "training": {"crop": 64, "radius": 4, "loop": TWO | {"batch": 16}},
        "walk": {"pad": None, "exp_times": 3},
        "instances": {"iterations": 10},
    },
}
CLIP = {
    "backbone": "vit_base_patch16_clip_quickgelu_224",
    "backbone_args": {"img_size": 64, "embed_dim": 24, "depth": 4, "num_heads": 2},
    "pretrained": "none",
}
DINO = {"dino_args": {"img_size": 56, "embed_dim": 24, "depth": 2, "num_heads": 2}, "dino_pretrained": "none"}
TEST = {"scales": [1.0, 1.25], "short_side": 64, "window": 64, "window_stride": 60}
SEGMENT = {"net": SMALL_NET | {"width": 16, "aspp_rates": [1, 2, 3]}, "loop": TWO}
VIT_STAGES = {"seeds": {"resize": 64}, "infer": {"resize": 64}}
SMALLER: dict[str, dict[str, Any]] = {
    "irn": IRN | {"train": SEGMENT | {"augment": {"crop": 64}}},
    "beco": IRN | {"train": SEGMENT | {"crop": {"size": 64}, "mixing": {"warm_up": 0}}, "infer": {"resize": 64}},
    "ppmg": {
        "seeds": {
            "net": SMALL_NET,
            "training": SEAM,
            "grid": {"scales": [0.75, 1.5], "crop": 64, "stride": 43},
            "rough": {"net": SMALL_NET, "training": SEAM | {"loop": TWO | {"batch": 16}}},
        },
        "train": {
            "net": SMALL_NET | {"width": 16},
            "augment": {"crop": 64, "short_side": 64},
            "loop": TWO | {"batch": 16},
            "cyclic": {"infer": TEST},
        },
        "infer": TEST,
    },
    "toco": VIT_STAGES
    | {
        "train": {
            "net": VIT | {"prototypes": 32, "hidden": 24, "bottleneck": 12},
            "views": {"crop": 64},
            "local": {"size": 24},
            "losses": {"contrast_from": 2, "cam_from": 4, "segmentation_from": 2},
            "loop": TWO | {"iterations": 6},
        }
    },
    "locbe": VIT_STAGES
    | {
        "train": {
            "net": VIT,
            "augment": {"crop": 64},
            "windows": {"side": 24},
            "loop": TWO | {"iterations": 6},
        }
    },
    "puf": VIT_STAGES
    | {
        "train": {
            "net": VIT | {"input_size": 64, "projection": {"hidden": 16, "bottleneck": 8, "outputs": 32}},
            "views": {"size": 64},
            "masking": {"block": 16},
            "losses": {"contrast_from": 2, "segmentation_from": 2},
            "loop": TWO | {"iterations": 4},
        }
    },
    "bcm": {
        "train": {
            "net": SMALL_NET | {"aspp_rates": [1, 2, 3]},
            "crop": {"size": 65},
            "base": {"loop": TWO},
            "bcm": {"loop": TWO},
            "fr": {"loop": TWO},
        }
    },
    "clipes": {
        "seeds": {"features": "random", "net": CLIP},
        "train": {"net": SMALL_NET | {"aspp_rates": [1, 2, 3]}, "augment": {"crop": 65}, "loop": TWO},
    },
    "weclip": {
        "train": {
            "text": {"features": "random"},
            "net": CLIP | DINO | {"width": 16, "heads": 2, "blocks": 2},
            "augment": {"crop": 64},
            "labelling": {"guided_from": 1},
            "losses": {"radius": 3},
            "loop": TWO,
        },
        "infer": {"long_side": 64},
    },
}
"""What is changed of every recipe of a method: networks, sizes of images and crops, scales of PPMG's cells and tests,
lengths.  Batches (but for three of 32 and 24 images), shares of them, optimisers, losses and every other setting are
the recipe's own; of ToCo and PUF the iterations at which losses begin are moved so that each phase has two."""


def small_scenes(folder: Path) -> Prepared:
    """As many scenes as `SMALLER` has images in a batch."""
    done = Wsss(folder, ())("prepare", "shapes", "--train", 16, "--val", 6, "--size", 64)
    assert done.code == 0, done.text
    return read_prepared(folder / "data" / "shapes")


@dataclass(frozen=True)
class Tiny:
    """A method with a recipe on the scenes, in a folder for its runs."""

    data: Prepared
    folder: Path
    name: str
    recipe: str
    device: str = "cpu"

    def settings(self, more: Mapping[str, Any]) -> Settings:
        small = SMALLER[self.name]
        if self.name == "locbe":
            phases = read_recipe(method("locbe"), self.recipe, "").get("train", {}).get("phases")
            small = merge(small, {"train": {"phases": _shortened(phases or as_dict(Train())["phases"])}})
        return Settings(self.recipe, merge(small, more))

    def run(self, target: str, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Everything that leads to the stage; returns its record."""
        found = method(self.name)
        run = Run(self.folder, self.data.info.name, self.name, self.recipe)
        steps = plan(run, found, target, self.data, self.settings(more or {}))
        return execute(steps, self.data, found, Runtime(torch.device(self.device)))


def _shortened(phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each phase two iterations long."""
    ends = [{"until": 2 * i + 1} for i in range(len(phases) - 1)] + [{}]
    return [{**phase, **end} for phase, end in zip(phases, ends)]
