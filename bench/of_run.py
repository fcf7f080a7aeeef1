"""The command line of what looks into a finished run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from wsss_cli.data.prepared import Prepared, read_prepared


def command(main: Callable[[Prepared, Path], str]) -> None:
    """`python -m bench.NAME DATA RUN_FOLDER` prints the table of main(data, run)."""
    doc = sys.modules[main.__module__].__doc__
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("run", type=Path)
    asked = parser.parse_args()
    print(main(read_prepared(Path("data", asked.data)), asked.run))
