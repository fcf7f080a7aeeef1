"""A folder in which `wsss` runs a method on twelve small scenes, with settings that take seconds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from processes import Wsss


def shapes_and_recipe(folder: Path, recipe: Mapping[str, Any]) -> Wsss:
    """The command in `folder`, with the data set prepared and the recipe beside it as tiny.yaml."""
    (folder / "tiny.yaml").write_text(yaml.safe_dump(dict(recipe)), encoding="utf-8")
    command = Wsss(folder, ())
    done = command("prepare", "shapes", "--train", 12, "--val", 6, "--size", 64)
    assert done.code == 0, done.text
    return command
