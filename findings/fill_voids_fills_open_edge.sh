#!/usr/bin/env bash
# fill_voids 2.1.2, hole filling for masks of volumes, closes a hollow that is open: one that meets the volume's border at its first edge.
# One would expect what SciPy's binary_fill_holes does, to which its README likens it, and its author's word that only bubbles inside the foreground are
# filled: a quarter of a hollow ball, cut open by two faces of the volume, stays as it is, at each of the volume's twelve edges.
# Seen: at the edge of indices (0, 0, any) all of the hollow, 2015 voxels, becomes mask, without a word; at the other eleven none, so a mirrored volume has
# another result. With an empty voxel around the volume it is right. (From faces it looks for background along rows, and where one row ends and the next
# begins in background it takes the two for one stretch, though nothing joins them.) So since 2.0.7 at least; images of two dimensions are filled right.
# Who fills masks cut to a box or a tile, where open hollows are common, gets organs, vessels or cells that are solid in one corner.
# `wsss` neither uses it nor fills holes.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "fill-voids==2.1.2" "numpy==2.4.6" "scipy==1.17.1" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version
from itertools import product

import fill_voids
import numpy as np
from scipy import ndimage

size, middle = 48, 24
edges = [place for place in product((0, middle, size - 1), repeat=3) if place.count(middle) == 1]
seen, padded, expected = {}, {}, {}
for edge in edges:
    distance = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(np.indices((size, size, size)), edge, strict=True)))
    mask = (distance > 12) & (distance <= 20)
    expected[edge] = int((ndimage.binary_fill_holes(mask) & ~mask).sum())
    seen[edge] = int((fill_voids.fill(mask).astype(bool) & ~mask).sum())
    padded[edge] = int((fill_voids.fill(np.pad(mask, 1))[1:-1, 1:-1, 1:-1].astype(bool) & ~mask).sum())
print("fill_voids", version("fill-voids"))
print(f"voxels filled at the {len(edges)} edges: expected (SciPy)", list(expected.values()))
print("seen", list(seen.values()), "with an empty voxel around", list(padded.values()))
raise SystemExit(
    any(expected.values()) or any(padded.values()) or {edge for edge, filled in seen.items() if filled} != {(0, 0, middle)}
)
PYTHON
