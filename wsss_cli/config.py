"""Typed configuration: one pydantic model per stage; recipes, overrides, and messages that name the nearest key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, PydanticUndefined, to_jsonable_python

from wsss_cli import bounds, yaml12
from wsss_cli.errors import WsssError, lowered
from wsss_cli.nearest import nearest
from wsss_cli.places import own_places
from wsss_cli.sound import read_text

if TYPE_CHECKING:
    from wsss_cli.context import Context
    from wsss_cli.data.prepared import Sample
    from wsss_cli.parts import Part
    from wsss_cli.promises import Promises
    from wsss_cli.work import Work


class Config(BaseModel):
    """Base of every configuration: unknown keys are errors, defaults are checked, values cannot be changed later.

    Each field carries `Field(default, description="one line with its source: paper section or released code")`.
    """

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True, allow_inf_nan=False)

    REPLACES: ClassVar[Mapping[str, str]] = {}
    """Of two settings that say the same: the one that, asked for alone, puts the other of layers below to null."""

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic takes true for 1: a batch of one image."""
        if isinstance(value, bool):
            kinds = set(_kinds(cls.model_fields[info.field_name or ""].annotation))
            if kinds & {int, float} and bool not in kinds:
                raise PydanticCustomError("number", "input should be a number, not true or false")
        return value

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        """What is known to go wrong before anything runs, of these settings and of those within them.

        `where` is their key, for the messages.  A `checkpoint` that is given stands for the training that `loop`
        describes.  A subclass adds what it knows: sizes that must fit, phases, shares of a batch.
        """
        for key, place, value in own_places(self):
            if place.asked and not place.exists(value):
                what = "file or folder" if place.kind == "any" else place.kind
                yield WsssError(f"{where}.{key}: there is no {what} {place.find(value)}", "check the path")
        taken = getattr(self, "checkpoint", None) is not None
        for name, value in self:
            if isinstance(value, Config) and not (taken and name == "loop"):
                yield from value.problems(context, f"{where}.{name}")


class StageConfig(Config):
    """Base of a stage's configuration."""

    seed: int = Field(0, ge=0, le=bounds.SEED, description="seed of every random draw of the stage")

    def unneeded(self) -> tuple[str, ...]:
        """Of the stages that the stage needs, those that these settings make superfluous."""
        return ()

    def images(self, context: Context) -> Sequence[Sample] | None:
        """The images that the stage learns from or works on; None: not said, or none are needed.

        Raises WsssError if there are none, or none with what the stage learns from.
        """
        return None

    def reads(self, context: Context) -> Sequence[str] | None:
        """The splits that the result depends on: those of its images, or of the images of which it leaves files.

        None: not known, so it depends on the whole data set.  Raises WsssError as `images`.
        """
        from wsss_cli.promises import ids_of  # which knows samples: not for who only wants help

        images = self.images(context)
        if images is None and getattr(self, "checkpoint", None) is not None:
            return ()
        if images is None:
            promises = self.promises(context)
            ids = ids_of(promises)
            images = [s for s in context.data.samples if s.id in ids]
        split = context.data.covering(images, getattr(self, "split", None)) if images else None
        return None if split is None else (split,)

    def further(self, context: Context) -> Mapping[str, Mapping[str, str]]:
        """What else than settings, the files that they name and images the result depends on: of each its path and
        digest, as `places.identities`."""
        return {}

    def work(self, context: Context) -> Iterable[Work]:
        """What takes long in the stage, for an estimate of its time; what is not counted is not estimated."""
        return ()

    def promises(self, context: Context) -> Promises:
        """The files that the stage leaves: while one is missing it is not finished.  `images` are there."""
        return {}

    def parts(self) -> Sequence[Part]:
        """The pieces of the stage's work that can stay when others are made again, each after those it builds on."""
        return ()

    def problems(self, context: Context, where: str) -> Iterator[WsssError]:
        try:
            images = self.images(context)
        except WsssError as error:
            yield error
            images = None
        if images is not None and not is_list(images):
            yield misanswered(self, "images", images, "a list of samples, or None")
            images = None
        yield from super().problems(replace(context, images=None if images is None else len(images)), where)

    @classmethod
    def recorded(cls, values: dict[str, Any]) -> StageConfig:
        """Of settings that an older version recorded, which lack what did not exist then: they get its default."""
        return cls.model_validate(values)


