"""The pairs that are confused, and the cells of the matrix."""

import json
import re

import numpy as np

from made_run import reseal
from wsss_cli.data.prepared import Prepared
from wsss_cli.report.confusion import OPEN, confusion_section, pairs
from wsss_cli.report.read import all_outdated, evaluations, stage_records
from wsss_cli.runs import Run


def section(run: Run, data: Prepared) -> str:
    records = stage_records(run)
    return str(confusion_section(run, evaluations(run, records), all_outdated(records, data), data))


def test_the_most_frequent_errors_first() -> None:
    matrix = np.array([[80.0, 10, 0, 0], [0, 5, 4, 1], [0, 0, 0, 0]])
    assert pairs(matrix) == [(0, 1, 10 / 90, 0.1), (1, 2, 0.4, 0.04), (1, 3, 0.1, 0.01)]


def test_predictions_first_the_rest_folded(run: Run, data: Prepared) -> None:
    html = section(run, data)
    assert html.index("prediction + CRF, split val") < html.index("<details>") < html.index("pseudo-label, split train")
    assert html.count("<details>") == 2 and html.count('class="matrix"') == 3
    assert OPEN not in html  # nothing is
    for row in html.split('class="matrix"')[1].partition("</table>")[0].split("<tr>")[2:]:
        cells = [part.partition("</td>")[0].partition(">")[2] for part in row.split("<td")[1:]]
        assert 98 <= sum(int(cell) for cell in cells if cell.isdigit()) <= 101


def test_what_is_left_open_has_a_column_and_no_part_in_the_scores(run: Run, data: Prepared) -> None:
    def shown() -> tuple[str, list[str]]:
        html = section(run, data)
        return html, re.findall('<table class="scores">.*?</table>', html)

    (_, before), folder = shown(), run.stage("evaluate-pseudo")
    confusion, scores = (json.loads((folder / name).read_text()) for name in ("confusion.json", "scores.json"))
    confusion["matrices"]["pseudo-label"][1][-1] += 5000
    scores["scores"][0]["ignored"] = 0.125
    for name, content in (("confusion.json", confusion), ("scores.json", scores)):
        (folder / name).write_text(json.dumps(content))
    reseal(folder)
    html, after = shown()
    assert after == before and html.count(f"<span>{OPEN}</span>") == 1
    assert f"12.5 % of the pixels are {OPEN} and not scored" in html
