"""Every shipped recipe of every method: planned as it is, and run through every phase for two iterations.

Networks are replaced by tiny ones of the same kind (a small ResNet, a small vision transformer) with random weights,
images and crops are 64 pixels wide: a ResNet-101 on crops of 512 would take hours of CPU and gigabytes.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tiny_recipes import RECIPES, Tiny
from wsss_cli.cam.store import cam_path, read_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import label_path, read_labels
from wsss_cli.data.prepared import Prepared
from wsss_cli.engine.infer import predict
from wsss_cli.models.folder import card_of, read_model, write_model
from wsss_cli.models.model import of_run
from wsss_cli.plan import plan, problems
from wsss_cli.plugins import method
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.running.pretrained import pretrained_settings
from wsss_cli.runs import Run, Settings


@pytest.mark.parametrize(("name", "recipe"), RECIPES)
def test_a_recipe_is_planned_as_it_is(scenes: Prepared, tmp_path: Path, name: str, recipe: str) -> None:
    run, twice = Run(tmp_path, "shapes", name, "default"), replace(scenes, samples=scenes.samples * 2)
    asked = Settings(recipe)
    if name == "ppmg":  # which needs files
        asked = asked.updated(None, pretrained_settings(method(name), asked, "", ["none"]))
    steps = plan(run, method(name), "evaluate", twice, asked)
    assert [step.key for step in steps][-2:] == ["infer", "evaluate"] and problems(steps, twice, 1) == []


@pytest.mark.parametrize(("name", "recipe"), RECIPES)
def test_a_recipe_runs_through_every_phase(scenes: Prepared, tmp_path: Path, name: str, recipe: str) -> None:
    tiny = Tiny(scenes, tmp_path, name, recipe)
    for stage in ("pseudo", "evaluate"):
        assert tiny.run(stage)["status"] == "finished"
    if recipe == "voc":
        _require_same_when_taken_away(tiny)


def _require_same_when_taken_away(tiny: Tiny) -> None:
    """The exported network predicts what the run's does."""
    cpu, folder = Runtime(torch.device("cpu")), tiny.folder / "away"
    run = Run(tiny.folder, tiny.data.info.name, tiny.name, tiny.recipe)
    model = of_run(run, method(tiny.name), tiny.settings({}), tiny.data.folder.parent)
    write_model(folder, model, card_of(run, model, ""))
    images = torch.from_numpy(read_image(tiny.data.split("val")[0].image))[None]  # (1, H, W, 3)
    seen = [predict(m.network(cpu), images, m.config, images.shape[1:3]) for m in (model, read_model(folder))]
    assert torch.equal(*seen)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("irn", {"seeds": {"scales": [0.5, 1.5]}}),
        ("ppmg", {"seeds": {"rough": {"scales": [0.5, 1.5]}, "grid": {"scales": [1.5, 0.75]}}}),
        ("toco", {"train": {"local": {"scales": [0.5, 1.5]}}, "seeds": {"scales": [0.5, 1.5]}}),
        ("toco", {"seeds": {"scales": [0.5, 1.5], "source": "segmentation"}}),
        ("puf", {"train": {"scales": [0.5, 1.5]}, "seeds": {"scales": [0.5, 1.5]}}),
    ],
)
def test_no_scale_need_be_1(scenes: Prepared, tmp_path: Path, name: str, settings: dict[str, Any]) -> None:
    tiny = Tiny(scenes, tmp_path, name, "shapes")
    assert tiny.run("pseudo", settings)["status"] == "finished"
    sample = scenes.split("train")[0]
    folder = tmp_path / "shapes" / name / "shapes"
    assert tuple(read_cam(cam_path(folder / "seeds", sample)).full().shape[1:]) == (sample.height, sample.width)
    assert read_labels(label_path(folder / "pseudo", sample)).shape == (sample.height, sample.width)