def is_list(found: object) -> TypeGuard[Collection[Any]]:
    """Whether it can be counted and looked through several times; a text is none, though Python takes it for one."""
    return isinstance(found, Collection) and not isinstance(found, str)


def misanswered(config: Config, asked: str, found: object, wanted: str) -> WsssError:
    """Of a method of a plugin's settings class that returns anything else than StageConfig says."""
    cls = type(config)
    what = f"{cls.__module__}:{cls.__qualname__}.{asked} returned {found!r:.80}"
    return WsssError(what, f"it is to return {wanted}: mend the plugin")


C = TypeVar("C", bound=BaseModel)


TEMPLATE = "`wsss methods NAME --template` prints every key with its default"


def resolve(cls: type[C], where: str, *layers: Mapping[str, Any], remedy: str = TEMPLATE) -> C:
    """The config made of the class's defaults overlaid with `layers`, the last one winning.

    Raises WsssError that names each wrong key as `where.key`, the nearest right one, and the type wanted.
    """
    merged = _nested_defaults(cls)
    for layer in layers:
        merged = merge(merged, layer, cls)
    try:
        return cls.model_validate(merged)
    except ValidationError as error:
        problems = [_explain(cls, where, e) for e in error.errors()]
        raise WsssError("\n".join(problems), remedy) from None


def _nested_defaults(cls: type[BaseModel]) -> dict[str, Any]:
    """The defaults that are configs themselves: what a layer leaves out of one is the field's, not the class's."""
    defaults = {name: info.get_default(call_default_factory=True) for name, info in cls.model_fields.items()}
    return {name: value.model_dump() for name, value in defaults.items() if isinstance(value, BaseModel)}


def merge(below: Mapping[str, Any], above: Mapping[str, Any], cls: type | None = None) -> dict[str, Any]:
    """`above` over `below`, mappings merged key by key.

    cls  whose settings they are, where `above` is a later layer than `below`: then an empty mapping empties one whose
         keys are free, and `Config.REPLACES` holds
    """
    out = dict(below)
    for key, value in above.items():
        group = None if cls is None else _model_of(cls, key) or dict  # which has no fields
        under = out.get(key)
        if isinstance(value, Mapping) and not (group is dict and not value):
            value = merge(under if isinstance(under, Mapping) else {}, value, group)
        out[key] = value
    for asked, other in getattr(cls, "REPLACES", {}).items():
        if asked in above and other not in above and _value(out, other, cls) is not None:
            out[other] = None
    return out


def _value(values: Mapping[str, Any], key: str, cls: Any) -> Any:
    """Of a setting of the class, its default where none is given."""
    return values[key] if key in values else cls.model_fields[key].get_default(call_default_factory=True)


