#!/usr/bin/env bash
# Keras 3.15.1 with PyTorch as its backend: RandomRotation turns an image about its centre and its mask about another point.
# One would expect that the layer, given an image and its mask, as its docs show, turns them together: a mask cut from the image covers it still.
# Seen: a turn of 1 degree leaves an overlap (IoU) of 0.78, of 5 degrees 0.29, of 20 degrees none; no warning, and the image is right. (The backend's
# affine_transform swaps the two offsets in the matrix it is given, which the layer then uses for the masks; a caller's own tensor is changed as well.)
# With JAX as backend all overlap. So since Keras 3.6.0 at least: who trains on the pairs learns from masks that are beside their objects.
# `wsss` does not use Keras: it moves images and label maps by itself.
# It installs torch: about 6 GB in the temporary folder.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "keras==3.15.1" "torch==2.14.1" "jax==0.10.2" "numpy==2.4.0" 2>"$here/pip.log" ||
  { tail -3 "$here/pip.log"; exit 1; }
cat > "$here/turn.py" <<'PYTHON'
import sys

import keras
import numpy as np

mask = np.zeros((1, 120, 160, 1), np.uint8)
mask[0, 30:60, 20:70] = 1
image = np.repeat(mask, 3, axis=-1).astype(np.float32)  # white where the object is
seen = {}
for degrees in (1, 5, 20):
    layer = keras.layers.RandomRotation((degrees / 360, degrees / 360), fill_mode="constant", interpolation="nearest")
    turned = layer({"images": image.copy(), "segmentation_masks": mask.copy()}, training=True)
    white = keras.ops.convert_to_numpy(turned["images"])[0, ..., 0] > 0.5
    marked = keras.ops.convert_to_numpy(turned["segmentation_masks"])[0, ..., 0] > 0.5
    seen[degrees] = round(float((white & marked).sum() / (white | marked).sum()), 2)
print(f"keras {keras.__version__}, {keras.backend.backend()}: overlap after 1, 5, 20 degrees expected 1.0, seen", *seen.values())
raise SystemExit(seen != ({1: 1.0, 5: 1.0, 20: 1.0} if sys.argv[1] == "right" else {1: 0.78, 5: 0.29, 20: 0.0}))
PYTHON
cd "$here"
KERAS_HOME=$here KERAS_BACKEND=jax venv/bin/python turn.py right 2>>warnings
KERAS_HOME=$here KERAS_BACKEND=torch venv/bin/python turn.py wrong 2>>warnings
