"""WeCLIP through every stage on generated data, by the command that a user types."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from forked_tester import ForkedTester
from tiny_weclip import PLUS, RECIPE, TRAIN, save_clip
from trained_run import load, rows
from wsss_cli.cam.store import read_cam
from wsss_cli.config import merge
from wsss_cli.data.labels import read_labels

LOSSES = ("segmentation", "affinity")


def losses(folder: Path, names: tuple[str, ...] = LOSSES) -> np.ndarray:
    return np.array([[row[name] for name in names] for row in rows(folder)])


class TestWeClip(ForkedTester):
    method = "weclip"
    recipe = RECIPE
    like_one = ()  # dropout is drawn with the sample; counts of pixels and pairs are those of the whole batch

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, folder: Path) -> Path:
        """The run after its training, its CAMs and pseudo-labels, and the scores of its predictions."""
        save_clip(folder / "clip.pt")
        assert "12 images with tags, 8 iterations of 4 images" in cls.wsss(folder, "pseudo", *cls.tiny())
        said = cls.wsss(folder, "evaluate", "--workers", 0)
        assert "image size: long side 64, scales 1, 0.75 + flip" in said and "no CRF; trained on image tags" in said
        return cls.at(folder)

    def trained(self, folder: Path, name: str, *settings: str) -> Path:
        """The folder of a training with further settings."""
        self.wsss(folder, "train", *self.tiny(name), *(word for s in settings for word in ("--set", f"train.{s}")))
        return self.at(folder, name) / "train"

    def test_what_the_stages_leave(self, run: Path) -> None:
        cams = [read_cam(path) for path in sorted((run / "seeds" / "cam").glob("*.npz"))]
        assert len(cams) == len(list((run / "pseudo" / "labels").glob("*.png"))) == 12
        assert all((np.diff(cam.class_ids) > 0).all() for cam in cams)
        assert sum(cam.cam.max() > 0.5 for cam in cams) > 6  # of a random network some are empty
        maps = [read_labels(path) for path in (run / "infer" / "labels").glob("*.png")]
        assert len(maps) == 6 and all(labels.max() <= 3 for labels in maps)
        found = losses(run / "train")
        assert np.isfinite(found).all() and len(found) == 8 and (found > 0).all()

    def test_the_tower_stays_and_the_rest_learns(self, folder: Path, run: Path) -> None:
        content = load(run / "train")
        assert set(content["optimizer"]["state"]) == set(range(len(content["optimizer"]["param_groups"][0]["params"])))
        before = load(self.trained(folder, "short", "loop.iterations=1"))["model"]
        changed = {name.partition(".")[0] for name, x in content["model"].items() if not torch.equal(x, before[name])}
        assert changed == {"fusion", "decoder"}

    def test_losses_on_two_processes(self, folder: Path, run: Path) -> None:
        self.on_two(folder, "train", *self.tiny("ranks"))
        two = losses(self.at(folder, "ranks") / "train")
        np.testing.assert_allclose(two[:4], losses(run / "train")[:4], rtol=1e-4)
        np.testing.assert_allclose(two, losses(run / "train"), rtol=0.02)

    def test_bf16_is_near(self, folder: Path, run: Path) -> None:
        half = losses(self.trained(folder, "bf16", "loop.amp=bf16"))
        assert np.isfinite(half).all() and (half != losses(run / "train")).any()
        np.testing.assert_allclose(half[:2], losses(run / "train")[:2], rtol=0.1)

    @pytest.mark.parametrize("kind", ["float32", "float16"])
    def test_kept_features_give_what_the_networks_give(self, folder: Path, run: Path, kind: str) -> None:
        anew = self.trained(folder, f"anew_{kind}", "augment.whole=true")
        settings = ("augment.whole=true", f"keep_features={kind}")
        kept = self.trained(folder, f"kept_{kind}", *settings)
        features = list((kept.parent / "features").rglob("*.npz"))
        assert len(features) == 24  # plain and mirrored
        np.testing.assert_allclose(losses(kept), losses(anew), rtol=1e-3 if kind == "float32" else 0.05)
        stamps = {path: path.stat().st_mtime_ns for path in features}
        self.trained(folder, f"kept_{kind}", *settings, "loop.iterations=2")  # another training finds them
        assert stamps == {path: path.stat().st_mtime_ns for path in (kept.parent / "features").rglob("*.npz")}

    def test_plus_goes_through_every_stage(self, folder: Path, run: Path) -> None:
        recipe = {"train": merge(TRAIN, PLUS), "seeds": {"labelling": {"box_threshold": None, "weigh": True}}}
        (folder / "plus.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        named = ("weclip", "--name", "plus", "--workers", 0)
        self.wsss(folder, "pseudo", *named, "--recipe", "plus.yaml")
        self.wsss(folder, "infer", *named, "--set", "infer.long_side=64")
        plus = self.at(folder, "plus")
        found = losses(plus / "train", ("segmentation", "affinity", "cross", "dice"))
        assert np.isfinite(found).all() and (found > 0).all() and len(list((plus / "infer/labels").glob("*.png"))) == 6

    @pytest.mark.parametrize(
        ("setting", "said"),
        [
            ("train.keep_features=float16", "train.keep_features, but every crop is drawn at random"),
            ("train.text.names={disk: x}", "unknown class 'disk'"),
            ("train.text.features=none.npz", "there is no file none.npz"),
            ("train.net.backbone=vit_tiny_patch16_224", "'vit_tiny_patch16_224' is no visual transformer of CLIP"),
            ("train.net.dino=vit_tiny_patch16_224", "'vit_tiny_patch16_224' is no DINOv2"),
        ],
    )
    def test_what_cannot_work_is_named(self, folder: Path, run: Path, setting: str, said: str) -> None:
        assert said in self.failing(folder, "train", *self.tiny(f"bad{len(said)}"), "--set", setting)
