"""Which settings a part depends on."""

import pytest

from wsss_cli.parts import Part, dependencies

PARTS = (
    Part("marks", ("marks",), ("mark",)),
    Part("net", ("net", "journal.txt"), ("training", "seed"), of=("marks",)),
    Part("walk", ("walked",), ("walk", "batch"), of=("net",)),
    Part("labels", ("labels",), ("walk.background",), of=("walk",)),
    Part("boxes", ("boxes",), ("walk", "boxes"), of=("net",)),
)
SETTINGS = {
    "mark.high": 1, "training.loop.epochs": 2, "seed": 0, "walk.beta": 3, "walk.background": 4, "walk_on": 5,
    "batch": 6, "boxes": 7, "split": "train",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("mark.high", {"marks", "net", "walk", "labels", "boxes"}),
        ("training.loop.epochs", {"net", "walk", "labels", "boxes"}),
        ("walk.beta", {"walk", "labels", "boxes"}),
        ("walk.background", {"labels"}),  # who names more of a key reads it, not who names less
        ("batch", {"walk", "labels"}),
        ("boxes", {"boxes"}),
        ("split", {"marks", "net", "walk", "labels", "boxes"}),  # what no part names, all read
        ("walk_on", {"marks", "net", "walk", "labels", "boxes"}),
    ],
)
def test_what_a_setting_makes_again(changed: str, again: set[str]) -> None:
    before, after = dependencies(PARTS, SETTINGS), dependencies(PARTS, SETTINGS | {changed: "other"})
    assert {name for name in before if before[name] != after[name]} == again


def test_a_part_without_one_that_it_builds_on_is_another() -> None:
    alone = (PARTS[0], Part("net", ("net",), ("training", "seed")))
    assert dependencies(alone, SETTINGS)["net"] != dependencies(PARTS, SETTINGS)["net"]


@pytest.mark.parametrize(
    ("file", "held"), [("net/checkpoint.pt", True), ("journal.txt", True), ("nets/a", False), ("journal.txt2", False)]
)
def test_the_files_of_a_part(file: str, held: bool) -> None:
    assert PARTS[1].holds(file) == held
