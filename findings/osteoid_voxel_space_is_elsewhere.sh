#!/usr/bin/env bash
# osteoid 0.7.4, skeletons of neurons and vessels for kimimaro and cloud-volume: voxel_space puts the points of a skeleton far from its voxels.
# One would expect what its README says, physical_space() "applies transform to vertices" and voxel_space() "removes transform from vertices": one there and
# back is where it was, and its points are those that NumPy's inverse of the transform gives.
# Seen, with voxels of 16 x 16 x 40 nm and an origin of 1,000, 2,000 and 3,000 nm: the points 10, 20, 30 and 11, 20, 30 come back as -927.5, -1855 and -2895 and
# as -926.5, -1855 and -2895. Of a line in a volume of 64 voxels a side, whose 50 points are all of its label before, none is in the volume after. No warning.
# With an origin of 0, the README's example, or voxels of 1 x 1 x 1 it is right.
# (The inverse of a scale s and an origin t is taken for 1 / s and -t; the origin has to be divided too.)  So in 0.1.0 as well, and cloud-volume's Skeleton is
# this one.
# Who reads skeletons in nanometres, as those of Neuroglancer are, whose volume does not begin at 0, and looks up the labels below them, reads wrong places.
# `wsss` does not use osteoid.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "osteoid==0.7.4" "numpy==2.4.6" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from osteoid import Skeleton


def there_and_back(points, transform):
    """Points in voxels, put into physical space by osteoid, and where NumPy and osteoid find them then."""
    skeleton = Skeleton.from_path(np.array(points, np.float32))
    skeleton.transform, skeleton.space = np.array(transform, np.float32), "voxel"
    physical = skeleton.physical_space()
    inverse = np.linalg.inv(np.vstack([transform, [0, 0, 0, 1]]))
    known = (np.c_[physical.vertices, np.ones(len(points))] @ inverse.T)[:, :3]
    assert np.allclose(known, points, atol=1e-3) and physical.space == "physical"
    return known.round(2), physical.voxel_space().vertices.round(2)


print("osteoid", version("osteoid"))
transforms = {
    "16 x 16 x 40 at 1000, 2000, 3000": [[16, 0, 0, 1000], [0, 16, 0, 2000], [0, 0, 40, 3000]],
    "16 x 16 x 40 at 0, 0, 0": [[16, 0, 0, 0], [0, 16, 0, 0], [0, 0, 40, 0]],
    "1 x 1 x 1 at 1000, 2000, 3000": [[1, 0, 0, 1000], [0, 1, 0, 2000], [0, 0, 1, 3000]],
}
right = {}
for name, transform in transforms.items():
    known, found = there_and_back([[10, 20, 30], [11, 20, 30]], transform)
    right[name] = np.allclose(known, found, atol=1e-2)
    print(f"{name}: expected {known.tolist()}, seen {found.tolist()}")
labels = np.zeros((64, 64, 64), np.uint8)
line = np.array([[i, i, 60 - i] for i in range(5, 55)])
labels[tuple(line.T)] = 7
counts = []
for points in there_and_back(line, transforms["16 x 16 x 40 at 1000, 2000, 3000"]):
    places = points.round().astype(int)
    places = places[((places >= 0) & (places < 64)).all(1)]
    counts.append(int((labels[tuple(places.T)] == 7).sum()))
print(f"points of a line that are of its label: expected {counts[0]}, seen {counts[1]}")
raise SystemExit(list(right.values()) != [False, True, True] or counts != [50, 0])
PYTHON
