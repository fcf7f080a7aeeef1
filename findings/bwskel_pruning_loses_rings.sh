#!/usr/bin/env bash
# bwskel-3d 0.1.3, skeletons of volumes with short branches taken off, after MATLAB's bwskel: taking branches off loses rings, if anything else branches.
# One would expect of min_branch_length what its docs say, "remove branches shorter than min_branch_length": a closed ring, which has no branch and no end, stays
# as it is; and what happens to one object does not depend on another that lies elsewhere in the volume.
# Seen, of a ring alone: its 56 voxels with each length from 0 to 20. With a cross about 55 voxels away, in the same volume: 56 with 0, and none with 1, 3, 10 or more,
# though the ring is longer than all of them. Of 16 rings and one cross all 16 are gone with a length of 1.
# So with a line of 10 voxels: alone it stays whole with 12 and with 20; beside the cross it goes with 10 and more. And a cross with four arms of 13 voxels is not made
# a line or a point with 16, but goes whole, where a line of the same 27 voxels stays.
# No warning; no issue that names it was found. (It goes along branches from where they meet, and keeps what it has gone along; if nothing meets anywhere it
# gives back all.)
# Vessels, airways and pores have loops, which are counted in the skeleton: with a length of 1, which should change nothing, those without a branch of their
# own are lost, and so are plain tubes shorter than the length, in volumes that have a branch, but not in those that have none.
# `wsss` does not use bwskel-3d.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "bwskel-3d==0.1.3" "numpy==2.4.6" "scipy==1.17.1" "scikit-image==0.26.0" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from bwskel.bwskel import BWSkeleton3D

LENGTHS = [0, 1, 3, 10, 12, 16, 20]


def volume():
    return np.zeros((9, 140, 140), bool)


def ring(y, x, radius=10):
    one = volume()
    rows, columns = np.indices(one.shape[1:])
    one[3:6] |= np.abs(np.hypot(rows - y, columns - x) - radius) < 1.6
    return one


def line(y, start, stop):
    one = volume()
    one[3:6, y - 1 : y + 2, start:stop] = True
    return one


def cross(y, x, arm):
    one = line(y, x - arm, x + arm + 1)
    one[3:6, y - arm : y + arm + 1, x - 1 : x + 2] = True
    return one


def kept(shape, other=None):
    """Voxels of a shape's skeleton, by the length, with another shape in the volume or without."""
    both = shape if other is None else shape | other
    return [int((BWSkeleton3D(both, length).compute_skeleton()[shape] > 0).sum()) for length in LENGTHS]


print("bwskel-3d", version("bwskel-3d"))
known = True
plus = cross(60, 60, 14)
print("lengths:", LENGTHS)
for name, shape, wanted in (("a ring", ring(20, 20), [56] * 7), ("a line of 10 voxels", line(20, 30, 42), [10] * 7)):
    alone, beside = kept(shape), kept(shape, plus)
    print(f"{name}: alone {alone}; expected the same beside a cross, seen {beside}")
    known &= alone == wanted and beside == ([56] + [0] * 6 if wanted[0] == 56 else [10, 10, 10, 0, 0, 0, 0])

many = volume()
for y in range(15, 120, 33):
    for x in range(15, 120, 33):
        many |= ring(y, x)
alone, beside = kept(many), kept(many, cross(31, 31, 6))
print(f"16 rings: alone {alone}; expected the same beside a cross, seen {beside}")
known &= len(set(alone)) == 1 and beside[0] == alone[0] > 800 and set(beside[1:]) == {0}

arms, straight = kept(plus), kept(line(60, 46, 75))
print(f"a cross with arms of 13 voxels: {arms}; a line as long: {straight}")
known &= arms[0] == arms[4] == 53 and arms[5:] == [0, 0] and set(straight) == {27}
raise SystemExit(not known)
PYTHON
