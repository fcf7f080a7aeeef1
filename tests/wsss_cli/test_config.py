"""Typed configuration: layers, messages, templates."""

from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import yaml
from pydantic import Field

from wsss_cli.config import Config, StageConfig, as_dict, changes, merge, parse_set, read_yaml, resolve, template
from wsss_cli.errors import WsssError


class Inner(Config):
    epochs: float = Field(5, gt=0, description="passes: over the data # and more")
    batch: int = Field(16, gt=0, description="images")


class Middle(Config):
    inner: Inner = Field(Inner(epochs=3, batch=8), description="its own defaults, not Inner's")
    args: dict[str, str | int | float | bool] = Field({}, description="free arguments")


class Stage(StageConfig):
    middle: Middle = Field(Middle(inner=Inner(epochs=2, batch=4)), description="nested twice")
    scales: tuple[float, ...] = Field((1.0, 0.5), min_length=1, description="scales")
    size: tuple[int, int] | None = Field((320, 640), description="a pair, or null")
    file: Path | None = Field(None, description="a path")
    flip: bool = Field(True, description="a switch")
    mode: Literal["a b", "no", "1e3"] = Field("no", description="strings that YAML would read as something else")
    maybe: Inner | None = Field(None, description="a section that may be absent")


class Length(Config):
    REPLACES: ClassVar[dict[str, str]] = {"epochs": "steps"}
    epochs: float = Field(5, description="the one way")
    steps: int | None = Field(40, description="the other")


class Long(Length):
    inner: Inner = Field(Inner(), description="epochs and no steps")
    loop: Length = Field(Length(steps=20), description="nested")
    maybe: Length | None = Field(None, description="a section that may be absent")


class Free(Config):
    args: dict[str, Any] = Field({}, description="free arguments, of any kind")
    named: dict[str, Inner] = Field({}, description="sections with free names")


class Needy(Config):
    root: Path = Field(description="must be given")
    depth: int = Field(1, description="may be")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"middle": {"inner": {"epochs": 0.5}, "args": {"pad_type": "same", "drop": 0.1, "x": "1e-4"}}},
        {"scales": [1, 2.5, 1e-7], "size": None, "file": "/a b/c: d#e.yaml", "mode": "1e3"},
        {"mode": "a b", "maybe": {"epochs": 1}, "seed": 7},
    ],
)
def test_a_template_is_the_config_it_was_made_of(given: dict[str, Any]) -> None:
    config = resolve(Stage, "train", given)
    assert resolve(Stage, "train", yaml.safe_load(template(Stage, config))) == config


def test_the_template_of_a_class_holds_defaults_and_comments() -> None:
    text = template(Stage)
    assert resolve(Stage, "train", yaml.safe_load(text)) == Stage()
    assert "    epochs: 2.0" in text and "# passes: over the data # and more" in text
    assert yaml.safe_load(template(Needy)) == {
        "root": None,
        "depth": 1,
    } and "must be given (must be given)" in template(Needy)


def test_what_a_layer_leaves_out_of_a_section_is_the_fields_default() -> None:
    config = resolve(Stage, "train", {"middle": {"inner": {"epochs": 9}}})
    assert config.middle.inner == Inner(epochs=9, batch=4)
    assert resolve(Stage, "train", {"maybe": {"epochs": 1}}).maybe == Inner(epochs=1, batch=16)


def test_later_layers_win_key_by_key() -> None:
    config = resolve(
        Stage, "train", {"seed": 1, "middle": {"inner": {"batch": 2}}}, {"middle": {"inner": {"epochs": 1}}}
    )
    assert (config.seed, config.middle.inner) == (1, Inner(epochs=1, batch=2))
    assert merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}


