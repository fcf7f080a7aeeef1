#!/usr/bin/env bash
# Bio-Volumentations 1.4.0, augmentation of volumes: Resize and Rescale never smooth what they make smaller, and PoissonNoise makes images twice as bright.
# One would expect of anti_aliasing_downsample=True, the default, what its docs say: "Apply the Gaussian filter before down-sampling. Recommended."; the
# argument is said to be "forwarded" to scikit-image's resize, which with anti_aliasing gives something else than without.
# Seen, of noise of 16 x 64 x 64 voxels made four times smaller in each axis: with True and with False the same voxels, with a deviation of 0.099, by
# scikit-image 0.023 with anti_aliasing and 0.099 without. Of stripes 3 voxels apart, 64 voxels made 16: stripes of 0 and 0.5, 3 voxels apart again, where
# scikit-image leaves grey. Where one axis grows and the others shrink, as is done to make slices as thick as pixels, it smooths: the question is put the wrong
# way round, whether an axis is smaller than it shall be. A volume that only grows is the same either way, as it should be.
# One would expect of PoissonNoise, "Add Poisson noise to the image", what GaussianNoise, "Add Gaussian noise to the image", does: the image's mean stays.
# Seen, of an image of 50 everywhere: 100 on average, with a deviation of 7.07, the root of 50; an image of 5 is 10. (What is added is not the noise, but an
# image with it.) No warning of any of these.
# Patterns of pixels in large stacks come out as structures in small ones; and a network that saw Poisson noise in a part of its images saw them twice as bright.
# `wsss` does not use Bio-Volumentations.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --no-cache-dir "bio-volumentations==1.4.0" "numpy==2.4.6" "scipy==1.17.1" "scikit-image==0.26.0" \
  "SimpleITK==2.5.7" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
from bio_volumentations import Compose, GaussianNoise, PoissonNoise, Rescale, Resize, random_utils
from skimage.transform import resize


def transformed(transform, image):
    return Compose([transform])(image=image[None].copy())["image"][0]


print("bio-volumentations", version("bio-volumentations"))
known = True
noise = np.random.default_rng(0).random((16, 64, 64)).astype(np.float32)
stripes = np.broadcast_to((np.arange(64) % 3 == 0).astype(np.float32), (16, 64, 64))
for name, image, shape, smooths in (
    ("noise", noise, (4, 16, 16), False),
    ("noise", noise, (16, 16, 16), False),
    ("stripes", stripes, (16, 64, 16), False),
    ("noise", noise, (32, 16, 16), True),
    ("noise", noise, (32, 128, 128), None),
):
    seen = {given: transformed(Resize(shape=shape, anti_aliasing_downsample=given, always_apply=True), image) for given in (True, False)}
    right = {given: resize(image, shape, order=1, mode="reflect", anti_aliasing=given) for given in (True, False)}
    values = [[round(float(one[given].std()), 3) for given in (True, False)] for one in (right, seen)]
    print(f"{name} of {image.shape} to {shape}, with and without the filter: expected deviations of {values[0]}, seen {values[1]}")
    known &= np.allclose(seen[False], right[False], atol=1e-5)
    known &= np.allclose(seen[True], right[True], atol=1e-5) == (smooths is not False) and np.array_equal(seen[True], seen[False]) == (smooths is not True)
print("stripes to 16 voxels, a row with the filter:", np.round(transformed(Resize(shape=(16, 64, 16), always_apply=True), stripes)[0, 0], 1).tolist())
seen = [transformed(Rescale(scales=0.25, anti_aliasing_downsample=given, always_apply=True), noise) for given in (True, False)]
print(f"Rescale by 0.25: expected two images, seen the same voxels: {np.array_equal(*seen)}")
known &= np.array_equal(*seen)

random_utils.np_rng = np.random.default_rng(0)
for value in (50, 5):
    flat = np.full((8, 64, 64), value, np.float32)
    gaussian, poisson = (transformed(one, flat) for one in (GaussianNoise(var_limit=(value, value), always_apply=True), PoissonNoise(always_apply=True)))
    print(f"an image of {value}: expected a mean of {value}, seen {poisson.mean():.1f}, deviation {poisson.std():.2f}; by GaussianNoise {gaussian.mean():.1f}")
    known &= abs(poisson.mean() / value - 2) < 0.02 and abs(poisson.std() / value**0.5 - 1) < 0.02 and abs(gaussian.mean() / value - 1) < 0.02
raise SystemExit(not known)
PYTHON
