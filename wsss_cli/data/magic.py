"""What a file is by its first bytes, for messages: a name that lies, or a format that needs another program."""

from __future__ import annotations

import re

HEAD = 4096  # bytes that tell
SIGNS = (
    (rb"\x89HDF\r\n", "an HDF5 file"),
    (rb"PK\x03\x04.*?xl/", "an Excel workbook"),
    (rb"PK\x03\x04.*?\[Content_Types\]", "an Office document"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"%PDF", "a PDF"),
    (rb"MATLAB 5.0", "a MATLAB file"),
    (rb"PAR1", "a Parquet table"),
    (rb"\x93NUMPY", "a NumPy array (.npy)"),
    (rb".{128}DICM", "a DICOM file"),
    (rb"\x5c\x01\x00\x00|.{344}(n\+1|ni1)\x00", "a NIfTI volume"),
    (rb"version https://git-lfs", "a Git LFS pointer: the file itself was never fetched"),
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", "a HEIC picture"),
    (rb"....ftypavi[fs]", "an AVIF picture"),
    (rb"....ftypcrx |II\*\x00.{4}CR\x02|FUJIFILMCCD-RAW", "a camera's raw picture"),
    (rb"....ftyp", "a video"),
    (rb"\s*(<!doctype html|<html)", "a web page"),
    (rb"\s*(<\?xml.*?)?<svg", "an SVG drawing"),
)
PLUGINS = {"a HEIC picture": ("pillow_heif", "pillow-heif"), "a JPEG XL picture": ("pillow_jxl", "pillow-jxl-plugin")}
"""The module that teaches Pillow a format, and the package it comes in."""


def what_is(head: bytes) -> str:
    """ "an Excel workbook", "a web page", ... by the first bytes of a file; "" if they tell nothing."""
    for sign, name in SIGNS:
        if re.match(sign, head[:HEAD], re.DOTALL | re.IGNORECASE):
            return name
    return ""
