#!/usr/bin/env bash
# mdai 0.16.0, MD.ai's client for annotated medical images: a DICOM image's rescale slope is cut to a whole number, and its grey values wrap round.
# One would expect of load_dicom_array what it says, "applies slope and intercept transformation", which DICOM has as decimal numbers: a PET slice's say how
# much activity a stored step is, and are often below 1; and of load_dicom_image(rescale=True), whose images get_image_ground_truth hands out, that what is
# brighter stays brighter, as "rescaling for visualization" has it.
# Seen, of a slice with values 0 to 9950 and a slope of 0.37: every value is 0, with a slope of 1.98 about half of the right one, and of an intercept of -0.5
# nothing is left; with whole numbers, as in most CT, all is right. Of 100 slices with slopes drawn from 0.1 to 4, as PET and MR have, 21 are all 0, and in the
# others the values are 2% to 50% too low, from slice to slice by another share.
# Seen besides: an image of values 1000 to 3000, rescaled for view, becomes 127 at the darkest, 255 at half of the way, then begins at 0 again and ends at 126:
# the brightest is darker than the darkest. Images whose least value is 0 are right.
# No warning, and no issue that names it was found. (int() of both; the greatest value is divided by the range, not the value less the least one.)
# Uptake (SUV) and MR intensities are wrong by another factor in each slice, or blank; a network is trained with images in which bone may be black.
# `wsss` does not use mdai.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip install --quiet --no-cache-dir "$@" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }; }
install "numpy==2.4.6" "opencv-python-headless==4.13.0.92" "pandas==2.3.3" "pydicom==3.0.2" "dicom2nifti==2.6.2" "nibabel==5.4.2" "matplotlib==3.11.2" \
  "requests==2.34.2" "arrow==1.4.0" "retrying==1.4.2" "tqdm==4.70.1" "PyYAML==6.0.4" "scikit-image==0.26.0" "pillow==11.3.0"
install --no-deps "mdai==0.16.0"
cd "$here"
MPLBACKEND=agg MPLCONFIGDIR=$here OMP_NUM_THREADS=1 "$here/venv/bin/python" - <<'PYTHON' 2>warnings
from importlib.metadata import version

import numpy as np
import pydicom
from mdai.utils.transforms import load_dicom_array
from mdai.visualize import load_dicom_image
from pydicom.uid import ExplicitVRLittleEndian, PositronEmissionTomographyImageStorage, generate_uid


def dicom(values, slope=None, intercept=0):
    """A slice of 16 bits, written to a file and read again."""
    image = pydicom.Dataset()
    image.SOPClassUID, image.SOPInstanceUID = PositronEmissionTomographyImageStorage, generate_uid(entropy_srcs=["a"])
    image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = *values.shape, 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 1
    if slope is not None:
        image.RescaleSlope, image.RescaleIntercept = str(slope), str(intercept)
    image.PixelData = values.astype("<i2").tobytes()
    image.file_meta = pydicom.dataset.FileMetaDataset()
    image.file_meta.TransferSyntaxUID, image.file_meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, image.SOPClassUID
    image.save_as("slice.dcm", enforce_file_format=True)
    return pydicom.dcmread("slice.dcm")


print("mdai", version("mdai"))
known = True
values = np.arange(0, 10000, 50).reshape(10, 20)
for slope, intercept, right in ((1, -1024, True), (2, 0, True), (0.37, 0, False), (1.98, 0, False), (1, -0.5, False)):
    seen, wanted = load_dicom_array(dicom(values, slope, intercept)), values * slope + intercept
    print(f"slope {slope}, intercept {intercept}: expected {wanted.min():.1f} to {wanted.max():.1f}, seen {seen.min():.1f} to {seen.max():.1f}")
    known &= bool(np.allclose(seen, wanted)) == right
    known &= bool((seen == 0).all()) == (slope == 0.37)
random = np.random.default_rng(0)
blank, shares = 0, []
for _ in range(100):
    slope = round(float(random.uniform(0.1, 4)), 4)
    seen = load_dicom_array(dicom(values, slope))
    blank += not seen.any()
    if seen.any():
        shares.append(100 * (1 - float(seen.max() / (values.max() * slope))))
print(f"100 slices: expected 0 blank, seen {blank}; the values of the others too low by {min(shares):.0f}% to {max(shares):.0f}%, expected 0%")
known &= blank > 10 and max(shares) > 40

values = np.linspace(1000, 3000, 11).astype(int).reshape(1, 11)
dicom(values)
seen = load_dicom_image("slice.dcm", rescale=True).ravel().tolist()
wanted = ((values - 1000) / 2000 * 255).astype(int).ravel().tolist()
print(f"values {values.min()} to {values.max()} for view: expected {wanted}, seen {seen}")
known &= seen != sorted(seen) and seen[-1] < seen[0]
dicom(values - 1000)
known &= load_dicom_image("slice.dcm", rescale=True).ravel().tolist() == wanted
raise SystemExit(not known)
PYTHON
