"""Write the generated pages of docs/ from the program itself: `make docs`. A test fails if they have drifted."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from wsss_cli.app import build
from wsss_cli.commands.declared import COMMANDS, options_of
from wsss_cli.commands.methods import recipe_template
from wsss_cli.commands.prepare import command
from wsss_cli.plugins import datasets, methods

HERE = Path(__file__).parent


def commands() -> str:
    """Every command with its options, as Markdown."""
    app = typer.main.get_command(build())
    every = {name: command for name, command in _flat(app) if name != "prepare"}
    shared = {p.name for p in every["seeds"].params}
    more = "Methods have options of their own: `wsss train --help` shows those of the installed ones."
    parts = [f"# Commands\n\n`make docs` writes this page from the program's own help.\n\n{more}\n"]
    sharing = "What `seeds`, `pseudo`, `train`, `infer`, `evaluate`, `export labels` and `check` share."
    parts += _section("The stage commands", sharing, every["seeds"].params)
    parts += _preparing()
    for name, one in every.items():
        of_stages = shared <= {p.name for p in one.params}
        own = [p for p in one.params if not (of_stages and p.name in shared)]
        parts += _section(f"wsss {name}", one.help or "", own)
    return "\n".join(parts)


def _preparing() -> list[str]:
    """`wsss prepare`: what it has for every source, then what each has of its own."""
    group = typer.Typer()
    for source in datasets().values():
        group.command(source.name, help=source.title)(command(source))
    sources = typer.main.get_command(group).commands  # type: ignore[attr-defined]
    common = set.intersection(*({(p.name, p.help) for p in source.params} for source in sources.values()))
    first = next(iter(sources.values()))
    shared = [p for p in first.params if (p.name, p.help) in common]
    parts = _section("wsss prepare", "What it has for every source.", shared)
    for name, source in sources.items():
        own = [p for p in source.params if (p.name, p.help) not in common]
        parts += _section(f"wsss prepare {name}", source.help or "", own)
    return parts


def _flat(group: Any, above: str = "") -> list[tuple[str, Any]]:
    """Each command under its whole name, those of groups among them, and groups that do something by themselves."""
    found = []
    for name, one in group.commands.items():
        inner = hasattr(one, "commands")
        found += [(f"{above}{name}", one)] if not inner or one.invoke_without_command else []
        found += _flat(one, f"{above}{name} ") if inner else []
    return found


def _section(title: str, text: str, params: Sequence[Any]) -> list[str]:
    rows = [f"| `{_names(p)}` | {p.help or ''} |" for p in params if p.name != "help"]
    return [f"## {title}\n\n{text.strip()}\n", *(["| option | what |\n|---|---|", *rows, ""] if rows else [])]


def settings(method: str) -> str:
    """Every setting of a method with its default and source, as Markdown."""
    body = recipe_template(method)
    head = f"# Settings of `{method}`\n\n`wsss methods {method} --template` prints this page.\n"
    return f"{head}{_options_of_its_own(method)}\n```yaml\n{body}```\n"


def _options_of_its_own(method: str) -> str:
    """The settings that have an option on the command line."""
    rows = [
        f"| `{option.name}` | `wsss {verb}` | {option.help} |"
        for verb in COMMANDS
        for option in options_of(methods()[method], verb)
    ]
    return "\n" + "\n".join(["| option | of | what |", "|---|---|---|", *rows]) + "\n" if rows else ""


BACKBONES = ("resnet50c", "resnet101c", "resnet101d", "res2net101d", "hrnet_w18", "mobilenetv2_100", "convnext_tiny")
"""Those of which nets.md shows every head."""


def nets() -> str:
    """Every decode head and its options, the size of each on common backbones, published scores, as Markdown."""
    from wsss_cli.nets.heads.table import HEADS
    from wsss_cli.nets.sizes.figures import OUTPUTS, SIDE

    rows = [f"| `{name}` | {d.paper} | {d.output_stride} | {_options(d.head_class())} |" for name, d in HEADS.items()]
    return (
        (HERE / "nets.template.md")
        .read_text(encoding="utf-8")
        .format(
            heads="\n".join(rows),
            columns=" | ".join(f"`{name}`" for name in BACKBONES),
            line="|".join("---" for _ in BACKBONES),
            sizes="\n".join(f"| `{head}` | {' | '.join(_size(name, head) for name in BACKBONES)} |" for head in HEADS),
            outputs=OUTPUTS,
            side=SIDE,
            own="\n".join(_published_on(head) for head in HEADS if HEADS[head].backbones[0] not in BACKBONES),
            scores="\n".join(_scores()),
        )
    )


def _options(head: type) -> str:
    """The options of a head with their defaults."""
    parameters = list(inspect.signature(head).parameters.values())[3:]
    return ", ".join(f"`{p.name}` {_default(p.default)}" for p in parameters)


def _default(value: Any) -> str:
    if value is None:
        return "as published"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value).lower()


def _size(backbone: str, head: str) -> str:
    """Millions of parameters and 10^9 operations, or a dash where the two do not go together."""
    from wsss_cli.nets.sizes.figures import figures

    figure = figures()[backbone].get(head)
    return f"{figure.params:.1f} / {figure.gflops:.0f}" if figure else "-"


def _published_on(head: str) -> str:
    """A head on the backbones that it was published on, where the table shows none of them."""
    from wsss_cli.nets.heads.table import HEADS

    return f"* `{head}`: " + ", ".join(f"`{name}` {_size(name, head)}" for name in HEADS[head].backbones)


def _scores() -> list[str]:
    """The published scores, a row for each network."""
    from wsss_cli.nets.sizes.figures import VOC_SCORES

    return [
        f"| `{head}` | `{backbone}` | {a:.2f} / {b:.2f} | {c:.2f} / {d:.2f} |"
        for head, scores in VOC_SCORES.items()
        for backbone, (a, b, c, d) in scores.items()
    ]


def pages() -> dict[str, str]:
    """The generated pages by file name."""
    ours = [name for name, method in methods().items() if (HERE.parent / "methods" / method.package).is_dir()]
    return {"commands.md": commands(), "nets.md": nets(), **{f"{name}.md": settings(name) for name in ours}}


def _names(parameter: Any) -> str:
    opts = [*getattr(parameter, "opts", []), *getattr(parameter, "secondary_opts", [])]
    if getattr(parameter, "param_type_name", "") == "argument":
        return str(getattr(parameter, "metavar", None) or getattr(parameter, "name", ""))
    return ", ".join(sorted(opts, key=len, reverse=True))


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).write_text(text, encoding="utf-8")
        print(f"docs/{file}")
