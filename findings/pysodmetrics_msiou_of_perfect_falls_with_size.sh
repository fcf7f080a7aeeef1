#!/usr/bin/env bash
# PySODMetrics 1.6.2, scores of salient and camouflaged objects and of fine structures: the MSIoU of a perfect result is below 1 in large images.
# One would expect of MSIoU, "score for the given pair (float between 0 and 1)", whose ratio at each of ten scales is the truth's cells of edges that the
# result has too, plus 1, by all of the truth's, plus 1, that the truth itself has 1, however large the image is.
# Seen, of a fence of wires, 3 pixels wide, against itself: 1 in 512 x 512 with wires 32 pixels apart, 58,591 pixels of edges, but 0.94 with wires 16 apart,
# 105,919 pixels; 0.83 in 1024 x 1024, 0.72 or 0.61 in 2048 x 2048, 0.50 in 4096 x 4096. In 1024 x 1024 all results that are moved by 1, 2 or 4 pixels have the
# same 0.7170, where 0.825, 0.813 and 0.786 are expected. So for its binary, adaptive and dynamic scores. In 300 x 300 it is 1.0001.
# NumPy warns once, of an overflow "in reduce", and the score goes on without it; its tracker does not name it. (Edges are kept in floats of 16 bits, for
# which NumPy takes the root of two bools, and so is their sum: of 65,520 and more it is infinite, and the ratio of that scale 0.)
# It is made for "fine structures", and sets with such, as DIS5K, have images of 2 to 4 thousand pixels a side: what is fine weighs least there, for the
# finest scales are those that are lost, and the mean over images of different sizes is of different scores.
# `wsss` does not use PySODMetrics.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "pysodmetrics==1.6.2" "numpy==2.3.4" "scipy==1.17.1" "scikit-image==0.25.2" \
  "scikit-learn==1.9.1" "opencv-python-headless==4.14.0.94" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from py_sod_metrics import MSIoU


def fence(size, step, moved=0):
    """Wires of 3 pixels, along rows and columns."""
    image = np.zeros((size, size), np.uint8)
    for k in range(moved, size, step):
        image[k : k + 3] = image[:, k : k + 3] = 255
    return image


def seen(found, truth, dynamic=False, adaptive=False):
    metric = MSIoU(dynamic, adaptive, with_binary=True)
    metric.step(found, truth)
    return {name: float(np.max(value)) for name, value in metric.get_results().items()}


def expected(found, truth):
    """The same formula, counted in whole numbers, and the pixels of the truth's edges."""
    metric, ratios = MSIoU(False, False, with_binary=True), []
    edges = [metric.get_edge(image > 128) > 0 for image in (found, truth)]
    for cell in metric.cell_sizes:
        cells = []
        for edge in edges:
            padded = np.pad(edge, [(-length % cell, 0) for length in edge.shape])
            height, width = (length // cell for length in padded.shape)
            cells.append(padded.reshape(height, cell, width, cell).any((1, 3)))
        ratios.append(((cells[0] & cells[1]).sum() + 1) / (cells[1].sum() + 1))
    return float(np.trapezoid(ratios, dx=1 / (len(ratios) - 1))), int(edges[1].sum())


print("pysodmetrics", version("pysodmetrics"))
known = True
for size, step, value in ((256, 32, 1.0), (512, 32, 1.0), (512, 16, 0.94), (1024, 32, 0.83), (2048, 32, 0.72), (2048, 16, 0.61), (4096, 32, 0.5)):
    truth = fence(size, step)
    (wanted, edge), score = expected(truth, truth), seen(truth, truth)["binary"]
    print(f"a fence of {size} x {size}, wires {step} apart, {edge} pixels of edges, against itself: expected {wanted:.4f}, seen {score:.4f}")
    known &= abs(wanted - 1) < 1e-9 and round(score, 2) == value and (score < 0.95) == (edge >= 65520)

for size, same in ((512, False), (1024, True)):
    truth = fence(size, 32)
    results = [fence(size, 32, moved) for moved in (0, 1, 2, 4)]
    wanted, scores = [round(expected(one, truth)[0], 4) for one in results], [round(seen(one, truth)["binary"], 4) for one in results]
    print(f"moved by 0, 1, 2 and 4 pixels in {size} x {size}: expected {wanted}, seen {scores}")
    known &= (len(set(scores[1:])) == 1 if same else np.allclose(scores, wanted, atol=1e-3)) and len(set(wanted)) == 4

truth = fence(1024, 32)
values = seen(truth, truth, dynamic=True, adaptive=True)
print(f"1024 x 1024, each kind of score, against itself: expected 1, seen { {name: round(value, 2) for name, value in values.items()} }")
known &= {round(value, 2) for value in values.values()} == {0.83}
truth = fence(300, 32)
score = seen(truth, truth)["binary"]
print(f"300 x 300, {expected(truth, truth)[1]} pixels of edges, against itself: expected 1, seen {score:.5f}")
known &= 1.00005 < score < 1.001
raise SystemExit(not known)
PYTHON
