#!/usr/bin/env bash
# darwin-py 3.6.3, the SDK of V7 Darwin: grey images of 16 bits are read as their lower byte alone, so that bright and dark are mixed.
# One would expect of load_pil_image, with which its data sets read images, and of convert_to_rgb what its docs say, an image of three channels with "Values
# between 0 and 255": 0 is black, 65535 white, and what is brighter stays brighter, as with the same image in 32 bits.
# Seen, of a ramp from 0 to 65500 over 656 columns, as PNG and as TIFF: the values modulo 256, so that 255 columns are darker than the one before; 300 becomes
# 44, 40000 becomes 64, and 256 black. Of 20 random smooth images the correlation with what is read is below 0.1 in all.
# Of a bright disk of 40000 on a ground of 1000, with noise of 300, the best threshold puts 51 to 52% of the pixels on the right side; of the same in
# 32 bits 100%. With 8 bits all are right.
# No warning, and its tracker does not name it. (The array is divided by 255, multiplied by 255, and cast to bytes, which here, on x86, takes
# the lower byte; 32 bits are divided by 65535.)
# Microscopes, X-ray and satellites give 16 bits: LocalDataset.get_image, its mean and standard deviation of channels, and its torch data sets read noise.
# `wsss prepare folder` takes the images themselves: 16 bits are scaled by the largest value of 8, 10, 12, 14 or 16 bits that holds all.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir --no-compile "darwin-py==3.6.3" "numpy==2.4.6" "pillow==12.3.0" "upolygon==0.2.3" \
  2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
HOME=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from darwin.dataset.utils import load_pil_image
from PIL import Image


def read(image, name="a.png"):
    """What darwin-py reads of an image written by Pillow, one of its three equal channels, and Pillow's mode of the file."""
    Image.fromarray(image).save(name)
    with Image.open(name) as file:
        mode = file.mode
    seen = np.array(load_pil_image(Path(name)))
    assert seen.dtype == np.uint8 and (seen == seen[..., :1]).all()
    return seen[..., 0], mode


def smooth(seed, size=64):
    """Waves of random length and direction, from 0 to 65535."""
    random = np.random.default_rng(seed)
    y, x = np.indices((size, size))
    image = sum(np.sin(random.uniform(0.02, 0.15) * x + random.uniform(0.02, 0.15) * y + random.uniform(0, 6)) for _ in range(4))
    return np.round((image - image.min()) / np.ptp(image) * 65535)


def told_apart(image, disk):
    """The best part of pixels that a threshold puts on the right side."""
    return max(max(((image >= t) == disk).mean(), ((image < t) == disk).mean()) for t in range(257))


print("darwin-py", version("darwin-py"))
known = True
ramp = np.repeat(np.arange(0, 65536, 100)[None], 8, 0)
for name, dtype, wanted in (("a.png", np.uint16, 256), ("a.tif", np.uint16, 256), ("a.tif", np.int32, 0)):
    seen, mode = read(ramp.astype(dtype), name)
    falls = int((np.diff(seen[0].astype(int)) < 0).sum())
    print(f"a ramp of 656 columns in {name}, mode {mode}: expected no column darker than the one before, seen {falls}")
    known &= abs(falls - wanted) <= 1
values = np.array([[0, 1, 44, 255, 256, 300, 511, 512, 32768, 40000, 65280, 65535]])
for dtype, wanted in ((np.uint16, values % 256), (np.int32, values // 257)):
    seen, mode = read(values.astype(dtype), "a.tif")
    print(f"{values[0].tolist()}, mode {mode}: expected {(values // 257)[0].tolist()}, seen {seen[0].tolist()}")
    known &= int(abs(seen.astype(int) - wanted).max()) <= 1

for dtype, name in ((np.uint16, "16"), (np.int32, "32"), (np.uint8, "8")):
    images = [smooth(seed) for seed in range(20)]
    images = [(image // 257 if name == "8" else image).astype(dtype) for image in images]
    likeness = [abs(np.corrcoef(image.ravel(), read(image, "a.tif")[0].ravel())[0, 1]) for image in images]
    print(f"20 smooth images of {name} bits: expected a correlation of 1, seen {min(likeness):.3f} to {max(likeness):.3f}")
    known &= max(likeness) < 0.1 if name == "16" else min(likeness) > 0.999

y, x = np.indices((64, 64))
disk = np.hypot(y - 32, x - 32) < 25.5
for dtype, name in ((np.uint16, "16"), (np.int32, "32")):
    images = [np.where(disk, 40000, 1000) + np.random.default_rng(seed).normal(0, 300, disk.shape) for seed in range(10)]
    parts = [told_apart(read(image.astype(dtype), "a.tif")[0], disk) for image in images]
    print(f"a bright disk in 10 images of {name} bits: expected 100% told apart, seen {min(parts):.0%} to {max(parts):.0%}")
    known &= max(parts) < 0.6 if name == "16" else min(parts) == 1
raise SystemExit(not known)
PYTHON
