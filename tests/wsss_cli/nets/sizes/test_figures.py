"""The kept figures are those of the networks; `wsss nets` shows them."""

import pytest

from processes import Wsss
from wsss_cli.nets.heads.table import HEADS
from wsss_cli.nets.sizes.figures import VOC_SCORES, figures
from wsss_cli.nets.sizes.measure import BACKBONES, measure


def test_kept_figures_are_counted_ones() -> None:
    """`python -m wsss_cli.nets.sizes.measure` writes them."""
    assert list(figures()) == list(BACKBONES)
    counted = measure("mobilenetv2_100", ("deeplabv3plus", "psanet", "pointrend"))
    assert counted == {head: figures()["mobilenetv2_100"][head] for head in counted}


def test_every_published_network_has_figures() -> None:
    for head, decoder in HEADS.items():
        assert all(head in figures()[backbone] for backbone in decoder.backbones), head
        assert set(VOC_SCORES.get(head, ())) <= set(decoder.backbones)


@pytest.mark.parametrize(
    ("backbone", "head", "millions"),
    [("fastscnn", "fastscnn", 1.11 + 0.04), ("cgnet", "cgnet", 0.49), ("res2net101d", "pspnet", 43.18 + 23.08)],
)
def test_sizes_of_the_papers_code(backbone: str, head: str, millions: float) -> None:
    assert figures()[backbone][head].params == pytest.approx(millions, abs=0.015)


def rows(wsss: Wsss, *words: str) -> list[list[str]]:
    done = wsss("nets", *words)
    assert done.code == 0, done.text
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.out.splitlines() if line.startswith("│")]


def test_table(wsss: Wsss) -> None:
    found = rows(wsss)
    assert {row[0] for row in found} == set(HEADS)
    assert ["pspnet", "resnet101c", "65.6", "512", "78.47 / 78.52"] in found
    assert {row[1] for row in rows(wsss, "pspnet")} == set(BACKBONES)
    on_mobilenet = rows(wsss, "--backbone", "mobilenetv2_100")
    assert [row[0] for row in on_mobilenet] == list(HEADS) and on_mobilenet[0][4] == "-"


def test_counting_another_backbone(wsss: Wsss) -> None:
    found = rows(wsss, "fcn", "--backbone", "test_resnet", "--measure")
    assert [row[:2] for row in found] == [["fcn", "test_resnet"]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pspnt"], "there is no decode head 'pspnt'; did you mean 'pspnet' or"),
        (["--backbone", "resnet18"], "no figures are kept of backbone 'resnet18'"),
        (["--backbone", "resnet1018", "--measure"], "unknown backbone 'resnet1018'"),
        (["--measure"], "--measure needs --backbone NAME"),
    ],
)
def test_refused(wsss: Wsss, words: list[str], message: str) -> None:
    done = wsss("nets", *words)
    assert done.code == 2 and message in done.text
