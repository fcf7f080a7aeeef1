#!/usr/bin/env bash
# crackle-codec 0.55.0, a store for label volumes that is worked on while compressed: of labels merged by remap it gives one's voxels and forgets the others'.
# One would expect of the merged label what the whole volume, decompressed, shows: remap is there "for e.g. proofreading", where segments are joined, and
# decompress(label=...) is its "faster extraction of binary images".
# Seen: segments of 1024 and 2560 voxels, the second made the first's label, decompress right as a whole, but as the mask of that label, and by
# voxel_counts, bounding_boxes and centroids of it, only the first is there: 1024 voxels and 4 slices of 18. each() gives the label twice, each time that
# mask. So the array operators: (volume > 0)'s mask of 1 has 1536 voxels of 8192. No warning; asked without a label, all four are right.
# (The list of unique labels then names one label twice, and the search for its slices takes the first place. condense() or recompress() mends it; remap's
# docs name neither.)  So in six versions tried from 0.15.0 on; in volumes compressed with allow_pins too.
# Who joins segments or makes a foreground mask so measures and exports objects that lack slices.
# `wsss` does not use crackle.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "crackle-codec==0.55.0" "fastremap==1.21.0" "numpy==2.4.6" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
"$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import crackle
import numpy as np

labels = np.zeros((48, 48, 24), np.uint32, order="F")
labels[4:20, 4:20, 2:6] = 1
labels[4:20, 4:20, 10:20] = 2
labels[28:44, 28:44, 4:22] = 3
volume = crackle.CrackleArray(crackle.compress(labels))
pinned = crackle.CrackleArray(crackle.compress(labels, allow_pins=1))
merged = np.where(labels == 2, 1, labels)


def look(array, expected):
    """Voxels of label 1: expected, in the mask, counted; its slices: expected, seen; what is seen without asking for a label."""
    assert (array.numpy() == expected).all()
    mask = expected == 1
    where = np.flatnonzero(mask.any(axis=(0, 1)))
    box, boxes, counts = array.bounding_boxes(label=1)[2], array.bounding_boxes(), array.voxel_counts()
    assert not (array.decompress(label=1) & ~mask).any() and np.allclose(array.centroids()[1], np.argwhere(mask).mean(axis=0))
    whole = counts[1] == mask.sum() and boxes[1][2] == slice(where[0], where[-1] + 1)
    near = np.allclose(array.centroids(label=1), array.centroids()[1])
    seen = int(array.decompress(label=1).sum()), int(array.voxel_counts(label=1)), box.stop - box.start
    return int(mask.sum()), int(where[-1] - where[0] + 1), *seen, bool(whole), near


print("crackle-codec", version("crackle-codec"))
joined = volume.remap({2: 1}, preserve_missing_labels=True)
seen = {
    "as it was": look(volume, labels),
    "2 made 1": look(joined, merged),
    "2 made 1, with pins": look(pinned.remap({2: 1}, preserve_missing_labels=True), merged),
    "2 made 1, condensed": look(joined.condense(), merged),
    "volume > 0": look(volume > 0, labels > 0),
}
for name, (count, depth, drawn, counted, slices, _, _) in seen.items():
    print(f"{name}: label 1 expected {count} voxels in {depth} slices, seen {drawn} in its mask, {counted} counted, {slices} slices")
each = [(int(label), int(mask.sum())) for label, mask in joined.each(crop=False)]
print("each(): expected [(0, 47104), (1, 3584), (3, 4608)], seen", each)
right = {"as it was", "2 made 1, condensed"}
raise SystemExit(
    any((row[0], row[0], row[1]) != row[2:5] or not row[6] for name, row in seen.items() if name in right)
    or not all(row[5] for row in seen.values())
    or seen["2 made 1"][:5] != (3584, 18, 1024, 1024, 4)
    or seen["2 made 1, with pins"][:4] != (3584, 18, 2560, 2560)
    or seen["volume > 0"][:4] != (8192, 20, 1536, 1536)
    or [count for label, count in each if label == 1] != [1024, 1024]
)
PYTHON
