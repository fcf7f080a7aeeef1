"""The image browser: which images it lists and shows, and its script in a real browser, where one is installed."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from headless import Tab, browser, needs_browser, tab
from made_run import CLASSES, reseal
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.report.browser import LISTED, Entry, browser_section, listed, with_pictures
from wsss_cli.report.page import write_report
from wsss_cli.report.read import evaluations, stage_records
from wsss_cli.runs import Run


def entry(name: str, miou: float | None, certainty: float | None = 0.5) -> Entry:
    return Entry(Sample(name, Path(f"{name}.jpg"), 4, 3, (1,)), miou, {1: miou}, (1,), certainty)


def names(entries: list[Entry]) -> list[str]:
    return [one.sample.id for one in entries]


def section(run: Run, data: Prepared, most: int = 300) -> str:
    records = stage_records(run)
    return str(browser_section(run, records, evaluations(run, records), data, most))


def test_the_worst_is_first_and_what_has_no_score_last() -> None:
    given = [entry("good", 0.9), entry("none", None, 0.6), entry("bad", 0.1), entry("doubt", None, 0.2)]
    assert names(listed(given)) == ["bad", "good", "doubt", "none"]
    assert len(listed([entry(str(i), i / 9999) for i in range(LISTED + 5)])) == LISTED


def test_pictures_are_of_the_worst_the_least_certain_and_the_rest() -> None:
    every = [entry(str(i), i / 1000, 1 - i / 1000) for i in range(1000)]
    chosen = [int(name) for name in names(with_pictures(every, 90))]
    assert len(chosen) == 90 and chosen == sorted(chosen)
    assert set(range(30)) <= set(chosen) and set(range(970, 1000)) <= set(chosen)
    assert sum(100 <= i < 900 for i in chosen) > 20
    assert with_pictures(every[:7], 90) == every[:7] and with_pictures(every, 0) == []


def test_what_has_no_picture_is_listed_all_the_same(run: Run, data: Prepared) -> None:
    html = section(run, data, most=5)
    assert html.count("<li ") == 12 and html.count("<img ") == 3 * 5
    assert "5 of them have pictures here" in html and "wsss report --pictures N" in html


def test_images_that_are_gone_leave_their_numbers(run: Run, data: Prepared, tmp_path: Path) -> None:
    gone = replace(data, samples=tuple(replace(s, image=tmp_path / "gone.png") for s in data.samples))
    html = section(run, gone)
    assert html.count("<li ") == 12 and "<img " not in html


def test_predictions_without_a_score_are_listed_by_certainty(run: Run, data: Prepared) -> None:
    shutil.rmtree(run.stage("evaluate"))
    html = section(run, data)
    assert html.count("<li ") == 12 and 'data-miou=""' in html and 'value="worst"' not in html
    assert [float(part[:6]) for part in html.split('data-certainty="')[1:]] == sorted(
        float(part[:6]) for part in html.split('data-certainty="')[1:]
    )


def test_an_earlier_version_left_nothing_to_browse_but_its_scores(run: Run, data: Prepared) -> None:
    (run.stage("infer") / "certainty.jsonl").unlink()
    path = run.stage("evaluate") / "per_image.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({key: row[key] for key in ("id", "miou")}) + "\n" for row in rows))
    (run.stage("evaluate") / "confusion.json").unlink()
    reseal(path.parent)
    html = section(run, data)
    assert html.count("<li ") == 12 and 'data-certainty=""' in html and "missed" not in html.split("<li ")[1]


@pytest.fixture(scope="module")
def opened(runs: Path, data: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """The report of the drawn run in a browser."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(Run(runs, "toy", "irn", "default"), [], data, path)
    program = browser()
    assert program is not None
    with tab(program) as found:
        found.show(1200)
        found.open(path)
        yield found


SHOWN = "[...document.querySelectorAll('.shots li:not([hidden])')].map(i => ({...i.dataset}))"


def chosen(page: Tab, **values: str) -> list[dict[str, str]]:
    """The images that are shown, in order, once the form says that."""
    for name in ("class", "error", "sort", "search"):
        value = json.dumps(values.get(name, {"sort": "worst"}.get(name, "")))
        page.run(f"document.querySelector('form.browser').elements.namedItem('{name}').value = {value}")
    page.run("document.querySelector('form.browser').dispatchEvent(new Event('input', {bubbles: true}))")
    found: list[dict[str, str]] = page.run(SHOWN)
    assert page.run("document.querySelector('form.browser output').textContent") == f"{len(found)} of 12 images"
    return found


def iou(image: dict[str, str]) -> dict[str, float]:
    return {part.split(":")[0]: float(part.split(":")[1]) for part in image["iou"].split()}


@needs_browser
def test_filters_and_orders_in_a_browser(opened: Tab) -> None:
    every = chosen(opened)
    mious = [float(image["miou"]) for image in every]
    assert len(every) == 12 and mious == sorted(mious)
    assert [i["id"] for i in chosen(opened, sort="name")] == sorted(i["id"] for i in every)
    best = [float(image["miou"]) for image in chosen(opened, sort="best")]
    assert best == mious[::-1]
    sure = [float(image["certainty"]) for image in chosen(opened, sort="unsure")]
    assert sure == sorted(sure)
    fooled = [float(i["miou"]) - float(i["certainty"]) for i in chosen(opened, sort="fooled")]
    assert fooled == sorted(fooled)
    of_disc = chosen(opened, **{"class": "1"})
    assert 0 < len(of_disc) < 12 and [iou(i)["1"] for i in of_disc] == sorted(iou(i)["1"] for i in of_disc)
    for error, in_truth in (("missed", True), ("made-up", False)):
        wrong = chosen(opened, error=error)
        expected = [
            i["id"]
            for i in every
            if any(c != "0" and v == 0 and (c in i["truth"].split()) == in_truth for c, v in iou(i).items())
        ]
        assert [i["id"] for i in wrong] == expected
    assert [i["id"] for i in chosen(opened, search="NE_15")] == ["scene_15"]


@needs_browser
def test_the_keyboard_reaches_every_image(opened: Tab) -> None:
    ids = [image["id"] for image in chosen(opened)]
    assert opened.run("[...document.querySelectorAll('.shots button')].filter(b => b.tabIndex === 0).length") == 1
    opened.run("document.querySelector('.shots li:not([hidden]) button').focus()")
    focused = "document.activeElement.textContent"
    for key, at in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        opened.press(key)
        assert opened.run(focused) == ids[at]
    opened.press("Enter")
    title = "document.querySelector('dialog').open && document.querySelector('dialog strong').textContent"
    assert opened.run(title) == ids[1]
    assert opened.run("document.querySelectorAll('dialog img[alt]').length") == 3
    opened.press("ArrowRight")
    assert opened.run(title) == ids[2]
    opened.press("Escape")
    assert opened.run(title) is False and opened.run(focused) == ids[2]


@needs_browser
def test_the_page_fits_fetches_nothing_and_raises_no_error(opened: Tab) -> None:
    assert opened.fits(320) and opened.fits(1200)
    assert len(opened.requests()) == 1 and opened.complaints() == []
    assert CLASSES[0] in opened.run("document.querySelector('select[name=class]').textContent")
