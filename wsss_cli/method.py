"""The plugin API of methods: what a paper's package declares, as plain data with lazily imported functions.

# pyproject.toml    [project.entry-points."wsss.methods"]   mymethod = "my_package:METHOD"
METHOD = Method(name="mymethod", title="...", paper="...", supervision="tags", stages=(Stage("seeds", ...), ...))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wsss_cli.load_object import load_object

if TYPE_CHECKING:
    from wsss_cli.config import StageConfig

VERBS = ("seeds", "pseudo", "train")
"""The stages a method may declare; the host adds infer and evaluate."""


@dataclass(frozen=True)
class Stage:
    """One stage of a method.

    run     "package.module:function", called as function(job) -> what stage.json is to hold as its metrics, a flat dict
    config  "package.module:Class", a wsss_cli.config.StageConfig
    needs   the stages whose folders it reads, by name
    writes  the artefacts it leaves, sub-folders of the stage's folder: "cam", "labels", "confidence", "instances", ...
    """

    name: str
    run: str
    config: str
    needs: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def function(self) -> Callable[[Any], dict[str, Any]]:
        return load_object(self.run)

    def config_class(self) -> type[StageConfig]:
        return load_object(self.config)


@dataclass(frozen=True)
class Method:
    """A method: its name and paper, what labels it learns from, its stages, and how a trained network is used.

    stages     in the order in which they can run: each needs only earlier ones
    predictor  "package.module:function", called as function(checkpoint, job) with the Path of the train stage's
               checkpoint; returns a module that maps a normalised batch (B, 3, H, W) to logits (B, K, h, w).
    infer      "package.module:Class", the settings of the infer stage, if the method adds some to wsss_cli's Infer
    """

    name: str
    title: str
    paper: str
    supervision: Literal["tags", "boxes"]
    stages: tuple[Stage, ...]
    predictor: str
    infer: str = "wsss_cli.engine.infer:Infer"
    package: str = ""  # set by the host: the import package, where recipes/ lies

    def __post_init__(self) -> None:
        """Raises ValueError if the stages do not fit together."""
        earlier: list[str] = []
        for stage in self.stages:
            if stage.name not in VERBS or stage.name in earlier:
                raise ValueError(f"stage '{stage.name}': a method has each of {', '.join(VERBS)} at most once")
            if not set(stage.needs) <= set(earlier):
                raise ValueError(f"stage '{stage.name}' needs {stage.needs}, of which only {earlier} come before it")
            earlier.append(stage.name)

    def stage(self, name: str) -> Stage | None:
        return next((s for s in self.stages if s.name == name), None)

    def recipe(self, name: str) -> Path:
        """The path of a shipped recipe, whether or not it exists."""
        import importlib.util

        spec = importlib.util.find_spec(self.package)
        assert spec is not None and spec.origin is not None
        return Path(spec.origin).parent / "recipes" / f"{name}.yaml"

    def recipes(self) -> list[str]:
        return sorted(p.stem for p in self.recipe("x").parent.glob("*.yaml"))
