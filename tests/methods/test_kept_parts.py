"""A stage of which parts are kept is, to the bit, what it is from nothing: one of each kind, there and back."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tiny_recipes import Tiny
from wsss_cli.config import merge
from wsss_cli.data.prepared import Prepared
from wsss_cli.runs import known_record, previous_of
from wsss_cli.seals import artefacts
from wsss_cli.testing import differences, read

ONCE = {"crf": {"iterations": 1}}
SHORT: dict[str, dict[str, Any]] = {
    "irn": {"pseudo": {"ir_label": ONCE, "instances": {"iterations": 2}}},
    "ppmg": {"seeds": {"rough": ONCE}, "pseudo": ONCE, "train": {"cyclic": {"infer": {"crf": False, "scales": [1.0]}}}},
    "bcm": {"seeds": ONCE},
}
"""What is not looked at here is short."""
Second = tuple[dict[str, Any], list[str]]
"""Settings of one stage, and the parts that they leave as they are."""


@pytest.mark.parametrize(
    ("name", "target", "changes"),
    [
        (
            "irn",
            "pseudo",
            [
                ({"pseudo": {"walk": {"background": 0.1}}}, ["IR labels", "IRN", "walk", "instances"]),
                ({"seeds": {"scales": [1.0]}}, ["CAM net"]),
            ],
        ),
        (
            "ppmg",
            "train",
            [
                ({"train": {"cyclic": {"infer": {"flip": False}}}}, ["first round"]),
                ({"seeds": {"rough": {"overlap": 0.5}}}, ["rough net", "rough masks"]),
            ],
        ),
        ("bcm", "train", [({"train": {"fr": {"loop": {"iterations": 1}}}}, ["base", "bcm"])]),
        ("clipes", "seeds", [({"seeds": {"maps": 2}}, ["text"])]),
    ],
)
def test_there_and_back(scenes: Prepared, tmp_path: Path, name: str, target: str, changes: list[Second]) -> None:
    """Back without the result of before, so that all but what is kept is made again."""
    tiny = Tiny(scenes, tmp_path, name, "shapes")
    short = SHORT.get(name, {})
    tiny.run(target, short)
    for changed, kept in changes:
        (stage,) = changed
        folder, whole = tmp_path / "shapes" / name / "shapes" / stage, tmp_path / stage
        shutil.rmtree(whole, ignore_errors=True)
        shutil.copytree(folder, whole)
        tiny.run(stage, merge(short, changed))
        assert known_record(folder)["kept"] == kept and unlike(folder, whole) != []
        shutil.rmtree(previous_of(folder))
        tiny.run(stage, short)
        assert known_record(folder)["kept"] == kept and unlike(folder, whole) == []


def unlike(one: Path, two: Path) -> list[str]:
    """The files in which two folders of a stage differ, but for the times in journals."""
    there = {name for name in artefacts(one) if not name.endswith(".jsonl")}
    assert there == {name for name in artefacts(two) if not name.endswith(".jsonl")}
    return [name for name in sorted(there) if not same(one / name, two / name)]


def same(one: Path, two: Path) -> bool:
    return not differences(read(one), read(two)) if one.suffix == ".pt" else one.read_bytes() == two.read_bytes()
