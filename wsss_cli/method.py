"""The plugin API of methods: what a paper's package declares, as plain data with lazily imported functions.

# pyproject.toml    [project.entry-points."wsss.methods"]   mymethod = "my_package:METHOD"
METHOD = Method(name="mymethod", title="...", paper="...", supervision="tags", stages=(Stage("seeds", ...), ...))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from wsss_cli.errors import WsssError, brief
from wsss_cli.load_object import load_class, load_object

if TYPE_CHECKING:
    from wsss_cli.choices.choice import Proposal
    from wsss_cli.choices.fingerprint import Fingerprint
    from wsss_cli.config import StageConfig

VERBS = ("seeds", "pseudo", "train")
"""The stages a method may declare; the host adds infer and evaluate."""


Supervision = Literal["tags", "boxes"]
Kind = Literal["labels", "cam", "scores", "confidence", "instances", "file"]


@dataclass(frozen=True)
class Artefact:
    """What a stage leaves of its images, in a sub-folder of its own.

    kind     labels: label maps <id>.png, which are scored; cam: CAMs <id>.npz, whose best background score is looked
             for; scores: <id>.npz of which label maps are made by a background score, the best one looked for as well;
             confidence: masks <id>.png; instances: instances.json; file: a file of that name
    folder   the sub-folder
    title    of further label maps: what scores call them, after "pseudo-label, "
    refined  label maps that a dense CRF has refined
    background  of CAMs and scores: the setting that their background score is, "pseudo.walk.background"; "" if none is
    read     of scores: "package.module:function", called as function(path) -> the Cam whose `full` labels are made of
    """

    kind: Kind
    folder: str
    title: str = ""
    refined: bool = False
    background: str = ""
    read: str = "wsss_cli.cam.store:read_cam"

    def reader(self) -> Callable[[Path], Any]:
        return load_object(self.read)


CAMS = Artefact("cam", "cam")
LABELS = Artefact("labels", "labels")
REFINED = Artefact("labels", "labels_crf", refined=True)
CONFIDENCE = Artefact("confidence", "confidence")
INSTANCES = Artefact("instances", "instances")


@dataclass(frozen=True)
class StageOption:
    """A setting of a stage that has an option of its own on the command line.

    name     "--confidence"
    setting  its key in the stage's settings: "confidence", "loop.epochs"
    choices  the values it may have; () for any
    metavar  what its value is, for the help
    scored   `wsss evaluate` takes it too, where what it changes is scored
    later    so do the commands of the stages that are made from this one
    """

    name: str
    setting: str
    help: str
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    scored: bool = False
    later: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a name that is no option's."""
        if not re.fullmatch(r"--[a-z][a-z0-9]*(-[a-z0-9]+)*", self.name):
            raise ValueError(f"option '{self.name}': give lower case words, such as --my-option")


