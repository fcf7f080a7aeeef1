#!/usr/bin/env bash
# tinybrain 1.7.0, which makes smaller copies of images and volumes: an average over (2, 2) or (2, 2, 1) of an odd number of rows ends in a row of zeros.
# One would expect what the docs of downsample_with_averaging say, "average pooling patches of size factor": a last row that has no partner is averaged alone,
# so a flat image stays flat, as it does with num_mips=2, with (2, 2, 2) or (2, 1), and as labels do.
# Seen, of 5 x 4 pixels that are all 100: rows of 100, 100 and 0. The last row's average is there, but in the place of the one before, which is lost:
# of rows of 10, 10, 20, 20 and 90 come 10, 90, 0, where 10, 20, 90 should. No warning. So for each type tried, for arrays in C's and Fortran's order,
# with sparse=True too, and with one level, which is the default; (2, 2, 2) with sparse=True has the last row, but twice as bright, 200 for 100.
# (It writes what it makes of the odd row one place too early.)  "Rows" are the first axis; an even number of them is right. So since 1.3.2 at least.
# Who makes one level at a time, for images, or for a class's probabilities or shares of pixels, gets a black edge where objects go on, and the strip
# beside it from the wrong place; read as a share of foreground, a mask that is full to the edge ends before it.
# `wsss` does not use tinybrain.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "tinybrain==1.7.0" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import tinybrain


def rows(values, factor=(2, 2), columns=4, order="C", kind=np.float32, levels=1, sparse=False):
    """What becomes of rows that have one value each."""
    shape = (len(values), columns, 2)[: max(2, len(factor))]
    image = np.zeros(shape, kind, order)
    image[:] = np.reshape(values, (-1,) + (1,) * (len(shape) - 1))
    halved = tinybrain.downsample_with_averaging(image, factor, num_mips=levels, sparse=sparse)[0]
    assert (halved == halved[:, :1]).all()
    return halved.reshape(len(halved), -1)[:, 0].tolist()


steps, flat = [10, 10, 20, 20, 90], [100] * 5
right, wrong = ([10, 20, 90], [100, 100, 100]), ([10, 90, 0], [100, 100, 0])
cases = {
    "(2, 2)": ({}, wrong),
    "(2, 2, 1)": ({"factor": (2, 2, 1)}, wrong),
    "Fortran's order": ({"order": "F"}, wrong),
    "bytes": ({"kind": np.uint8}, wrong),
    "bytes, sparse": ({"kind": np.uint8, "sparse": True}, wrong),
    "int32": ({"kind": np.int32}, wrong),
    "two levels": ({"levels": 2}, right),
    "(2, 2, 2)": ({"factor": (2, 2, 2)}, right),
    "(2, 2, 2), bytes, sparse": ({"factor": (2, 2, 2), "kind": np.uint8, "sparse": True}, ([10, 20, 180], [100, 100, 200])),
    "(2, 1)": ({"factor": (2, 1)}, right),
}
print("tinybrain", version("tinybrain"))
seen = {name: (rows(steps, **how), rows(flat, **how)) for name, (how, _) in cases.items()}
for name, found in seen.items():
    print(f"{name}: expected {right[0]} and {right[1]}, seen {found[0]} and {found[1]}")
image = np.arange(24.0).reshape(6, 4)
even = np.array_equal(tinybrain.downsample_with_averaging(image, (2, 2))[0], image.reshape(3, 2, 2, 2).mean((1, 3)))
print("an even number of rows is right:", even)
raise SystemExit(not even or any(seen[name] != known for name, (_, known) in cases.items()))
PYTHON
