"""What the settings know to go wrong before anything runs."""

from pathlib import Path

import pytest

from wsss_cli.context import Context
from wsss_cli.data.prepared import DatasetInfo, Prepared
from wsss_irn.config import IrnTraining
from wsss_irn.paths import Sources

CONTEXT = Context(Prepared(Path(), DatasetInfo("x", "folder", ("cat",), {}, ""), ()), 1, {}, {})


@pytest.mark.parametrize("radius", [2, 5, 10])
def test_crops_without_a_pair_of_pixels_are_refused(radius: int) -> None:
    """Those alone of which the loss can take no pair; what the message advises holds."""
    for side in range(1, 4 * radius):
        try:
            Sources(radius, side, side)
            taken = True
        except ValueError:
            taken = False
        config = IrnTraining(radius=radius, crop=4 * side)
        told = [str(problem) for problem in config.problems(CONTEXT, "pseudo.training")]
        assert (told == []) is taken
        assert taken or f"make it {4 * (2 * radius - 1)} or more" in told[0]


def test_of_a_network_that_is_given_no_crop_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "irn.pth"
    file.touch()
    assert not list(IrnTraining(checkpoint=str(file), crop=4).problems(CONTEXT, "pseudo.training"))
