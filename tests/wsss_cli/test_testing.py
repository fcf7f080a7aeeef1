"""The tester of methods: a method of a third party passes it, and it fails where a command does."""

from pathlib import Path

import pytest
import yaml

from wsss_cli.config import merge
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
