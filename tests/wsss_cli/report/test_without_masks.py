"""The pictures of a run on data without masks: the least certain images first, boxes drawn into them."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from wsss_cli.data.certainty import NAME
from wsss_cli.data.prepared import Box, Prepared, Sample
from wsss_cli.report.boxes import outlined
from wsss_cli.report.gallery import pictures_section
from wsss_cli.report.read import stage_records
from wsss_cli.runs import Run, read_record, write_record

PALETTE = [(0, 0, 0), (250, 0, 0), (0, 250, 0), (0, 0, 250)]


def shown(run: Run, data: Prepared) -> list[tuple[str, str]]:
    """The title of each sheet, and its images in order."""
    found = sheets(run, data)
    return [(part.partition("<")[0], " ".join(re.findall(r'class="id">(\w+)<', part))) for part in found]


def sheets(run: Run, data: Prepared) -> list[str]:
    bare = replace(data, samples=tuple(replace(s, mask=None) for s in data.samples))
    return pictures_section(run, stage_records(run), {}, bare).split("<h3>")[1:]


def test_the_least_certain_come_first(run: Run, data: Prepared) -> None:
    sure = {f"scene_{i:02d}": 0.9 - 0.01 * i for i in range(10, 24)}
    rows = [json.dumps({"id": id, "certainty": value, "peaks": []}) for id, value in sure.items()]
    (run.stage("infer") / NAME).write_text("\n".join(rows) + "\n")
    (title, first), (learnt, second) = shown(run, data)
    assert title == "Predictions, split val" and first.split()[:3] == ["scene_23", "scene_22", "scene_21"]
    assert learnt == "CAMs and pseudo-labels" and second == "scene_11 scene_10"


def test_without_certainty_pseudo_labels_are_spread(run: Run, data: Prepared) -> None:
    (run.stage("infer") / NAME).unlink()
    ((title, ids),) = shown(run, data)
    assert title == "CAMs and pseudo-labels" and len(ids.split()) == 6


def test_predictions_of_an_earlier_network_are_neither_shown_nor_asked(run: Run, data: Prepared) -> None:
    """Those of the images that were learnt from, once the network and the usual predictions were made again."""
    learnt = [s.id for s in data.split("train") if s.mask]
    shutil.copytree(run.stage("infer"), run.stage("infer-train"))
    for below in ("labels", "labels_crf"):
        for id, path in zip(learnt, sorted(run.stage("infer").joinpath(below).glob("*.png"))):
            shutil.copy(path, run.stage("infer-train") / below / f"{id}.png")
    rows = [json.dumps({"id": id, "certainty": 0.1 * i, "peaks": []}) for i, id in enumerate(reversed(learnt))]
    (run.stage("infer-train") / NAME).write_text("\n".join(rows) + "\n")
    (_, (_, ids)), html = shown(run, data), sheets(run, data)
    assert ids.split()[:2] == learnt[:-3:-1] and html[-1].count('alt="prediction of') == 6

    later = {"made": "2999-01-02T03:04:05+00:00"}
    write_record(run.stage("train"), (read_record(run.stage("train")) or {}) | later)
    again = (read_record(run.stage("infer")) or {}) | {"inputs_made": {"train": later["made"]}}
    write_record(run.stage("infer"), again)
    (_, (_, ids)), html = shown(run, data), sheets(run, data)
    assert ids.split()[:2] != learnt[:-3:-1] and 'alt="prediction of' not in html[-1]


def test_boxes_are_drawn_in_the_colours_of_their_classes() -> None:
    sample = Sample("a", Path("a.png"), 40, 20, (1,), (Box(1, 4, 4, 24, 16), Box(2, 38, 18, 40, 20)))
    picture = outlined(np.full((10, 20, 3), 200, np.uint8), sample, PALETTE)
    assert picture[2, 2].tolist() == [0, 0, 0] and picture[3, 3].tolist() == [250, 0, 0]
    assert picture[5, 6].tolist() == [200, 200, 200] and picture[7, 11].tolist() == [0, 0, 0]
    assert picture[9, 19].tolist() == [0, 0, 0]  # smaller than a line