def at(key: str, value: Any) -> dict[str, Any]:
    """ "a.b", v -> {"a": {"b": v}}."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def parse_set(assignment: str) -> dict[str, Any]:
    """ "a.b=v" -> {"a": {"b": v}}, v read as YAML. Raises WsssError if a key or the '=' is missing."""
    path, equals, text = assignment.partition("=")
    key = path.strip()
    if not equals or not all(key.split(".")):
        raise WsssError(f"--set {assignment!r} is not KEY=VALUE", "for example: --set train.loop.epochs=10")
    try:
        value = yaml12.load(text)
    except yaml.YAMLError as error:
        raise WsssError(f"--set {path}: the value {text!r} is not YAML: {error}") from error
    return at(key, value)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that holds one mapping. Raises WsssError naming the file."""
    try:
        content = yaml12.load(read_text(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise WsssError(f"{path} is not YAML: {error}", "correct it, or put back what it was") from error
    if not isinstance(content, dict | None):
        what = f"{path} must hold a mapping of stages to settings, not a {type(content).__name__}"
        raise WsssError(what, "correct it, or put back what it was")
    return content or {}


def as_dict(config: BaseModel) -> dict[str, Any]:
    """Plain data, for YAML and JSON."""
    return config.model_dump(mode="json", by_alias=True)


def completed(cls: type[StageConfig], recorded: dict[str, Any]) -> dict[str, Any]:
    """Recorded settings with those that did not exist then; as they are if one is gone, or means something else now."""
    try:
        return as_dict(cls.recorded(recorded))
    except ValidationError:
        return recorded


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} -> {"a.b": 1}."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            out.update(flat(value, f"{prefix}{key}."))
        else:
            out[prefix + key] = value
    return out


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The keys whose values differ, as "a.b: 1 -> 2"."""
    a, b = flat(old), flat(new)
    return [f"{k}: {a.get(k)} -> {b.get(k)}" for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)]


def template(cls: type[BaseModel], config: BaseModel | None = None, indent: str = "") -> str:
    """The class as commented YAML, with the values of `config` or the defaults; keys without a default stand empty."""
    lines = []
    for name, info in cls.model_fields.items():
        value = getattr(config, name) if config is not None else info.get_default(call_default_factory=True)
        name = info.alias or name  # of a key that Python could not name so, such as "from"
        comment = f"  # {info.description}" if info.description else ""
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:{comment}", template(type(value), value, indent + "  ").rstrip("\n")]
        elif value is PydanticUndefined:
            lines.append(f"{indent}{name}:{comment} (must be given)")
        else:
            lines.append(f"{f'{indent}{name}: {inline(value)}':<36}{comment}".rstrip())
    return "\n".join(lines) + "\n"


def inline(value: Any) -> str:
    """YAML on one line."""
    text = yaml.safe_dump(to_jsonable_python(value), default_flow_style=True, width=10_000, allow_unicode=True)
    return text.strip().removesuffix("...").strip()


def _explain(cls: type[BaseModel], where: str, error: Any) -> str:
    path = [str(p) for p in error["loc"]]
    name = ".".join([where, *path])
    if error["type"] == "extra_forbidden":
        siblings = _fields_at(cls, path[:-1])
        elsewhere = [f"'{where}.{k}'" for k in all_keys(cls) if k.rsplit(".", 1)[-1] == path[-1]][:3]
        near = f"; did you mean {' or '.join(elsewhere)}?" if elsewhere else nearest(path[-1], siblings)
        return f"unknown key '{name}'" + (near or f"; known here: {', '.join(siblings)}")
    return f"'{name}' = {error['input']!r}: {lowered(error['msg'])}"


def _fields_at(cls: type[BaseModel], path: list[str]) -> list[str]:
    for key in path:
        inner = _model_of(cls, key)
        if inner is None:
            return []
        cls = inner
    return [info.alias or name for name, info in cls.model_fields.items()]


def all_keys(cls: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every setting, and every section of settings before those in it: "walk", "walk.beta"."""
    for name in cls.model_fields:
        yield prefix + name
        inner = _model_of(cls, name)
        if inner is not None:
            yield from all_keys(inner, f"{prefix}{name}.")


def _kinds(annotation: Any) -> Iterator[Any]:
    """What an annotation is made of."""
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)


def _model_of(cls: type, key: str) -> type[BaseModel] | None:
    """The model class of a nested field, also inside Optional; not of a mapping's values, whose keys are free."""
    field = getattr(cls, "model_fields", {}).get(key)
    free = field is not None and get_origin(field.annotation) in (dict, Mapping)
    kinds = (field.annotation, *get_args(field.annotation)) if field and not free else ()
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
