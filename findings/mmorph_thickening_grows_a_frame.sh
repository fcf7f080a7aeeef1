#!/usr/bin/env bash
# mmorph 2.0.0, mathematical morphology for NumPy images, the successor of the SDC Morphology Toolbox: thickening grows a frame from the border of the image,
# and of an empty mask makes one that is not.
# One would expect of thickening, with its "homotopic" template, what its docs say, that it "repeatedly adds the pixels matched by a rotating template": pixels
# at the edge of objects, so that there are as many objects as before, and the same however much empty space there is around them.
# Seen, of an empty mask of 10 x 12 pixels after one round: 39 pixels. Of a rectangle of 9 x 14 pixels in the middle of 40 x 50: after 1 round 347 pixels, of
# which 175 belong to a frame that the rectangle does not touch, after 3 rounds 487, after 5 rounds 767. Of 20 images of 80 x 90 pixels with up to 8 objects, 3
# rounds make at least one more object in all 20, and all 20 change if 40 empty pixels are put around them, thickened, and taken away again; then none has more
# objects. conditional_thickening with a mask that allows all pixels does the same. No warning; no issue that names it was found, and the docs have no word of
# the border. (It seems that what lies outside the image counts as matching the template's ones.)  Dilation and conditional_dilation grow no frame.
# Objects thickened to regions, as seeds are, get a region that belongs to none of them, and those near the border run into it.
# `wsss` does not use mmorph.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "mmorph==2.0.0" "numpy==2.4.6" "pillow==11.3.0" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import mmorph
import numpy as np


def objects(mask):
    return int(mmorph.label(mask, 8).max())


print("mmorph", version("mmorph"))
empty = np.zeros((10, 12), bool)
seen = int(mmorph.thickening(empty, n=1).sum()), int(mmorph.conditional_thickening(empty, ~empty, n=1).sum())
others = int(mmorph.dilation(empty).sum()), int(mmorph.conditional_dilation(empty, ~empty, n=3).sum())
print(f"an empty mask, thickened once: expected 0 pixels, seen {seen[0]}, with a mask of all pixels {seen[1]}; dilated {others}")
known = seen == (39, 39) and others == (0, 0)

rectangle = np.zeros((40, 50), bool)
rectangle[15:24, 16:30] = True
frames = []
for rounds in (1, 3, 5):
    thick = mmorph.thickening(rectangle, n=rounds)
    own = mmorph.reconstruction_by_dilation(rectangle, thick, 8)
    frames.append(int((thick & ~own).sum()))
    print(f"a rectangle, {rounds} rounds: expected 1 object, seen {objects(thick)}; pixels that are not the rectangle's: expected 0, seen {frames[-1]}")
known &= frames == [175, 487, 767]

more = changed = padded = 0
for seed in range(20):
    random, mask = np.random.default_rng(seed), np.zeros((80, 90), bool)
    for _ in range(8):
        y, x = random.integers(12, 60, 2)
        mask[y : y + random.integers(2, 8), x : x + random.integers(2, 8)] = True
    thick = mmorph.thickening(mask, n=3)
    with_space = mmorph.thickening(np.pad(mask, 40), n=3)[40:-40, 40:-40]
    more += objects(thick) > objects(mask)
    padded += objects(with_space) != objects(mask)
    changed += bool((thick != with_space).any())
print(f"20 images: with more objects after 3 rounds expected 0, seen {more}; with other objects with space around {padded}; changed by the space {changed}")
raise SystemExit(not (known and (more, padded, changed) == (20, 0, 20)))
PYTHON
