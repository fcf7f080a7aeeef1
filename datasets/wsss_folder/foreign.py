"""Annotations of programs whose files are not read, so that they can be told by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from wsss_cli.data.image_files import files_below
from wsss_folder.documents import read_head

HEAD = 1 << 14  # bytes that tell
TRIED = 50  # files of a folder
SIGNS = (
    (r'"classTitle"\s*:|"classId"\s*:.*"geometryType"', "annotations of Supervisely"),  # without a meta.json
    (r'"imgHeight"\s*:.*"objects"\s*:', "polygons of Cityscapes"),
    (r'"annotations"\s*:\s*\[\s*\{[^\[\]]*"coordinates"\s*:\s*\{', "annotations of Create ML"),
    (r'"data_row"\s*:|"Labeled Data"\s*:', "labels of Labelbox"),
    (r'"slots"\s*:.*"annotations"\s*:', "annotations of V7 Darwin"),
    (r'"dm_format_version"|"items"\s*:\s*\[.*"attr"\s*:', "Datumaro's own format"),
    (r'"annotation"\s*:\s*\{.*"filename"\s*:.*"object"\s*:', "annotations of ADE20K"),
    (r"classification_id,.*subject_data", "classifications of Zooniverse"),
    (r"imagesource:|^[ \t]*(-?[\d.]+[ \t]+){8}[A-Za-z][\w-]*[ \t]+[012]\s*$", "oriented boxes of DOTA"),
)  # fmt: skip
ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".txt")
REMEDY = "export COCO JSON, or masks as PNG, there"


def what_annotations(path: Path) -> str:
    """ "annotations of Supervisely", ... by the beginning of a file; "" if that tells nothing."""
    head = read_head(path, HEAD)
    return next((name for sign, name in SIGNS if re.search(sign, head, re.DOTALL | re.MULTILINE)), "")


def foreign_files(folder: Path) -> Iterator[str]:
    """For each kind of foreign annotations below a folder, a sentence that names the first file."""
    seen = set()
    for path in islice(files_below(folder, ENDINGS), TRIED):
        what = what_annotations(path)
        if what and what not in seen:
            seen.add(what)
            yield f"{path} holds {what}, which are not read ({REMEDY})"
