"""What the shell completes: names that are installed or on disk. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer


def methods(incomplete: str) -> list[str]:
    from wsss_cli.plugins import methods

    return _beginning(methods(), incomplete)


def data(ctx: typer.Context, incomplete: str) -> list[str]:
    root = _folder(ctx, "data_root", "data")
    return _beginning((p.parent.name for p in root.glob("*/dataset.yaml")), incomplete)


def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of runs, of whatever data set and method."""
    root = _folder(ctx, "runs_root", "runs")
    return _beginning({p.parent.name for p in root.glob("*/*/*/run.yaml")}, incomplete)


def recipes(ctx: typer.Context, incomplete: str) -> list[str]:
    """The recipes of the method that is named on the line, or of every method."""
    from wsss_cli.plugins import methods

    words = [*(ctx.params.get("words") or []), *ctx.args]  # args: before an option that still lacks its value
    chosen = [m for name, m in methods().items() if name in words] or list(methods().values())
    return _beginning({recipe for m in chosen for recipe in m.recipes()}, incomplete)


def heads(incomplete: str) -> list[str]:
    from wsss_cli.nets.heads.table import HEADS

    return _beginning(HEADS, incomplete)


def backbones(incomplete: str) -> list[str]:
    from wsss_cli.nets.sizes.figures import figures

    return _beginning(figures(), incomplete)


def _folder(ctx: typer.Context, option: str, default: str) -> Path:
    return Path(ctx.params.get(option) or default)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
