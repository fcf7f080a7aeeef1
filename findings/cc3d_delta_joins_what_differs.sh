#!/usr/bin/env bash
# cc3d (connected-components-3d) 4.1.1: connected components of grey images by delta, with connectivity=8, join pixels that differ by more than delta.
# One would expect of delta what its docs say, "Connect together values whose difference in value is <= delta", and so that each piece of an image of flat
# cells whose greys are 30 apart or more is one grey, with delta=10.
# Seen, of the pixels 0 1 and 7 10 with delta=3: 1 and 10 are joined, which differ by 9, and 7 and 10 are not, which differ by 3. Of 10 images of 10 x 10
# flat cells, each 12 x 12 pixels, all are wrong: pieces hold greys up to 180 apart. Random greys from 1 to 11 of 100 x 101 pixels with delta=2 have
# 255 pieces for 406. No warning. So for bytes, whole numbers and floats; connectivity=4 and the three of volumes, the same image as (h, w, 1) with 26
# among them, are right, and so is delta=0.
# (It seems to leave out neighbours that others stand for if all are equal; being near is not passed on so.)  So in 3.29.0 as well.
# Who divides grey or stained images, depth or temperature into regions so gets regions that flow into what differs from them.
# `wsss` does not use cc3d.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "connected-components-3d==4.1.1" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import cc3d
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def known(image, delta, connectivity):
    """The components, by SciPy, of pixels that are not 0, joined where they touch and differ by delta at most."""
    h, w = image.shape
    places, rows, columns = np.arange(h * w).reshape(h, w), [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1))[: connectivity // 2]:
        one = (slice(0, h - dy), slice(max(-dx, 0), w - max(dx, 0)))
        other = (slice(dy, h), slice(max(dx, 0), w - max(-dx, 0)))
        a, b = image[one].astype(float), image[other].astype(float)
        near = (a != 0) & (b != 0) & (abs(a - b) <= delta)
        rows.append(places[one][near])
        columns.append(places[other][near])
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    labels = connected_components(coo_matrix((np.ones(len(rows)), (rows, columns)), (h * w, h * w)), directed=False)[1]
    return np.where(image != 0, labels.reshape(h, w) + 1, 0)


def same(one, other):
    pairs = set(zip(one.ravel().tolist(), other.ravel().tolist()))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def wrong(images, delta, connectivity):
    found = [cc3d.connected_components(image, connectivity=connectivity, delta=delta) for image in images]
    return sum(not same(labels, known(image, delta, connectivity)) for labels, image in zip(found, images))


print("cc3d", version("connected-components-3d"))
small = np.array([[0, 1], [7, 10]], np.uint8)
four = cc3d.connected_components(small, connectivity=8, delta=3).tolist()
print(f"0 1 and 7 10, delta 3: expected {known(small, 3, 8).tolist()} (the numbers do not matter), seen {four}")
generators = [np.random.default_rng(seed) for seed in range(10)]
cells = [(one.integers(1, 8, (10, 10)) * 30).repeat(12, 0).repeat(12, 1).astype(np.uint8) for one in generators]
greys = [one.integers(1, 12, (100, 101)).astype(np.uint8) for one in generators]
seen = {}
for connectivity in (8, 4):
    seen[f"cells, connectivity {connectivity}"] = wrong(cells, 10, connectivity)
    seen[f"random, connectivity {connectivity}"] = wrong(greys, 2, connectivity)
seen["cells of floats, connectivity 8"] = wrong([image.astype(np.float32) for image in cells], 10, 8)
seen["cells of int32, connectivity 8"] = wrong([image.astype(np.int32) for image in cells], 10, 8)
seen["cells, connectivity 8, delta 0"] = wrong(cells, 0, 8)
for name, count in seen.items():
    print(f"{name}: images that are wrong expected 0 of 10, seen {count}")
volumes = sum(
    not same(cc3d.connected_components(image[..., None], connectivity=26, delta=delta)[..., 0], known(image, delta, 8))
    for images, delta in ((cells, 10), (greys, 2))
    for image in images
)
print(f"as volumes of one slice: expected 0 of 20, seen {volumes}")
labels = cc3d.connected_components(cells[0], connectivity=8, delta=10)
spans = [int(np.ptp(cells[0][labels == label])) for label in range(1, labels.max() + 1)]
pieces = len(np.unique(known(greys[0], 2, 8))), int(cc3d.connected_components(greys[0], connectivity=8, delta=2).max())
print(f"cells: greys within a piece differ by: expected 0, seen up to {max(spans)}; random: pieces expected {pieces[0]}, seen {pieces[1]}")
raise SystemExit(
    four[0][1] != four[1][1]
    or four[1][0] == four[1][1]
    or list(seen.values()) != [10, 10, 0, 0, 10, 10, 0]
    or volumes != 0
    or max(spans) < 30
    or pieces[0] == pieces[1]
)
PYTHON
