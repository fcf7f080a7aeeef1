"""The background score that `wsss auto` chooses by masks."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drawn_folder import drawn_folder
from wsss_cli.choices.choice import Choice
from wsss_cli.commands import background
from wsss_cli.commands.background import choose_background
from wsss_cli.commands.options import RunOptions
from wsss_cli.data.prepared import Sample
from wsss_cli.method import Artefact, Method
from wsss_cli.runs import Run, Settings

KEY = "pseudo.walk.background"
METHOD: Any = SimpleNamespace(name="irn", writes=lambda *_: [Artefact("scores", "walked", background=KEY)])
BEST = {"best": 0.3, "miou": 0.5, "setting": KEY, "now": 0.25, "command": "wsss pseudo irn walk.background=0.3"}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages that run, in place of running them."""
    verbs: list[str] = []
    monkeypatch.setattr(background, "run_stage", lambda verb, *_, **__: verbs.append(verb))
    monkeypatch.setattr(background, "read_scores", lambda _: {"background": BEST})
    monkeypatch.setattr(background, "FEWEST", 2)
    return verbs


def target(tmp_path: Path, settings: Settings, method: Any = METHOD, change: Any = list) -> Any:
    run = Run(tmp_path / "runs", "mine", "irn", "default")
    run.save_settings(settings)
    return SimpleNamespace(run=run, method=method, data=drawn_folder(tmp_path, change))


def test_the_best_on_masks_that_are_learnt_from_stands_in_the_run(tmp_path: Path, called: list[str]) -> None:
    before = Choice("method", "irn", "tags")
    found = target(tmp_path, Settings(None, {}, (before,)))
    choice = choose_background(found, RunOptions())
    assert choice == Choice(KEY, 0.3, "the best on the masks of 2 images that are learnt from")
    assert called == ["evaluate", "pseudo"] and found.run.settings().chosen == (before, choice)
    assert choose_background(found, RunOptions()) is None and len(called) == 2  # a run that goes on keeps it


def without_masks(samples: list[Sample]) -> list[Sample]:
    return [replace(s, mask=None, mask_digest="") for s in samples]


def scored(samples: list[Sample]) -> list[Sample]:
    return [replace(s, splits=(*s.splits, "val")) for s in samples]


@pytest.mark.parametrize(
    "values",
    [
        {"settings": Settings(None, {"pseudo": {"walk": {"background": 0.4}}})},
        {"change": without_masks},
        {"change": scored},
        {"method": SimpleNamespace(name="toco", writes=lambda *_: [])},
    ],
)
def test_nothing_is_chosen(tmp_path: Path, called: list[str], values: dict[str, Any]) -> None:
    settings = values.pop("settings", Settings(None, {}))
    assert choose_background(target(tmp_path, settings, **values), RunOptions()) is None and not called


def test_irn_names_the_setting() -> None:
    from wsss_cli.plugins import method

    found: Method = method("irn")
    assert [a.background for a in found.writes("pseudo", "scores")] == [KEY]
