"""What a drawn split promises, on generated tags."""

import random
from collections import Counter

import pytest

from wsss_cli.errors import WsssError
from wsss_folder.splits import Draw, Splits, drawn, group_of
from wsss_folder.stratify import stratified

DRAW = Draw(0.2, 0, "none", False)


def tags_of(images: int, classes: int, seed: int) -> dict[int, frozenset[str]]:
    """Multi-label tags, class k about 1 / (k + 1) as frequent as the first; some images have none."""
    rng = random.Random(seed)
    return {n: frozenset(f"c{k}" for k in range(classes) if rng.random() < 0.6 / (k + 1)) for n in range(images)}


def draw(tags: dict[int, frozenset[str]], how: Draw = DRAW, masked: frozenset[int] = frozenset()) -> Splits:
    return drawn([f"{n // 7}/{n}.png" for n in range(len(tags))], tags, masked, how)


def counts(tags: dict[int, frozenset[str]], splits: Splits, part: str) -> Counter[str]:
    return Counter(tag for n, of in tags.items() if splits.of[n] == (part,) for tag in (*of, "any"))


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("images", [40, 300])
def test_every_tag_has_its_share(images: int, share: float) -> None:
    for seed in range(5):
        tags = tags_of(images, 8, seed)
        splits = draw(tags, Draw(share, seed, "none", False))
        val, both = counts(tags, splits, "val"), Counter(t for of in tags.values() for t in (*of, "any"))
        for tag, n in both.items():
            assert abs(val[tag] - share * n) <= max(2, 0.06 * n), (tag, val[tag], n)
            assert val[tag] < n or n == 0  # train has some of each


def test_it_is_closer_than_chance() -> None:
    """The summed error of the shares against that of plain random draws."""
    tags = tags_of(200, 20, 1)
    both = Counter(t for of in tags.values() for t in of)

    def error(val: Counter[str]) -> float:
        return sum(abs(val[tag] - 0.2 * n) for tag, n in both.items())

    ours = error(counts(tags, draw(tags), "val"))
    rng = random.Random(0)
    chance = [error(Counter(t for n in rng.sample(range(200), 40) for t in tags[n])) for _ in range(20)]
    assert ours < min(chance) / 2


def test_one_tag_per_image_is_dealt_out_evenly() -> None:
    tags = {n: frozenset([f"c{n % 10}"]) for n in range(100)}
    assert counts(tags, draw(tags), "val") == Counter({**{f"c{k}": 2 for k in range(10)}, "any": 20})


def test_a_class_of_one_image_is_learnt() -> None:
    tags = {n: frozenset(["rare" if n == 33 else "usual"]) for n in range(50)}
    for seed in range(10):
        assert draw(tags, Draw(0.5, seed, "none", False)).of[33] == ("train",)


def test_val_is_never_empty() -> None:
    for images in (2, 3, 4):
        splits = draw({n: frozenset(["a"]) for n in range(images)}, Draw(0.01, 0, "none", False))
        assert Counter(splits.of.values())[("val",)] == 1


def test_a_group_is_never_torn() -> None:
    tags = tags_of(300, 6, 3)
    splits = draw(tags, Draw(0.2, 0, "folder", False))
    for group in range(300 // 7):
        assert len({splits.of[n] for n in range(group * 7, min(group * 7 + 7, 300))}) == 1
    val, both = counts(tags, splits, "val"), Counter(t for of in tags.values() for t in (*of, "any"))
    assert all(abs(val[tag] - 0.2 * n) <= max(7, 0.1 * n) for tag, n in both.items())
    assert "groups (folder)" in splits.how[0]


def test_the_draw_depends_on_names_and_seed_only() -> None:
    tags = tags_of(80, 5, 0)
    one = draw(tags)
    again = draw(dict(reversed(tags.items())))
    assert one.of == again.of
    assert one.of != draw(tags, Draw(0.2, 1, "none", False)).of


def test_val_is_drawn_from_images_with_a_mask() -> None:
    tags, masked = tags_of(100, 4, 0), frozenset(range(0, 100, 5))
    splits = draw(tags, Draw(0.5, 0, "none", True), masked)
    val = {n for n, of in splits.of.items() if of == ("val",)}
    assert val < masked and len(val) == 10
    all_of = draw(tags, Draw(0.5, 0, "none", False), masked)
    assert sum(all_of.of[n] == ("val",) for n in masked) == 10  # a mask is stratified as a tag is


@pytest.mark.parametrize(
    ("name", "by", "group"),
    [
        ("p1/s2/a.png", "folder", "p1/s2"),
        ("a.png", "folder", "a.png"),
        ("p1_s2.png", "^([^_]+)_", "p1"),
        ("p1_s2.png", r"p\d", "p1"),
        ("a.png", "none", "a.png"),
    ],
)
def test_groups(name: str, by: str, group: str) -> None:
    assert group_of(name, by) == group


def test_groups_that_are_not_found() -> None:
    with pytest.raises(WsssError, match=r"--group-by 'x\(' is no regular expression"):
        group_of("a.png", "x(")
    with pytest.raises(WsssError, match=r"finds nothing in 'a\.png'"):
        group_of("a.png", "^p")


def test_units_of_one() -> None:
    assert stratified({"only": {None: 3}}, 0.5, 0) == set()


@pytest.mark.parametrize(
    ("masks", "others", "val"), [(8, 0, 4), (30, 0, 15), (30, 170, 15), (80, 0, 30), (80, 900, 30), (400, 0, 80)]
)
def test_without_a_share_few_masks_are_mostly_kept_for_scores(masks: int, others: int, val: int) -> None:
    tags = {n: frozenset({"x"}) for n in range(masks + others)}
    splits = drawn([str(n) for n in tags], tags, frozenset(range(masks)), Draw(None, 0, "none", True))
    assert sum(of == ("val",) for of in splits.of.values()) == val
    assert all(n < masks for n, of in splits.of.items() if of == ("val",))


def test_without_masks_it_is_a_fifth() -> None:
    splits = drawn(
        [str(n) for n in range(100)],
        dict.fromkeys(range(100), frozenset({"x"})),
        frozenset(),
        Draw(None, 0, "none", False),
    )
    assert sum(of == ("val",) for of in splits.of.values()) == 20
