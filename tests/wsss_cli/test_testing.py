"""The tester of methods: what it accepts, and that it fails where a stage does."""

from pathlib import Path

import pytest
import yaml

from wsss_cli.testing import MethodTester

RECIPES = Path(__file__).parents[1] / "third_party/wsss_plain_cam/recipes"


class PlainCam(MethodTester):
    method = "plain_cam"
    recipe = yaml.safe_load((RECIPES / "dots.yaml").read_text())
    source = ("dots", "--images", "9")


@pytest.fixture
def tester(toy_site: Path, monkeypatch: pytest.MonkeyPatch) -> PlainCam:
    monkeypatch.setattr(PlainCam, "env", {"PYTHONPATH": str(toy_site)})
    return PlainCam()


def test_a_method_passes_through_all_its_stages(tester: PlainCam, tmp_path: Path) -> None:
    tester.test_every_stage_is_made_and_scored(tmp_path)


def test_a_command_that_fails_fails_the_test_with_its_words(tester: PlainCam, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"(?s)wsss prepare dots --images 2.*leaves a split without images"):
        tester.wsss(tmp_path, "prepare", "dots", "--images", "2")
