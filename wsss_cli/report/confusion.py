"""Precision, recall and what is taken for what: per class, as pairs that are most often confused, as a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_cli.data.palette import Colour, colours_of
from wsss_cli.data.prepared import Prepared
from wsss_cli.report.markup import EMPTY, Child, Html, el, join, late, percent, swatch, table
from wsss_cli.report.read import confusions
from wsss_cli.runs import Run

Matrix = NDArray[np.float64]

MOST_CLASSES = 40
"""Of a matrix that is shown cell by cell; of more classes the pairs alone."""
PAIRS = 12
OPEN = "left open"
HEAD = ("Class", "IoU, %", "Precision, %", "Recall, %", "Pixels, %", "Most often taken for")


@dataclass(frozen=True)
class Classes:
    """As they were when label maps were scored: names of the ids 0, 1, ... and of what is left open; their colours."""

    names: tuple[str, ...]
    colours: tuple[Colour, ...]


def confusion_section(
    run: Run, scored: Mapping[str, Mapping[str, Any]], whys: Mapping[str, str], data: Prepared
) -> Html:
    """Each scored kind of label map of the run, predictions first; all but the first folded.

    whys  why an evaluation is out of date, or ""
    """
    order = sorted(scored, key=lambda key: (scored[key]["stage"] != "infer", key))
    ignored = {(key, row["name"]): row.get("ignored", 0.0) for key in order for row in scored[key]["scores"]}
    parts = []
    for key in order:
        found = confusions(run.stage(key))
        classes = Classes((*found.names, OPEN), tuple(colours_of(found.names, data)))
        for name, matrix in reversed(list(found.matrices.items())):
            kind = _kind(np.array(matrix, float), ignored.get((key, name), 0.0), classes)
            parts.append((f"{name}, split {scored[key]['split']}", join([late(whys[key]), kind])))
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


def _kind(matrix: Matrix, ignored: float, classes: Classes) -> Html:
    """Of a matrix (K, K + 1), its last column what the label maps leave open; ignored: the share that is not scored."""
    counted = matrix[:, :-1] if ignored else matrix
    note = f"{percent(ignored)} % of the pixels are {OPEN} and not scored; IoU and errors are of the others."
    return join(
        [
            el("p", note, cls="note") if ignored else None,
            _classes(counted, classes),
            el("div", _pairs(counted, classes), _matrix(matrix, classes), cls="confused"),
        ]
    )


def _classes(matrix: Matrix, classes: Classes) -> Html:
    k = len(matrix)
    truth, predicted, right = matrix.sum(1), matrix[:, :k].sum(0), matrix.diagonal()
    rows: list[list[Child]] = [
        [
            _name(c, classes),
            percent(_share(right[c], truth[c] + predicted[c] - right[c])),
            percent(_share(right[c], predicted[c])),
            percent(_share(right[c], truth[c])),
            percent(_share(truth[c], truth.sum())),
            _taken_for(c, matrix, classes),
        ]
        for c in range(k)
        if truth[c] or predicted[c]
    ]
    return table(HEAD, rows, "scores", "Precision and recall of each class")


def _taken_for(c: int, matrix: Matrix, classes: Classes) -> Child:
    wrong = matrix[c].copy()
    wrong[c] = 0
    other = int(wrong.argmax())
    return join([_name(other, classes), f" {percent(wrong[other] / matrix[c].sum())} %"]) if wrong[other] else "–"


def _pairs(matrix: Matrix, classes: Classes) -> Html:
    rows: list[list[Child]] = [
        [join([_name(i, classes), " → ", _name(j, classes)]), percent(share), percent(of_all)]
        for i, j, share, of_all in pairs(matrix)
    ]
    head = ("True → predicted", "% of class", "% of all")
    return el("div", el("h4", "Most frequent errors"), table(head, rows, "scores", "The most frequent errors"))


def _matrix(matrix: Matrix, classes: Classes) -> Html | None:
    """Rows of the ground truth, columns of the prediction, each row 100 %; classes that are nowhere left out."""
    shown = [c for c in range(len(matrix)) if matrix[c].sum() or matrix[:, c].sum()]
    columns = [*shown, *([len(matrix)] if matrix[:, -1].any() else [])]
    if len(shown) > MOST_CLASSES:
        return el("p", f"{len(shown)} classes are too many for a matrix of cells; confusion.json has it.", cls="note")
    head = el("tr", el("th", "true", attrs={"scope": "col"}), *(_column(c, classes) for c in columns))
    rows = [_row(c, matrix[c], columns, classes) for c in shown]
    caption = el("caption", "Confusion, % of the pixels of each true class", cls="hidden")
    body = el("table", caption, el("thead", head), el("tbody", *rows), cls="matrix")
    where = {"tabindex": "0", "role": "region", "aria-label": "Confusion matrix"}
    return el("div", el("h4", "% of each true class"), el("div", body, cls="scroll", attrs=where))


def _column(c: int, classes: Classes) -> Html:
    return el("th", el("span", _text(c, classes)), attrs={"scope": "col"})


def _row(c: int, counts: Matrix, columns: Sequence[int], classes: Classes) -> Html:
    total = counts.sum()
    cells = [_cell(_share(counts[j], total), j == c) for j in columns]
    return el("tr", el("th", _name(c, classes), attrs={"scope": "row"}), *cells)


def _cell(share: float | None, right: bool) -> Html:
    if not share:
        return el("td", "·" if share == 0 else "–", cls="none")
    text = f"{100 * share:.0f}" if share >= 0.005 else "<1"
    return el("td", text, cls="right" if right else "wrong", attrs={"style": f"--p:{100 * sqrt(share):.0f}%"})


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _text(c: int, classes: Classes) -> str:
    return classes.names[c]


def _name(c: int, classes: Classes) -> Html:
    mark = swatch(classes.colours[c]) if c < len(classes.colours) else None
    return el("span", mark, _text(c, classes), cls="key")
