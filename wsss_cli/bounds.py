"""How large a number may be, for all settings: what lies beyond is a slip of the pen, or takes a machine's memory.

A released setting, and any that somebody may try, lies far within.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

SEED = 2**32 - 1  # numpy's generators take 32 bits
EPOCHS = 100_000  # 1,000 times the longest released training
STEPS = 1_000_000_000  # iterations: at ten a second, three years
BATCH = 65_536  # images at once
REPEATS = 1_000  # of a refinement that settles within tens
SIDE = 16_384  # pixels: a square of it is 268 million pixels, 3 GB in float32
SMALLEST = 32  # pixels of a photo's longer side: in less, no network sees anything
CHANNELS = 65_536  # of a layer: a square of it is 17 GB
SHARES = 1_000  # pixels, on maps of stride 4 and the like
RATE = 10.0  # learning rate: float32 overflows soon at more
FACTOR = 10_000.0  # on a rate, a loss or a probability
POWER = 100.0  # of a number in 0..1: more is 0
DISTANCE = 10_000.0  # pixels or grey levels of a Gaussian
MINUTES = 100_000.0  # 70 days
RADIUS = 32  # pixels on the map of stride 4: pairs grow with its square, 3,200 a pixel at 32
DOUBLINGS = 16  # of a walk's steps: after 65,536 it has come to rest
MEGAPIXELS = 178.956970  # of an image, unless set otherwise: where Pillow takes a file for a bomb
PIXEL = 24  # bytes that a stage takes for each of an image: decoded and copied 2 x 3, in float32 12, labels and CAMs 6
WORKERS = 256  # processes of one rank
COUNT = 100_000_000  # images to draw or to set aside


@cache
def memory() -> int:
    """Bytes that the machine has, or that its container may take."""
    try:
        here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limit = Path("/sys/fs/cgroup/memory.max").read_text()
    except (AttributeError, ValueError):  # Windows
        return 2**63
    except OSError:
        return here
    return min(here, int(limit)) if limit.strip().isdigit() else here


def too_large(width: int, height: int) -> str:
    """Why no stage can read a picture of that size here; "" if one can."""
    needed = width * height * PIXEL
    if needed <= memory():
        return ""
    return f"a stage takes {needed / 2**30:,.0f} GiB for it, and there are {memory() / 2**30:,.0f} GiB of memory"
