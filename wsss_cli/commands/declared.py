"""The options that methods declare for a stage, among those of its command, and the settings that they stand for."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

from typer import Option
from typer.models import OptionInfo

from wsss_cli.errors import WsssError
from wsss_cli.method import INFER, VERBS, Method, Stage, StageOption

SCORED = "evaluate"
COMMANDS = (*VERBS, INFER.name, SCORED)

Declared = dict[str, list[tuple[str, StageOption]]]
"""By name "--weights", of each method that declares it the name and what it says of it."""


def with_declared(verb: str, command: Callable[..., None]) -> Callable[..., None]:
    """The command of a stage with the options that the installed methods declare for it, under `declared`.

    They are only looked up when the command is wanted, so that `wsss --help` stays quick.
    """
    wanted = verb in sys.argv or any(name.endswith("_COMPLETE") for name in os.environ)
    if verb not in COMMANDS or not wanted:
        return command
    own = inspect.signature(command).parameters.values()
    found = {_parameter_name(name): (name, said) for name, said in _free(own, declared(verb)).items()}

    def run(**values: Any) -> None:
        given = {name: values.pop(key) for key, (name, _) in found.items()}
        command(**values, declared={name: value for name, value in given.items() if value is not None})

    parameters = [*own, *(_parameter(key, name, said) for key, (name, said) in found.items())]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__doc__ = command.__doc__
    return run


def declared(verb: str) -> Declared:
    """What the installed methods declare for a command."""
    from wsss_cli.plugins import methods

    found: Declared = {}
    for method in methods().values():
        for option in options_of(method, verb):
            found.setdefault(option.name, []).append((method.name, option))
    return found


def options_of(method: Method, verb: str) -> list[StageOption]:
    """What one method declares for a command; each once, though several stages may have it."""
    stages = method.all_stages() if verb == SCORED else _stages_to(method, verb)
    every = [option for stage in stages for option in stage.options if _takes(verb, stage, option)]
    return list({option.name: option for option in every}.values())


def _takes(verb: str, stage: Stage, option: StageOption) -> bool:
    """Whether a command takes the option of a stage that it runs or scores, or that these are made from."""
    return option.scored if verb == SCORED else stage.name == verb or option.later


def declared_settings(method: Method, target: str, given: Mapping[str, str]) -> dict[str, Any]:
    """{stage: {key: value}} that given options stand for.

    target  the stage, or of scores "evaluate" or "evaluate-STAGE"
    Raises WsssError for an option that the method does not declare there.
    """
    from wsss_cli.config import at, merge

    verb, _, source = target.partition("-")
    stages = _stages_to(method, source or INFER.name if verb == SCORED else verb)
    found: dict[str, Any] = {}
    for name, value in given.items():
        stage, option = _declares(method, stages, verb, name)
        found = merge(found, at(f"{stage}.{option.setting}", value))
    return found


def _stages_to(method: Method, target: str) -> list[Stage]:
    """A stage, and those that it is made from, the nearest first."""
    stages: dict[str, Stage] = {}
    waiting = [target]
    for name in waiting:
        stage = method.stage(name)
        if stage is not None and name not in stages:
            stages[name] = stage
            waiting += stage.needs
    return list(stages.values())


def _declares(method: Method, stages: Sequence[Stage], verb: str, name: str) -> tuple[str, StageOption]:
    for stage in stages:
        for option in stage.options:
            if option.name == name and _takes(verb, stage, option):
                return stage.name, option
    able = ", ".join(owner for owner, _ in declared(verb).get(name, []))
    raise WsssError(f"method '{method.name}' has no option {name} here", f"`wsss {verb}` takes it with: {able}")


def _free(own: Iterable[inspect.Parameter], found: Declared) -> Declared:
    """Without those that the host has itself, which a warning names."""
    from wsss_cli.console import warn

    taken = {"--help", *(name for p in own for name in _names(p))}
    for name in sorted(taken & found.keys()):
        owners = ", ".join(owner for owner, _ in found.pop(name))
        warn(f"plugin '{owners}' declares {name}, which is the toolkit's own: it is left out")
    return found


def _names(parameter: inspect.Parameter) -> list[str]:
    """The names of a command's option: those that it is given, or that of the parameter."""
    info = next((m for m in get_args(parameter.annotation) if isinstance(m, OptionInfo)), None)
    if info is None:
        return []
    given = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]  # typer: the first
    return [part for name in given or [f"--{parameter.name.replace('_', '-')}"] for part in name.split("/")]


def _parameter_name(option: str) -> str:
    """One that is no word of Python's and no host's."""
    return f"option_{option.removeprefix('--').replace('-', '_')}"


def _parameter(key: str, name: str, said: Sequence[tuple[str, StageOption]]) -> inspect.Parameter:
    """One option, of however many methods: any value if one of them takes any."""
    choices = tuple(dict.fromkeys(c for _, option in said for c in option.choices))
    kind: Any = Literal[choices] if all(option.choices for _, option in said) else str
    texts = dict.fromkeys(option.help for _, option in said)
    owners = {text: ", ".join(owner for owner, option in said if option.help == text) for text in texts}
    about = "; ".join(f"{text} ({owners[text]})" for text in texts)
    metavar = next((option.metavar for _, option in said if option.metavar), None)
    annotation = Annotated[kind | None, Option(name, help=about, metavar=metavar)]
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
