"""Write the generated pages of docs/ from the program itself: `make docs`. A test fails if they have drifted."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from wsss_cli.app import build
from wsss_cli.commands.methods import recipe_template
from wsss_cli.plugins import methods

HERE = Path(__file__).parent


def commands() -> str:
    """Every command with its options, as Markdown."""
    app = typer.main.get_command(build())
    # prepare's own commands are those of the installed data sets: wsss prepare NAME --help
    every = {name: command for name, command in _flat(app) if not name.startswith("prepare")}
    shared = {p.name for p in every["seeds"].params}
    parts = ["# Commands\n\n`make docs` writes this page from the program's own help.\n"]
    sharing = "What `seeds`, `pseudo`, `train`, `infer`, `evaluate`, `export labels` and `check` share."
    parts += _section("The stage commands", sharing, every["seeds"].params)
    for name, command in every.items():
        of_stages = shared <= {p.name for p in command.params}
        own = [p for p in command.params if not (of_stages and p.name in shared)]
        parts += _section(f"wsss {name}", command.help or "", own)
    return "\n".join(parts)


def _flat(group: Any, above: str = "") -> list[tuple[str, Any]]:
    """Each command under its whole name, those of groups among them."""
    found = []
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found += _flat(command, f"{above}{name} ") if inner else [(f"{above}{name}", command)]
    return found


def _section(title: str, text: str, params: Sequence[Any]) -> list[str]:
    rows = [f"| `{_names(p)}` | {p.help or ''} |" for p in params if p.name != "help"]
    return [f"## {title}\n\n{text.strip()}\n", *(["| option | what |\n|---|---|", *rows, ""] if rows else [])]


def settings(method: str) -> str:
    """Every setting of a method with its default and source, as Markdown."""
    body = recipe_template(method)
    return f"# Settings of `{method}`\n\n`wsss methods {method} --template` prints this page.\n\n```yaml\n{body}```\n"


BACKBONES = ("resnet101d", "resnet101", "resnet50", "mobilenetv2_100", "convnext_tiny")
"""Of timm's, those that nets.md shows beside ours."""


def nets() -> str:
    """Every decode head and its options, and the parameters of each on common backbones, as Markdown."""
    from wsss_cli.nets.heads import HEADS
    from wsss_cli.nets.own import OWN

    rows = [f"| `{name}` | {d.paper} | {d.output_stride} | {_options(d.head_class())} |" for name, d in HEADS.items()]
    sizes = [f"| `{backbone}` | {' | '.join(_millions(backbone))} |" for backbone in (*BACKBONES, *OWN)]
    return (
        (HERE / "nets.template.md")
        .read_text(encoding="utf-8")
        .format(
            heads="\n".join(rows),
            columns=" | ".join(f"`{name}`" for name in HEADS),
            line="|".join("---" for _ in HEADS),
            sizes="\n".join(sizes),
        )
    )


def _options(head: type) -> str:
    """The options of a head with their defaults."""
    parameters = list(inspect.signature(head).parameters.values())[3:]
    return ", ".join(f"`{p.name}` {'by stride' if p.default is None else p.default}" for p in parameters)


def _millions(name: str) -> list[str]:
    """The parameters of the whole network with 21 outputs, in millions, for each head on that backbone."""
    import torch

    from wsss_cli.nets.backbones import Backbone
    from wsss_cli.nets.config import Net, build_head
    from wsss_cli.nets.heads import HEADS

    with torch.device("meta"):
        backbone = Backbone(name, 8 if name == "wideresnet38" else 32)  # the stride changes no tensor
        heads = [build_head(Net(head=head), backbone, 21) for head in HEADS]
    count = [sum(p.numel() for p in net.parameters()) for net in (backbone, *heads)]
    return [f"{(count[0] + head) / 1e6:.1f}" for head in count[1:]]


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
