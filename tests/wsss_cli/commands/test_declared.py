"""Options that methods declare: taken, told, and refused where a method has none."""

import inspect
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import pytest
import typer
from typer import Option

from processes import Wsss
from wsss_cli.commands.declared import declared_settings, options_of, with_declared
from wsss_cli.errors import WsssError
from wsss_cli.method import LABELS, Method, Stage, StageOption

WEIGHTS = StageOption("--weights", "weights", "which", ("student", "teacher"), scored=True)
RATE = StageOption("--first-rate", "optimiser.lr", "how fast")
WORDS = StageOption("--words", "names", "which words", later=True)
METHOD = Method(
    "m",
    "title",
    "paper",
    "tags",
    (
        Stage("train", "m:f", "m:C", options=(RATE,)),
        Stage("seeds", "m:f", "m:C", ("train",), options=(WEIGHTS, WORDS)),
        Stage("pseudo", "m:f", "m:C", ("seeds",), (LABELS,)),
    ),
    predictor="m:p",
    infer_options=(replace(WEIGHTS, setting="which.weights"),),
)


@pytest.mark.parametrize(
    ("target", "given", "expected"),
    [
        ("train", {"--first-rate": "0.1"}, {"train": {"optimiser": {"lr": "0.1"}}}),
        ("seeds", {"--weights": "teacher"}, {"seeds": {"weights": "teacher"}}),
        ("infer", {"--weights": "teacher"}, {"infer": {"which": {"weights": "teacher"}}}),
        ("evaluate", {"--weights": "teacher"}, {"infer": {"which": {"weights": "teacher"}}}),
        ("evaluate-seeds", {"--weights": "teacher"}, {"seeds": {"weights": "teacher"}}),
        ("evaluate-pseudo", {"--weights": "teacher"}, {"seeds": {"weights": "teacher"}}),  # they are made of the seeds
        ("pseudo", {"--words": "file"}, {"seeds": {"names": "file"}}),
        ("train", {}, {}),
    ],
)
def test_an_option_stands_for_a_setting_of_the_stage_that_declares_it(
    target: str, given: dict[str, str], expected: dict[str, Any]
) -> None:
    assert declared_settings(METHOD, target, given) == expected


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("train", "--weights"),
        ("train", "--words"),
        ("pseudo", "--weights"),
        ("evaluate", "--first-rate"),
        ("evaluate-seeds", "--words"),
    ],
)
def test_elsewhere_it_is_refused(target: str, name: str) -> None:
    with pytest.raises(WsssError, match=f"method 'm' has no option {name} here"):
        declared_settings(METHOD, target, {name: "x"})


def test_a_command_has_those_of_its_stage_and_evaluate_those_that_matter_to_scores() -> None:
    found = {verb: [o.name for o in options_of(METHOD, verb)] for verb in ("train", "seeds", "pseudo", "evaluate")}
    assert found == {
        "train": ["--first-rate"],
        "seeds": ["--weights", "--words"],
        "pseudo": ["--words"],
        "evaluate": ["--weights"],
    }


@pytest.mark.parametrize("name", ["weights", "-w", "--Weights", "--a_b", "--", "--a="])
def test_a_name_that_is_no_options(name: str) -> None:
    with pytest.raises(ValueError, match="give lower case words"):
        StageOption(name, "weights", "which")


def test_names_of_python_may_be_options_and_those_of_the_host_may_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("--class", "--json", "--no-crf", "--data-root", "--help")
    options = tuple(StageOption(name, "key", "help") for name in names)
    method = replace(METHOD, stages=(replace(METHOD.stages[0], options=options),))
    monkeypatch.setattr("wsss_cli.plugins.methods", lambda: {"m": method})
    monkeypatch.setattr(sys, "argv", ["wsss", "train"])
    given = {}

    def command(
        *,
        as_json: Annotated[bool, Option("--json")] = False,
        crf: Annotated[bool, Option("--crf/--no-crf")] = False,
        data_root: Annotated[Path, Option(help="folder")] = Path(),
        declared: dict[str, str] | None = None,
    ) -> None:
        given.update(declared or {})

    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters.values()
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(annotation=hints[p.name]) for p in parameters if p.name != "declared"]
    )
    app = typer.Typer()
    app.command()(with_declared("train", command))
    app(["--class", "3", "--json"], standalone_mode=False)
    assert given == {"--class": "3"}
    said = [f"plugin 'm' declares {name}, which is the toolkit's own: it is left out" for name in sorted(names[1:])]
    assert caplog.messages == said


def test_the_help_names_the_methods_and_others_refuse(wsss: Wsss) -> None:
    shown = wsss("train", "--help", COLUMNS="200").out
    assert "--lr" in shown and "learning rate (toy)" in shown
    assert "--lr" not in wsss("pseudo", "--help", COLUMNS="200").out
    refused = wsss("train", "irn", "--lr", "0.5", "--dry-run")
    assert refused.code == 2 and "method 'irn' has no option --lr here" in refused.text
    assert "`wsss train` takes it with: toy" in refused.text


def test_it_is_kept_and_checked_like_any_setting(wsss: Wsss) -> None:
    assert wsss("train", "toy", "--lr", "0.25", "--workers", 0).code == 0
    again = wsss("evaluate", "--workers", 0)
    assert again.code == 0 and "train.lr=0.25" in again.out
    wrong = wsss("train", "toy", "--lr", "fast")
    assert wrong.code == 2 and "'train.lr' = 'fast'" in wrong.text
