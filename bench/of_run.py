"""The command line of what looks into finished runs."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from wsss_cli import checkout
from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.files import write_text


def command(main: Callable[[Prepared, Path], str], words: Sequence[str] | None = None) -> None:
    """`python -m bench.NAME DATA RUN_FOLDER...` prints the tables of main(data, run), or writes them to --output."""
    module = sys.modules[main.__module__]
    parser = argparse.ArgumentParser(description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("run", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, help="a Markdown page, which says how it was made")
    words = sys.argv[1:] if words is None else words
    asked = parser.parse_args(words)
    data = read_prepared(Path("data", asked.data))
    found = "\n\n".join(f"## {run}\n\n{main(data, run)}" for run in asked.run)
    if not asked.output:
        print(found)
        return
    title, name = (module.__doc__ or "").partition("\n")[0].rstrip("."), Path(module.__file__ or "").stem
    how = [f"made by python -m bench.{name} {shlex.join(words)}", f"ground truth: {data.info.masks}"]
    how.append(f"commit of the bench: {checkout.code()}")
    write_text(asked.output, f"# {title}\n\n{'; '.join(how)}\n\n{found}\n")
