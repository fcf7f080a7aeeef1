"""`wsss datasets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option


def datasets(
    data_root: Annotated[Path, Option(help="folder of prepared data sets")] = Path("data"),
) -> None:
    """List the sources of data and the data sets that are prepared."""
    from wsss_cli import console, plugins
    from wsss_cli.data.prepared import read_info

    console.table("sources", ["wsss prepare ...", "what"], [[d.name, d.title] for d in plugins.datasets().values()])
    folders = [path.parent for path in sorted(data_root.glob("*/dataset.yaml"))]
    found = [read_info(folder) for folder in folders if folder.suffix != ".previous"]  # kept by `wsss check --fix`
    if not found:
        console.say(f"nothing is prepared in {data_root} yet")
        return
    rows = [[i.name, i.kind, str(len(i.classes)), i.masks or "-", i.source] for i in found]
    console.table("prepared", ["name", "kind", "classes", "masks", "from"], rows)
