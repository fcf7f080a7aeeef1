"""The page of a whole run: complete, well-formed, self-contained, escaped; and of runs in which things are missing."""

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from made_run import CLASSES, finished_run, reseal
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.report.confusion import confusion_section
from wsss_cli.report.page import policy, write_report
from wsss_cli.report.read import evaluations, stage_records
from wsss_cli.runs import Run, read_record, write_record

VOID = {"img", "input", "meta", "line", "path", "circle"}
SECTIONS = [
    "Scores",
    "IoU per class",
    "Confusion",
    "Calibration",
    "CAM threshold",
    "Training",
    "Pictures",
    "Images",
    "Stages",
    "Software and data",
]
"""of a run of which everything is there"""
BROWSED = 2


class Page(HTMLParser):
    """Collects elements and checks that they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


def page(run: Run, data: Prepared, *others: Run) -> Page:
    path = write_report(run, others, data, run.folder / "report.html", BROWSED)
    assert path == run.folder / "report.html"
    assert path.stat().st_size < 6e6
    return Page(path.read_text(encoding="utf-8"))


def alts(found: Page, name: str) -> list[str]:
    return [i["alt"] for i in found.all("img") if i["alt"].startswith(f"{name} of ")]


def test_a_finished_run_has_every_section_and_score(run: Run, data: Prepared) -> None:
    found = page(run, data)
    assert found.texts["h2"] == SECTIONS
    assert [a["href"] for a in found.all("a")] == [f"#{s['id']}" for s in found.all("section")]
    reports = evaluations(run, stage_records(run)).values()
    expected = {f"{100 * row['miou']:.1f}" for report in reports for row in report["scores"]}
    assert expected <= set(found.texts["b"])
    for word in ("masks", "pseudo-labels", "mobilenetv2_100", "16", "0.5, 1 + flip (mean)", "none: the last iteration"):
        assert word in found.texts["td"]


def test_the_page_fetches_nothing(run: Run, data: Prepared) -> None:
    found = page(run, data)
    assert not found.all("link") and not found.all("iframe") and found.all("script") == [{}]
    assert all(i["src"].startswith("data:image/jpeg;base64,") for i in found.all("img"))
    html = (run.folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", html)


def test_names_from_outside_are_escaped(run: Run, data: Prepared) -> None:
    found = page(run, data)
    assert "bold" not in found.texts["b"]  # the class "box & <b>bold</b>" makes no bold text
    assert "box & <b>bold</b>" in found.texts["span"]
    assert any('bar "wide"' in i["alt"] for i in found.all("img"))
    assert any("<pseudo> or <masks>" in text for text in found.texts["pre"])


def test_pictures_and_tables_are_accessible(run: Run, data: Prepared) -> None:
    found = page(run, data)
    assert all(i["alt"] for i in found.all("img"))
    assert all(s["aria-label"] for s in found.all("svg"))
    assert all(h.get("scope") in ("row", "col") for h in found.all("th"))
    assert found.all("html")[0]["lang"] == "en"


def test_sheets_hold_the_columns_for_which_there_are_files(run: Run, data: Prepared) -> None:
    found = page(run, data)
    assert [len(alts(found, name)) for name in ("image", "ground truth")] == [9 + 6 + BROWSED, 9 + 6]
    assert {"Predictions, split val", "CAMs and pseudo-labels, split train"} <= set(found.texts["h3"])
    assert [len(alts(found, name)) for name in ("CAM", "pseudo-label")] == [6, 6]  # of the train split only
    assert [len(alts(found, name)) for name in ("prediction", "prediction + CRF")] == [9, 9 + BROWSED]  # of val only
    assert not [td for td in found.all("td") if td.get("class") == "nothing"]


def test_images_in_folders_are_shown(data: Prepared, tmp_path: Path) -> None:
    """As frames of videos lie; where pseudo-labels are not scored, files say which images there are."""
    nested = replace(data, samples=tuple(replace(s, id=f"a/b.{s.id}") for s in data.samples))
    run = finished_run(Run(tmp_path / "runs", "toy", "irn", "default"), nested)
    shutil.rmtree(run.stage("evaluate-pseudo"))
    found = page(run, nested)
    assert "CAMs and pseudo-labels" in found.texts["h3"]
    assert [len(alts(found, name)) for name in ("CAM", "pseudo-label")] == [6, 6]


def test_training_shows_every_loss_and_the_time(run: Run, data: Prepared) -> None:
    found = page(run, data)
    titles = [s["aria-label"].partition(":")[0] for s in found.all("svg")]
    terms = ["positive", "negative", "foreground", "background", "cross_entropy", "miou", "classification"]
    assert set(titles) == {*terms, "learning rate", "mIoU of CAMs, %", "Right pixels, %"}
    assert sum(text.startswith("backward ") for text in found.texts["span"]) == 3


def test_instance_scores_have_a_table_for_each_run(run: Run, data: Prepared, masks: Run) -> None:
    shares = {"AP50": 0.512, "AP75": float("nan"), "ABO": 0.25}
    counts = {"images": 5, "without": 1, "instances": 1234, "objects": 9, "ground_truth": "<truth>.json"}
    scores = counts | {"means": shares, "classes": {CLASSES[1]: shares | {"objects": 9}}}
    for each, stage in ((run, "evaluate-pseudo"), (masks, "evaluate")):
        path = each.stage(stage) / "scores.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"instances": scores}))
        reseal(path.parent)
    found = page(run, data)
    assert "Instances" in found.texts["h2"] and "Split train" in found.texts["h3"]
    assert found.texts["td"].count("51.2") == 2 and CLASSES[1] in found.texts["th"]  # of the class and in the mean
    assert any("1,234 instance labels and 9 true objects (<truth>.json) of 5 images" in t for t in found.texts["p"])
    assert {"Split train, irn/default", "Split val, irn/masks"} <= set(page(run, data, masks).texts["h3"])


def test_runs_to_compare_with_stand_beside(run: Run, data: Prepared, masks: Run) -> None:
    found = page(run, data, masks)
    assert found.texts["td"].count("irn/masks") == 2
    assert "masks (full supervision)" in found.texts["td"]
    assert any("% of the mIoU of irn/masks" in text for text in found.texts["p"])
    assert "prediction + CRF, irn/masks" in found.texts["span"]


def test_outdated_scores_say_so(run: Run, data: Prepared) -> None:
    record = read_record(run.stage("train")) or {}
    later = "2999-01-02T03:04:05+00:00"
    write_record(run.stage("train"), record | {"started": later, "made": later})
    # two kinds of label map and their confusions, two stages
    assert marks(run, data) == {"Scores": 2, "Confusion": 2, "Calibration": 1, "Stages": 2}


@pytest.mark.parametrize("classes", [("ant", *CLASSES), tuple(reversed(CLASSES)), CLASSES[:1]])
def test_after_the_classes_have_changed_scores_keep_their_names_and_pictures_go(
    run: Run, data: Prepared, classes: tuple[str, ...]
) -> None:
    """What an id stood for when it was scored, not what it stands for now."""
    for folder in run.folder.iterdir():
        write_record(folder, (read_record(folder) or {}) | {"splits": {"": data.mark()}})
    before = confusion_text(run, data)
    now = replace(data, info=replace(data.info, classes=classes, hash="other"))
    found = page(run, now)
    assert confusion_text(run, now) == before and all(name in unescape(before) for name in CLASSES)
    assert not {"Pictures", "Images"} & set(found.texts["h2"]) and "IoU per class" in found.texts["h2"]
    assert "out of date: the classes have changed since" in found.texts["small"]
    assert set(CLASSES) <= set(found.texts["th"]) | set(found.texts["span"])


def confusion_text(run: Run, data: Prepared) -> str:
    scored = evaluations(run, stage_records(run))
    return re.sub("<[^>]*>", " ", str(confusion_section(run, scored, dict.fromkeys(scored, ""), data)))


def test_predictions_that_were_judged_without_masks_have_a_page(run: Run, data: Prepared) -> None:
    path = run.stage("evaluate") / "scores.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"scores": []}))
    reseal(path.parent)
    found = page(run, data)
    assert "Images" in found.texts["h2"] and len(alts(found, "prediction")) == 9 + BROWSED


def test_what_was_judged_without_masks_says_when_it_is_out_of_date(run: Run, data: Prepared) -> None:
    path, judged = run.stage("evaluate") / "scores.json", [{"name": "AP of tags", "of": "scores", "value": 0.5}]
    rows = [row | {"classes": {"disc": 0.5}, "images": 2, "says": "..."} for row in judged]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"scores": [], "agreement": rows}))
    reseal(path.parent)
    assert "Without masks" in page(run, data).texts["h2"] and not marks(run, data)
    write_record(run.stage("train"), (read_record(run.stage("train")) or {}) | {"made": "2999-01-02T03:04:05+00:00"})
    assert marks(run, data)["Without masks"] == 1


def marks(run: Run, data: Prepared) -> dict[str, int]:
    """How often each section says that training has run again since."""
    write_report(run, (), data, run.folder / "report.html", BROWSED)
    sections = (run.folder / "report.html").read_text(encoding="utf-8").split("<h2>")[1:]
    said = {part.partition("</h2>")[0]: part.count("out of date: train has run again since") for part in sections}
    return {title: count for title, count in said.items() if count}


def test_stages_that_were_not_run_are_left_out(run: Run, data: Prepared) -> None:
    for path in run.folder.iterdir():
        if path.name not in ("seeds", "pseudo"):
            shutil.rmtree(path)
    found = page(run, data)
    assert found.texts["h2"] == ["Training", "Pictures", "Stages", "Software and data"]
    assert len(alts(found, "CAM")) == 6 and not alts(found, "prediction")


def test_a_stage_that_has_only_begun_is_shown(run: Run, data: Prepared) -> None:
    for path in run.folder.iterdir():
        shutil.rmtree(path) if path.name != "seeds" else shutil.rmtree(path / "cam")
    (run.stage("seeds") / "cam_net" / "metrics.jsonl").unlink()
    assert page(run, data).texts["h2"] == ["Stages", "Software and data"]


def test_a_run_with_nothing_says_what_to_run(data: Prepared, tmp_path: Path) -> None:
    empty = Run(tmp_path / "runs", "toy", "irn", "new")
    write_record(Run(tmp_path / "runs", "toy", "irn", "now").stage("seeds"), {"status": "failed"})
    says = r"nothing has been run in .*; did you mean 'irn/now'\?\n.*wsss evaluate irn --data toy --name new --train"
    with pytest.raises(WsssError, match=says):
        write_report(empty, [], data, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_run_to_compare_with_must_be_scored(run: Run, data: Prepared, masks: Run) -> None:
    shutil.rmtree(masks.stage("evaluate"))
    with pytest.raises(WsssError, match=r"(?s)nothing has been scored.*--name masks"):
        write_report(run, [masks], data, run.folder / "report.html")


def test_a_browser_is_told_to_fetch_nothing(run: Run, data: Prepared) -> None:
    shown = page(run, data)
    policies = [meta["content"] for meta in shown.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1 and policies[0].startswith("default-src 'none'; img-src data:;")
    assert "http" not in policies[0]
    (code,) = shown.texts["script"]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert policies[0].endswith(f"; script-src 'sha256-{digest}'")  # no other script runs
    assert "script" not in policy("")


@pytest.mark.parametrize(("stage", "gone"), [("infer", 'data-miou="0'), ("pseudo", "pseudo-labels, split train")])
def test_no_score_stands_beside_a_picture_of_what_was_made_since(
    run: Run, data: Prepared, tmp_path: Path, stage: str, gone: str
) -> None:
    before = write_report(run, [], data, tmp_path / "before.html").read_text(encoding="utf-8")
    write_record(run.stage(stage), (read_record(run.stage(stage)) or {}) | {"made": "2999-01-02T04:00:00+00:00"})
    after = write_report(run, [], data, tmp_path / "after.html").read_text(encoding="utf-8")
    assert re.search(gone, before) and not re.search(gone, after)
    assert after.count("<img ") > 12
