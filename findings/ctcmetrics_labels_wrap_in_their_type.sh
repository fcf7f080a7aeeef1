#!/usr/bin/env bash
# py-ctcmetrics 1.3.3, the Cell Tracking Challenge's scores in Python: a perfect result scores far below 1 if the labels fill more than half of their type.
# One would expect of evaluate_sequence that a result which is the reference itself, its masks and its tracks, has 1 by each score, whatever whole numbers
# hold its labels; its reader of tracks says "label of markers, 16-bit positive value", so that 1 to 65535 are all good.
# Seen, of 100 cells in three frames, numbered from 30000, in 16 bits: all 1; numbered from 40000: DET, SEG, TRA, CT, TF, HOTA and IDF1 are 0, MOTA is -1;
# with numbers 600 apart, 1 to 59401: SEG 0.11, MOTA -0.78. The same masks in 32 bits: all 1. In 8 bits 127 cells are right; of 128 SEG is 0.98, of 150 0.69,
# of 200 0.27, with MOTA -0.46. Where each cell is a pixel too large all around, 16 bits give SEG 0.36 for 150 cells, and 8 bits 0.25.
# It calls all of them valid. No warning, and its tracker does not name it. (To tell the two apart, the reference's greatest label and one are added to the
# result's labels, in their own type, where they go round and fall on the reference's.)
# Long videos of embryos number their cells into ten thousands, some trackers give ids with gaps, and small masks are often saved in 8 bits: a tracker then
# seems to miss cells, the more the longer the video, and which of two is better depends on how each numbers its cells.
# `wsss` does not use py-ctcmetrics.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "py-ctcmetrics==1.3.3" "numpy==2.4.6" "scipy==1.17.1" "scikit-learn==1.9.1" "pandas==3.1.1" \
  "tifffile==2026.3.3" "imagecodecs==2026.3.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import contextlib
import io
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tifffile
from ctc_metrics import evaluate_sequence

NAMES = ["DET", "SEG", "TRA", "CT", "TF", "HOTA", "IDF1", "MOTA"]


def video(numbers, dtype, larger=0):
    """Three equal frames of square cells, 3 x 3 pixels, 6 apart."""
    side = int(np.ceil(len(numbers) ** 0.5))
    frame = np.zeros((6 * side + 3, 6 * side + 3), dtype)
    for k, number in enumerate(numbers):
        y, x = 6 * (k // side) + 2, 6 * (k % side) + 2
        frame[y - larger : y + 3 + larger, x - larger : x + 3 + larger] = number
    return [frame] * 3


def scores(reference, result):
    """The scores of a result, in the folders and files of the challenge."""
    with tempfile.TemporaryDirectory() as folder:
        results, truth = Path(folder, "01_RES"), Path(folder, "01_GT")
        for one in (results, truth / "TRA", truth / "SEG"):
            one.mkdir(parents=True)
        for k, (right, found) in enumerate(zip(reference, result)):
            tifffile.imwrite(truth / "TRA" / f"man_track{k:03}.tif", right)
            tifffile.imwrite(truth / "SEG" / f"man_seg{k:03}.tif", right)
            tifffile.imwrite(results / f"mask{k:03}.tif", found)
        for path, frames in ((truth / "TRA" / "man_track.txt", reference), (results / "res_track.txt", result)):
            path.write_text("".join(f"{number} 0 {len(frames) - 1} 0\n" for number in np.unique(frames) if number))
        with contextlib.redirect_stdout(io.StringIO()):
            values = evaluate_sequence(str(results), str(truth), threads=1)
    return values["Valid"], {name: round(float(values[name]), 2) for name in NAMES}


print("py-ctcmetrics", version("py-ctcmetrics"))
known = True
for dtype, numbers, wrong in (
    ("uint16", range(1, 101), None),
    ("uint16", range(30000, 30100), None),
    ("uint16", range(40000, 40100), 0.0),
    ("uint32", range(40000, 40100), None),
    ("uint16", range(1, 59402, 600), 0.11),
    ("uint32", range(1, 59402, 600), None),
    ("uint8", range(1, 128), None),
    ("uint8", range(1, 129), 0.98),
    ("uint8", range(1, 151), 0.69),
    ("uint8", range(1, 201), 0.27),
    ("uint16", range(1, 201), None),
):
    valid, seen = scores(*[video(numbers, dtype)] * 2)
    print(f"{len(numbers)} cells of {numbers[0]} to {numbers[-1]} in {dtype}, against themselves: expected 1 by all, seen valid {valid}, {seen}")
    known &= valid == 1 and (set(seen.values()) == {1.0} if wrong is None else seen["SEG"] == wrong and seen["MOTA"] < 1)

for dtype, value in (("uint16", 0.36), ("uint8", 0.25)):
    valid, seen = scores(video(range(1, 151), dtype), video(range(1, 151), dtype, 1))
    print(f"150 cells of 9 pixels, found with 25, in {dtype}: expected SEG {9 / 25}, seen valid {valid}, {seen}")
    known &= valid == 1 and seen["SEG"] == value
raise SystemExit(not known)
PYTHON
