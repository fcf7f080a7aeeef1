#!/usr/bin/env bash
# labelmerge 0.4.7, a BIDS app for merging brain atlases: more than 255 merged labels are written as fractions, so that voxels get the names of other regions.
# One would expect of it, which "combines the parcellations of multiple atlases into a single parcellation scheme", an image with the numbers of the table that
# is written beside it, and of merge_labels "a 3D labelmap with the merged label data".
# Seen, of a base atlas of 8 bits with 200 regions and one with 100 that lies over half of it: 300 names in the table, of 200 regions that still have voxels the
# image has 170 different values, 1.0, 2.17, 3.35, 4.52 and so on; rounded, 240 of 1600 voxels have another region's name, cut to whole numbers 800 of 1600.
# With a base atlas of 16 bits, or with 150 and 100 regions, all is right.
# Seen besides: of two base regions of one name, as left and right hippocampus are named alike beside a column for the side, the first has no voxel and no row;
# its docs name "overwritting any duplicate labels" of the base and the overlay atlas, not within one.
# No warning, and no issue that names it was found. (The numbers are made in 64 bits and saved with the base's header: NiBabel then scales them to fit 8 bits.)
# Volumes and connectivity are taken by the table: regions borrow from their neighbours in the list, which may lie in the other hemisphere.
# `wsss` does not use labelmerge.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "numpy==1.23.5" "nibabel==3.2.2" "pandas==1.5.3" "xarray==2022.12.0" "setuptools==80.9.0"
install --no-deps "labelmerge==0.4.7"
cd "$here"
OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

SCRIPT = Path(find_spec("labelmerge").submodule_search_locations[0]) / "workflow/scripts/labelmerge.py"


def merged(base, base_names, overlay, overlay_names, kind):
    """The numbers and the table, by the app's own step."""
    for name, array, names in (("base", base, base_names), ("overlay", overlay, overlay_names)):
        nib.save(nib.Nifti1Image(array.astype(kind), np.eye(4)), f"{name}.nii.gz")
        pd.DataFrame({"index": range(1, len(names) + 1), "name": names}).to_csv(f"{name}.tsv", sep="\t", index=False)
    files = ["base.nii.gz", "base.tsv", "overlay.nii.gz", "overlay.tsv", "merged.nii.gz", "merged.tsv"]
    subprocess.run([sys.executable, str(SCRIPT), *files], check=True, stderr=subprocess.DEVNULL)
    return np.asarray(nib.load("merged.nii.gz").dataobj), pd.read_csv("merged.tsv", sep="\t")


def regions(count, voxels, start):
    """So many regions in runs of voxels from a place on."""
    flat = np.zeros(20 * 20 * 4, int)
    flat[start : start + voxels] = np.arange(voxels) * count // voxels + 1
    return flat.reshape(20, 20, 4)


print("labelmerge", version("labelmerge"))
known = True
for kind, many, few, values, rounded, whole in ((np.uint8, 200, 100, 170, 240, 800), (np.int16, 200, 100, 200, 0, 0), (np.uint8, 150, 100, 175, 0, 0)):
    base, overlay = regions(many, 1600, 0), regions(few, 800, 800)
    numbers, table = merged(base, [f"b{n}" for n in range(many)], overlay, [f"o{n}" for n in range(few)], kind)
    names = dict(zip(table["index"], table["name"]))
    expected = [f"overlay o{o - 1}" if o else f"base b{b - 1}" for b, o in zip(base.ravel(), overlay.ravel())]
    wrong = [sum(names.get(int(n)) != name for n, name in zip(change(numbers.ravel()), expected)) for change in (np.round, np.trunc)]
    first = np.unique(numbers)[:4].round(2).tolist()
    print(f"{many} and {few} regions, {np.dtype(kind)}: expected {len(set(expected))} values, seen {len(np.unique(numbers))}: {first}")
    print(f"  expected 0 of {numbers.size} voxels with another name, seen {wrong[0]} rounded, {wrong[1]} cut to whole numbers")
    known &= len(table) == many + few and (len(np.unique(numbers)), *wrong) == (values, rounded, whole)

base, overlay = np.zeros((12, 4, 4), int), np.zeros((12, 4, 4), int)
base[1:3], base[4:6], base[7:9], overlay[10] = 1, 2, 3, 1
numbers, table = merged(base, ["hippocampus", "hippocampus", "thalamus"], overlay, ["line"], np.uint8)
kept = [int((numbers[base == n] > 0).sum()) for n in (1, 2)]
print(f"two base regions of one name: expected 32 and 32 voxels, seen {kept[0]} and {kept[1]}; {table['name'].tolist()}")
known &= not (numbers[base == 1] > 0).any() and (numbers[base == 2] > 0).all() and len(table) == 3
raise SystemExit(not known)
PYTHON