def test_an_empty_mapping_empties_one_of_free_keys_and_leaves_a_section_as_it_is() -> None:
    below = {"middle": {"args": {"drop": 0.5}, "inner": {"epochs": 9}}, "maybe": {"epochs": 1}}
    emptied = resolve(Stage, "train", below, {"middle": {"args": {}, "inner": {}}, "maybe": {}})
    assert emptied.middle == Middle(inner=Inner(epochs=9, batch=4), args={}) and emptied.maybe == Inner(epochs=1)
    assert resolve(Stage, "train", below, {"middle": {}}) == resolve(Stage, "train", below)
    named = {"args": {"act": {"slope": 1}, "drop": 0.5}, "named": {"a": {"epochs": 1}}}
    assert resolve(Free, "train", named, {"args": {"act": {}}}).args == {"act": {}, "drop": 0.5}
    assert resolve(Free, "train", named, {"named": {}}).named == {}
    assert resolve(Free, "train", named, {"named": {"b": {}}}).named == {"a": Inner(epochs=1), "b": Inner()}


@pytest.mark.parametrize(
    ("layers", "steps"),
    [
        ([{}], 20),
        ([{"epochs": 1}], None),  # over the default
        ([{"steps": 7}, {"epochs": 1}], None),
        ([{"steps": 7}, {"epochs": 1}, {}], None),
        ([{"epochs": 1}, {"steps": 7}], 7),
        ([{"epochs": 1, "steps": 7}], 7),
        ([{"steps": 9}, {"epochs": 1, "steps": 7}, {"batch": 3}], 7),
        ([{"epochs": 1, "steps": 7}, {"epochs": 2}], None),
        ([{"steps": 7}, {"epochs": 1}, {"steps": 8}], 8),
        ([{"epochs": 1, "steps": None}], None),
    ],
)
def test_of_two_ways_to_say_the_same_the_later_one_counts(layers: list[dict[str, Any]], steps: int | None) -> None:
    """Of a class's own settings, of a section, and of one that may be absent; what lacks the other way stays whole."""
    own = [{k: v for k, v in layer.items() if k != "batch"} for layer in layers]
    found = resolve(Long, "train", *({**one, "loop": one, "maybe": one} for one in own))
    assert found.loop.steps == steps and found.steps == (40 if layers == [{}] else steps)
    assert found.maybe is not None and found.maybe.steps == found.steps
    assert resolve(Long, "train", as_dict(found)) == found
    inner = resolve(Long, "train", *({"inner": {k: v for k, v in layer.items() if k != "steps"}} for layer in layers))
    assert set(as_dict(inner.inner)) == {"epochs", "batch"} and inner.loop.steps == 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sede": 1}, "unknown key 'train.sede'; did you mean 'seed'?"),
        ({"batch": 1}, "unknown key 'train.batch'; did you mean 'train.middle.inner.batch' or 'train.maybe.batch'?"),
        ({"middle": {"inner": {"epoch": 1}}}, "unknown key 'train.middle.inner.epoch'; did you mean 'epochs'?"),
        ({"zzz": 1}, "unknown key 'train.zzz'; known here: seed, middle, scales, size, file, flip, mode, maybe"),
        ({"seed": "x"}, "'train.seed' = 'x': input should be a valid integer"),
        ({"seed": -1}, "'train.seed' = -1: input should be greater than or equal to 0"),
        ({"middle": 3}, "'train.middle' = 3: input should be"),
        ({"mode": "b"}, "'train.mode' = 'b': input should be 'a b', 'no' or '1e3'"),
        ({"scales": []}, "'train.scales' = []: tuple should have at least 1 item"),
        ({"middle": {"inner": {"batch": True}}}, "'train.middle.inner.batch' = True: input should be a number, not"),
        ({"size": False}, "'train.size' = False: input should be a number, not true or false"),
    ],
)
def test_mistakes(given: dict[str, Any], message: str) -> None:
    with pytest.raises(WsssError) as error:
        resolve(Stage, "train", given)
    assert message in error.value.what


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(WsssError) as error:
        resolve(Stage, "train", {"sede": 1, "scales": "x", "middle": {"inner": {"batch": 0}}})
    assert len(error.value.what.splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", {"a": 1}),
        ("a.b.c=x y", {"a": {"b": {"c": "x y"}}}),
        ("a=1e-4", {"a": 1e-4}),
        ("a=-2.5E+3", {"a": -2500.0}),
        ("a=.5", {"a": 0.5}),
        ("a=1.", {"a": 1.0}),
        ("a=10", {"a": 10}),
        ("a=1.2.3", {"a": "1.2.3"}),
        ("a=off", {"a": "off"}),
        ("a=no", {"a": "no"}),
        ("a=False", {"a": False}),
        ("a=", {"a": None}),
        ("a=none", {"a": "none"}),
        ("a=[1, 2]", {"a": [1, 2]}),
        ("a=true", {"a": True}),
        ("a=null", {"a": None}),
        ("a={b: 1}", {"a": {"b": 1}}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_parse_set(text: str, value: Any) -> None:
    assert parse_set(text) == value


@pytest.mark.parametrize("text", ["a", "=1", " =1", "a=[1", "a..b=1", "a.=1", "a={b: 1, b: 1}"])
def test_parse_set_refuses(text: str) -> None:
    with pytest.raises(WsssError, match="--set"):
        parse_set(text)


def test_changes_name_the_keys() -> None:
    old, new = as_dict(Stage()), as_dict(resolve(Stage, "s", {"seed": 2, "middle": {"inner": {"batch": 5}}}))
    assert changes(old, new) == ["middle.inner.batch: 4 -> 5", "seed: 0 -> 2"] and changes(old, old) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"a: [", "is not YAML"),
        (b"- 1", "must hold a mapping"),
        (b"\xff\xfe\xff", "is not"),
        (b"train:\n  loop: {batch: 4}\n  lr: 1\n  loop: {epochs: 2}\n", "'loop' is given twice, in lines 2 and 4"),
        (b"a: 1\n'a': 1\n", "'a' is given twice, in lines 1 and 2"),
        (b"a: {on: 1, no: 2, on: 3}", "'on' is given twice, in lines 1 and 1"),
    ],
)
def test_a_file_that_is_no_recipe(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "r.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WsssError, match=message) as error:
        read_yaml(path)
    assert str(path) in error.value.what


def test_words_that_old_yaml_takes_for_switches(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("mode: no\nflip: off\nmiddle: {inner: {epochs: 1e-1}}\n")
    config = resolve(Stage, "train", read_yaml(tmp_path / "r.yaml"))
    assert (config.mode, config.flip, config.middle.inner.epochs) == ("no", False, 0.1)


def test_numbers_that_old_yaml_takes_for_others(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("seed: 010\nmiddle: {inner: {batch: 08, epochs: 007.5}}\n")
    config = resolve(Stage, "train", read_yaml(tmp_path / "r.yaml"))
    assert (config.seed, config.middle.inner.batch, config.middle.inner.epochs) == (10, 8, 7.5)
    (tmp_path / "r.yaml").write_text("middle: {inner: {epochs: 1:30}}")
    with pytest.raises(WsssError, match=r"'train\.middle\.inner\.epochs' = '1:30'"):
        resolve(Stage, "train", read_yaml(tmp_path / "r.yaml"))
    (tmp_path / "r.yaml").write_text("names: [010, 08, 1:30, 2024-01-01, 1_000, 12, -3, +4, 0, 1e3, .5, 2., -.inf]")
    texts = ["010", "08", "1:30", "2024-01-01", "1_000"]
    assert read_yaml(tmp_path / "r.yaml") == {"names": [*texts, 12, -3, 4, 0, 1000.0, 0.5, 2.0, -float("inf")]}


def test_what_is_merged_may_be_overridden(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("a: &a {x: 1, y: 2}\nb: &b\n  <<: *a\n  x: 3\nc: {<<: *b, y: 4}\nd: [*b, *b]\n")
    b = {"x": 3, "y": 2}
    assert read_yaml(tmp_path / "r.yaml") == {"a": {"x": 1, "y": 2}, "b": b, "c": {"x": 3, "y": 4}, "d": [b, b]}


def test_an_empty_file_is_no_settings(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").touch()
    assert read_yaml(tmp_path / "r.yaml") == {}
