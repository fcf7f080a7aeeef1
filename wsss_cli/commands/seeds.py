"""`wsss seeds`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from wsss_cli.commands.options import RunOptions, Words, stage_command
from wsss_cli.errors import WsssError

Prompts = Annotated[
    Path | None, Option("--prompt-file", help="YAML, other words for classes, {class: words} (clipes: seeds.names)")
]


@stage_command
def seeds(words: Words = None, prompt_file: Prompts = None, *, options: RunOptions) -> None:
    """Make seeds: class activation maps from image tags or boxes."""
    from wsss_cli.commands.stage import run_stage

    own: dict[str, Any] = {} if prompt_file is None else {"seeds": {"names": read_prompts(prompt_file)}}
    run_stage("seeds", words, options, own)


def read_prompts(path: Path) -> dict[str, Any]:
    """What the file says of classes: it becomes a setting, so that a changed file is noticed.

    Raises WsssError: no such file, or no YAML mapping.
    """
    from wsss_cli.config import read_yaml

    if not path.is_file():
        raise WsssError(f"there is no file {path}", "--prompt-file wants lines such as `aeroplane: a passenger jet`")
    return read_yaml(path)
