"""Which files of a folder are images, by their names."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

KINDS = "jpg jpeg jpe jfif png bmp dib tif tiff webp gif ppm pgm pbm pnm jp2 j2k avif heic heif jxl"
ENDINGS = frozenset(f".{kind}" for kind in KINDS.split())


def files_below(root: Path, endings: Collection[str], leave_out: Collection[Path] = ()) -> Iterator[Path]:
    """Every file below root with one of the endings that is not hidden, through links to folders too, in order."""
    seen = {os.path.realpath(path) for path in leave_out}
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__MACOSX")))
        wanted = (name for name in files if os.path.splitext(name)[1].lower() in endings)  # noqa: PTH122  quicker
        yield from (Path(folder, name) for name in sorted(wanted) if not name.startswith("."))
