"""`wsss methods`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from wsss_cli.commands import complete

if TYPE_CHECKING:
    from wsss_cli.method import Stage


def methods(
    name: Annotated[
        str | None,
        Argument(help="a method, to see its stages, recipes and settings", autocompletion=complete.methods),
    ] = None,
    template: Annotated[bool, Option("--template", help="print every setting as a YAML recipe")] = False,
) -> None:
    """List the methods, or describe one."""
    from wsss_cli import console, plugins

    if name is None:
        rows = [
            [m.name, m.supervision, ", ".join(s.name for s in m.stages), m.paper] for m in plugins.methods().values()
        ]
        console.table("", ["method", "learns from", "stages", "paper"], rows)
        return
    if template:
        print(recipe_template(name))
        return
    method = plugins.method(name)
    console.say(f"{method.title} ({method.paper}); learns from {method.supervision}")
    console.table(
        "stages",
        ["stage", "needs", "writes"],
        [
            [s.name, ", ".join(s.needs) or "-", ", ".join(a.folder for a in s.writes) or _unsaid(s)]
            for s in method.stages
        ],
    )
    for stage in method.all_stages():
        for option in stage.options:
            console.say(f"{option.name} of wsss {stage.name}: {option.help} ({stage.name}.{option.setting})")
    console.say(f"recipes: {', '.join(method.recipes()) or 'none'}; every setting: wsss methods {name} --template")


def _unsaid(stage: Stage) -> str:
    """What a stage writes that declares no artefact: a network, if it trains it."""
    return "checkpoint" if stage.name == "train" else "-"


def recipe_template(name: str) -> str:
    """Every setting of a method's stages and of the host's, with defaults and comments, as YAML."""
    from wsss_cli.config import template
    from wsss_cli.plan import stages_of
    from wsss_cli.plugins import method

    chain = [s for key, s in stages_of(method(name)).items() if "-" not in key]
    return "".join(f"{s.name}:\n{template(s.config_class(), indent='  ')}" for s in chain)
