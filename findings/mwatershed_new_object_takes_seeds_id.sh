#!/usr/bin/env bash
# mwatershed 0.5.4, mutex watershed of affinities: with seeds, an object without a seed can get the id of a seed elsewhere, so that two objects become one.
# One would expect what its docs say of seeds, that non-zero values "are guaranteed to stay unchanged", useful "for preserving certain ids": an id is an object,
# and what the affinities part by the strongest repulsion has different ids, as without seeds.
# Seen, of three rectangles with background between, every affinity between them repulsive: without seeds ids 84, 112 and 159; with one seed of 112 in the
# first, the first and the second are both 112. Of images of 64 x 120 done in two halves that overlap by a column of objects, the second with the first's ids as
# seeds there, as one does to keep ids over blocks: in 56 of 200 images two objects of the second half share an id, in 0 of 200 without seeds; each half is
# otherwise parted as it should be, and each seed keeps its id.
# No warning, and its tracker does not name it. (An object without a seed is given the number of one of its pixels, counted from 0 in the block, whether or not
# a seed is of that number.)  So since 0.5.0 at least.
# The ids of a block that is done without seeds are such numbers, so that in blocks of equal size they meet; also seeds that are simply counted from 1 can meet
# the objects of the first rows. Cells and neurites far apart are merged, and measured as one.
# `wsss` does not use mwatershed.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "mwatershed==0.5.4" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import mwatershed
import numpy as np

OFFSETS = [[0, 1], [1, 0], [0, 3], [3, 0]]
random = np.random.default_rng(0)


def affinities(objects):
    """Attraction of 0.5 to 1 within an object, repulsion of 0.5 to 1 everywhere else."""
    height, width = objects.shape
    result = -np.ones((len(OFFSETS), height, width))
    for number, (down, right) in enumerate(OFFSETS):
        one, other = objects[: height - down, : width - right], objects[down:, right:]
        result[number, : height - down, : width - right] = np.where((one == other) & (one > 0), 1, -1)
    return result * random.uniform(0.5, 1, result.shape)


def ids(found, objects):
    """The id of each object, which must be a single one; the background is 0."""
    each = {int(number): np.unique(found[objects == number]) for number in np.unique(objects)}
    assert all(len(values) == 1 for values in each.values()) and each.pop(0)[0] == 0
    return {number: int(values[0]) for number, values in each.items()}


print("mwatershed", version("mwatershed"))
objects = np.zeros((8, 20), int)
objects[1:5, 1:6], objects[2:6, 9:15], objects[6:, 16:] = 1, 2, 3
between = affinities(objects)
plain = ids(mwatershed.agglom(between, OFFSETS), objects)
seeds = np.zeros(objects.shape, np.uint64)
seeds[2, 2] = plain[2]
seeded = ids(mwatershed.agglom(between, OFFSETS, seeds=seeds), objects)
print(f"three rectangles, without seeds: ids {plain}; with a seed of {plain[2]} in the first: expected three ids, the first's {plain[2]}, seen {seeded}")
known = len(set(plain.values())) == 3 and seeded[1] == seeded[2] == plain[2] != seeded[3]

shared = {"with the first half's ids as seeds": 0, "without seeds": 0}
for _ in range(200):
    image, number = np.zeros((64, 120), int), 0
    for y in range(0, 64, 8):
        for x in range(0, 120, 8):
            number += 1
            top, left = np.array([y, x]) + random.integers(0, 3, 2)
            image[top : top + 5, left : left + 5] = number
    first, second = image[:, :64], image[:, 56:]
    before = mwatershed.agglom(affinities(first), OFFSETS)
    known &= len(set(ids(before, first).values())) == 64
    seeds = np.zeros(second.shape, np.uint64)
    seeds[:, :8] = before[:, 56:]
    between = affinities(second)
    for name, found in zip(shared, (mwatershed.agglom(between, OFFSETS, seeds=seeds), mwatershed.agglom(between, OFFSETS))):
        shared[name] += len(set(ids(found, second).values())) < 64
        known &= name == "without seeds" or bool((found[seeds > 0] == seeds[seeds > 0]).all())
for name, count in shared.items():
    print(f"200 images of two halves, {name}: expected 0 in which two objects share an id, seen {count}")
raise SystemExit(not (known and shared["without seeds"] == 0 and shared["with the first half's ids as seeds"] > 30))
PYTHON