@dataclass(frozen=True)
class Stage:
    """One stage of a method.

    run      "package.module:function", called as function(job) -> what stage.json holds as its metrics, a flat dict
    config   "package.module:Class", a wsss_cli.config.StageConfig
    needs    the stages whose folders it reads, by name
    writes   the artefacts it leaves in the stage's folder; `wsss evaluate` scores the label maps and CAMs among them
    options  those of its settings that have an option of their own
    """

    name: str
    run: str
    config: str
    needs: tuple[str, ...] = ()
    writes: tuple[Artefact, ...] = ()
    options: tuple[StageOption, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError if an artefact is not said to be of a kind."""
        for artefact in self.writes:
            if not isinstance(artefact, Artefact):
                raise ValueError(f"stage '{self.name}' writes {artefact!r}: give an Artefact, such as LABELS")

    def function(self) -> Callable[[Any], dict[str, Any]]:
        return load_object(self.run)

    def config_class(self) -> type[StageConfig]:
        base = INFER.config if self.name == INFER.name else "wsss_cli.config:StageConfig"
        return load_class(self.config, base, f"the settings class of stage '{self.name}'")


INFER = Stage("infer", "wsss_cli.engine.infer:infer", "wsss_cli.engine.infer:Infer", ("train",), (LABELS, REFINED))
"""The host's own, of which a method may change settings and options."""


@dataclass(frozen=True)
class Method:
    """A method: its name and paper, what labels it learns from, its stages, and how a trained network is used.

    stages     in the order in which they can run: each needs only earlier ones
    predictor  "package.module:function", called as function(checkpoint, job) with the Path of the train stage's
               checkpoint; returns a module that maps a normalised batch (B, 3, H, W) to logits (B, K, h, w).
    infer      "package.module:Class", the settings of the infer stage, if the method adds some to wsss_cli's Infer
    infer_needs  the stages that it reads
    infer_options  those of its settings that have an option of their own
    full       settings of its stage `train`, as after --set, with which it learns from the masks instead: the upper
               bound; none if it cannot
    propose    "package.module:function", called as function(fingerprint) with a `wsss_cli.choices` Fingerprint; returns
               the Proposal of its settings for a data set of one's own; "": its defaults, and `wsss auto` leaves it out
    """

    name: str
    title: str
    paper: str
    supervision: Supervision
    stages: tuple[Stage, ...]
    predictor: str
    infer: str = INFER.config
    infer_needs: tuple[str, ...] = INFER.needs
    infer_options: tuple[StageOption, ...] = ()
    full: tuple[str, ...] = ()
    propose: str = ""
    package: str = ""  # set by the host: the import package, where recipes/ lies

    def __post_init__(self) -> None:
        """Raises ValueError if the stages do not fit together, or for labels to learn from that there are not."""
        if self.supervision not in (known := get_args(Supervision)):
            raise ValueError(f"supervision {self.supervision!r}: give one of {', '.join(known)}")
        earlier: list[str] = []
        for stage in self.stages:
            if stage.name not in VERBS or stage.name in earlier:
                raise ValueError(f"stage '{stage.name}': a method has each of {', '.join(VERBS)} at most once")
            if not set(stage.needs) <= set(earlier):
                raise ValueError(f"stage '{stage.name}' needs {stage.needs}, of which only {earlier} come before it")
            earlier.append(stage.name)
        if strange := set(self.infer_needs) - {*earlier, *INFER.needs}:
            raise ValueError(f"infer needs stage '{min(strange)}', of which there are {earlier}")

    def stage(self, name: str) -> Stage | None:
        """One of its stages, or its infer stage."""
        return next((s for s in self.all_stages() if s.name == name), None)

    def all_stages(self) -> tuple[Stage, ...]:
        """Its own and the infer stage."""
        return *self.stages, replace(INFER, config=self.infer, needs=self.infer_needs, options=self.infer_options)

    def laid_over(self, below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
        """{stage: {key: value}} of a later layer of settings over an earlier one, each stage's as its class wants."""
        from wsss_cli.config import merge  # which knows pydantic: not for who only wants help

        out = merge(below, above)
        for stage in self.all_stages():
            one, other = below.get(stage.name), above.get(stage.name)
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                out[stage.name] = merge(one, other, stage.config_class())
        return out

    def writes(self, stage: str, kind: Kind) -> list[Artefact]:
        """The artefacts of one kind that a stage may leave."""
        found = self.stage(stage)
        return [] if found is None else [a for a in found.writes if a.kind == kind]

    def proposal(self, fingerprint: Fingerprint) -> Proposal | None:
        """What it offers for a data set of one's own; None if it does not say.

        Raises WsssError naming the plugin, whatever goes wrong in it.
        """
        if not self.propose:
            return None
        from wsss_cli.choices.choice import Proposal

        remedy = "mend the plugin, or give the method a recipe: --recipe FILE"
        try:
            found = load_object(self.propose)(fingerprint)
        except Exception as error:
            what = f"method '{self.name}' cannot propose settings: {self.propose}: {brief(error)}"
            raise WsssError(what, remedy) from error
        if not isinstance(found, Proposal):
            kind = type(found).__name__
            raise WsssError(f"method '{self.name}' cannot propose settings: {self.propose} returned {kind}", remedy)
        return found

    def recipe(self, name: str) -> Path:
        """The path of a shipped recipe, whether or not it exists."""
        import importlib.util

        spec = importlib.util.find_spec(self.package)
        assert spec is not None and spec.origin is not None
        return Path(spec.origin).parent / "recipes" / f"{name}.yaml"

    def recipes(self) -> list[str]:
        return sorted(p.stem for p in self.recipe("x").parent.glob("*.yaml"))
