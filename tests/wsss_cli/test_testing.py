"""The tester of methods: a method of a third party passes it, and it fails where a command does."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from made_run import drawn_data, finished_run
from wsss_cli.config import merge
from wsss_cli.data.prepared import Prepared
from wsss_cli.runs import Run
from wsss_cli.testing import MethodTester

RECIPES = Path(__file__).parents[1] / "third_party/wsss_plain_cam/recipes"
LONG = {"train": {"loop": {"epochs": 20}}}  # so that it can be killed in the middle


class TestPlainCam(MethodTester):
    method = "plain_cam"
    recipe = merge(yaml.safe_load((RECIPES / "dots.yaml").read_text()), LONG)
    source = ("dots", "--images", "9")

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def site(cls, toy_site: Path) -> None:
        """Where the plugin is installed."""
        cls.env = {"PYTHONPATH": str(toy_site)}

    def test_a_command_that_fails_fails_the_test_with_its_words(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match=r"(?s)wsss prepare dots --images 2.*leaves a split without images"):
            self.wsss(tmp_path, "prepare", "dots", "--images", "2")


@pytest.mark.parametrize("folder", ["", "a/b."])
def test_files_of_images_in_folders_are_found(tmp_path: Path, folder: str) -> None:
    drawn = drawn_data(tmp_path / "data")
    nested = replace(drawn, samples=tuple(replace(s, id=f"{folder}{s.id}") for s in drawn.samples))
    run = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), nested).folder

    class Drawn(MethodTester):
        @classmethod
        def data(cls, folder: Path) -> Prepared:
            return nested

    Drawn().test_label_maps_fit_their_images(tmp_path, run)
    Drawn().test_cams_are_of_the_tags(tmp_path, run)
    (run / f"seeds/cam/{nested.samples[1].id}.npz").rename(run / f"seeds/cam/{folder}other.npz")
    with pytest.raises(KeyError):
        Drawn().test_cams_are_of_the_tags(tmp_path, run)
