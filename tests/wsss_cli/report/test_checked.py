"""`wsss check --html`: what it counts, by hand, and the whole page."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headless import browser, needs_browser, tab
from wsss_cli.checks.balance import STEPS, Balance
from wsss_cli.checks.finding import Finding
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Box, Prepared, Sample
from wsss_cli.report.checked import write_check
from wsss_cli.report.histogram import histogram

SAMPLE = Sample("a", Path("a.jpg"), 100, 50, (1,), (Box(1, 0, 0, 50, 25),), splits=("train",))


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (None, {10: 1}),  # a box of half the image's sides
        ({0: 4800, 1: 50, 2: 150}, {2: 1, 3: 1}),  # a tenth of the sides; the root of 0.03; 0 is background
        ({0: 0, 1: 5000}, {STEPS - 1: 1}),
        ({0: 5000, 255: 9}, {}),
    ],
)
def test_sizes_of_objects(data: Prepared, pixels: dict[int, int] | None, expected: dict[int, int]) -> None:
    balance = Balance(data.info)
    balance.add(SAMPLE, pixels)
    sides = balance.splits["train"].sides
    assert {int(i): int(sides[i]) for i in np.flatnonzero(sides)} == expected


def test_the_page_of_a_data_set(data: Prepared, tmp_path: Path) -> None:
    balance = Balance(data.info)
    for sample in data.samples:
        ids = np.unique(read_labels(sample.mask), return_counts=True) if sample.mask else None
        balance.add(sample, dict(zip(*(column.tolist() for column in ids))) if ids else None)
    findings = [Finding("ok", "fine"), Finding("error", "<broken>", "mend it"), Finding("warning", "odd")]
    write_check(tmp_path / "check.html", data, balance, findings, ["scene_00"])
    html = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert html.index("&lt;broken&gt;") < html.index("odd") < html.index("fine") and "1 error(s), 1 warning(s)" in html
    shown = ("Longer side of the images", "Size of the objects", "Tags of an image", "96 x 72", "train: images")
    assert all(text in html for text in shown)
    assert "<script" not in html and "scene_00:" not in html
    assert html.count("<img ") == 3 and html.count(' alt="scene_') == 3  # one of each class


def test_a_data_set_of_nothing_but_images(data: Prepared, tmp_path: Path) -> None:
    bare = replace(data, samples=tuple(replace(s, tags=(), mask=None) for s in data.samples[:2]))
    write_check(tmp_path / "check.html", bare, Balance(data.info), [])
    html = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert "No image has a tag." in html and "Size of the objects" not in html and "Tags of an image" not in html


def test_bars_are_as_high_as_their_counts() -> None:
    html = histogram("Sides", [0, 10, 20, 30], [2, 0, 4], "pixels", "by hand")
    heights = [float(part.partition('"')[0]) for part in html.split('height="')[1:]]
    assert len(heights) == 2 and heights[1] == 2 * heights[0]
    assert "0 to 10: 2" in html and 'aria-label="Sides: by hand"' in html


@needs_browser
def test_the_page_in_a_browser(data: Prepared, tmp_path: Path) -> None:
    write_check(tmp_path / "check.html", data, Balance(data.info), [Finding("warning", "w" * 400, "r" * 400)])
    program = browser()
    assert program is not None
    with tab(program) as opened:
        opened.open(tmp_path / "check.html")
        assert opened.fits(320) and opened.fits(1200)
        assert len(opened.requests()) == 1 and opened.complaints() == []
        decoded = (
            "Promise.all([...document.images].map(i => (i.loading = 'eager', i.decode().then(() => i.naturalWidth))))"
        )
        widths = opened.run(decoded)
        assert len(widths) == 3 and min(widths) >= 60
