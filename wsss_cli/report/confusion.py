"""Precision, recall and what is taken for what: per class, as pairs that are most often confused, as a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.palette import colours
from wsss_cli.data.prepared import Prepared
from wsss_cli.report.markup import EMPTY, Child, Html, el, join, percent, swatch, table
from wsss_cli.report.read import confusions
from wsss_cli.runs import Run

Matrix = NDArray[np.float64]

MOST_CLASSES = 40
"""Of a matrix that is shown cell by cell; of more classes the pairs alone."""
PAIRS = 12
OPEN = "left open"
HEAD = ("Class", "IoU, %", "Precision, %", "Recall, %", "Pixels, %", "Most often taken for")


def confusion_section(run: Run, scored: Mapping[str, Mapping[str, Any]], data: Prepared) -> Html:
    """Each scored kind of label map of the run, predictions first; all but the first folded."""
    order = sorted(scored, key=lambda key: (scored[key]["stage"] != "infer", key))
    ignored = {(key, row["name"]): row.get("ignored", 0.0) for key in order for row in scored[key]["scores"]}
    parts = [
        (f"{name}, split {scored[key]['split']}", _kind(np.array(matrix, float), ignored.get((key, name), 0.0), data))
        for key in order
        for name, matrix in reversed(confusions(run.stage(key)).items())
    ]
    if not parts:
        return EMPTY
    (title, first), *others = parts
    folded = [el("details", el("summary", name), body) for name, body in others]
    return join([el("h3", title), first, *folded])


def pairs(matrix: Matrix) -> list[tuple[int, int, float, float]]:
    """The most frequent errors: true id, id it is taken for, share of the true class's pixels, share of all."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    of_class = np.maximum(1, matrix.sum(1))
    best = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    found = [divmod(int(at), matrix.shape[1]) for at in best]
    return [(i, j, wrong[i, j] / of_class[i], wrong[i, j] / max(1, matrix.sum())) for i, j in found if wrong[i, j]]


def _kind(matrix: Matrix, ignored: float, data: Prepared) -> Html:
    """Of a matrix (K, K + 1), its last column what the label maps leave open; ignored: the share that is not scored."""
    counted = matrix[:, :-1] if ignored else matrix
    note = f"{percent(ignored)} % of the pixels are {OPEN} and not scored; IoU and errors are of the others."
    return join(
        [
            el("p", note, cls="note") if ignored else None,
            _classes(counted, data),
            el("div", _pairs(counted, data), _matrix(matrix, data), cls="confused"),
        ]
    )


def _classes(matrix: Matrix, data: Prepared) -> Html:
    k = len(matrix)
    truth, predicted, right = matrix.sum(1), matrix[:, :k].sum(0), matrix.diagonal()
    rows: list[list[Child]] = [
        [
            _name(c, data),
            percent(_share(right[c], truth[c] + predicted[c] - right[c])),
            percent(_share(right[c], predicted[c])),
            percent(_share(right[c], truth[c])),
            percent(_share(truth[c], truth.sum())),
            _taken_for(c, matrix, data),
        ]
        for c in range(k)
        if truth[c] or predicted[c]
    ]
    return table(HEAD, rows, "scores", "Precision and recall of each class")


def _taken_for(c: int, matrix: Matrix, data: Prepared) -> Child:
    wrong = matrix[c].copy()
    wrong[c] = 0
    other = int(wrong.argmax())
    return join([_name(other, data), f" {percent(wrong[other] / matrix[c].sum())} %"]) if wrong[other] else "–"


def _pairs(matrix: Matrix, data: Prepared) -> Html:
    rows: list[list[Child]] = [
        [join([_name(i, data), " → ", _name(j, data)]), percent(share), percent(of_all)]
        for i, j, share, of_all in pairs(matrix)
    ]
    head = ("True → predicted", "% of class", "% of all")
    return el("div", el("h4", "Most frequent errors"), table(head, rows, "scores", "The most frequent errors"))


def _matrix(matrix: Matrix, data: Prepared) -> Html | None:
    """Rows of the ground truth, columns of the prediction, each row 100 %; classes that are nowhere left out."""
    shown = [c for c in range(len(matrix)) if matrix[c].sum() or matrix[:, c].sum()]
    columns = [*shown, *([len(matrix)] if matrix[:, -1].any() else [])]
    if len(shown) > MOST_CLASSES:
        return el("p", f"{len(shown)} classes are too many for a matrix of cells; confusion.json has it.", cls="note")
    head = el("tr", el("th", "true", attrs={"scope": "col"}), *(_column(c, data) for c in columns))
    rows = [_row(c, matrix[c], columns, data) for c in shown]
    caption = el("caption", "Confusion, % of the pixels of each true class", cls="hidden")
    body = el("table", caption, el("thead", head), el("tbody", *rows), cls="matrix")
    where = {"tabindex": "0", "role": "region", "aria-label": "Confusion matrix"}
    return el("div", el("h4", "% of each true class"), el("div", body, cls="scroll", attrs=where))


def _column(c: int, data: Prepared) -> Html:
    return el("th", el("span", _text(c, data)), attrs={"scope": "col"})


def _row(c: int, counts: Matrix, columns: Sequence[int], data: Prepared) -> Html:
    total = counts.sum()
    cells = [_cell(_share(counts[j], total), j == c) for j in columns]
    return el("tr", el("th", _name(c, data), attrs={"scope": "row"}), *cells)


def _cell(share: float | None, right: bool) -> Html:
    if not share:
        return el("td", "·" if share == 0 else "–", cls="none")
    text = f"{100 * share:.0f}" if share >= 0.005 else "<1"
    return el("td", text, cls="right" if right else "wrong", attrs={"style": f"--p:{100 * sqrt(share):.0f}%"})


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _text(c: int, data: Prepared) -> str:
    names = ("background", *data.info.classes, OPEN)
    return names[c]


def _name(c: int, data: Prepared) -> Html:
    mark = swatch(colours(data)[c]) if c <= data.num_classes else None
    return el("span", mark, _text(c, data), cls="key")
