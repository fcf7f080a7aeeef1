"""Colours that can be read, by WCAG 2.1's contrast ratio."""

import re
from importlib.resources import files

import pytest

STYLE = files("wsss_cli.report").joinpath("style.css").read_text(encoding="utf-8")
LIGHT, DARK = (dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6})", block)) for block in STYLE.split("@media")[:2])


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "warn"])
@pytest.mark.parametrize("ground", ["page", "raised"])
def test_text_can_be_read(colours: dict[str, str], name: str, ground: str) -> None:
    assert contrast(colours[name], colours[ground]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("series", range(8))
def test_bars_and_curves_can_be_seen(colours: dict[str, str], series: int) -> None:
    assert contrast(colours[f"s{series}"], colours["page"]) >= 3
