"""The background score of a run without a recipe, by the masks of images that are learnt from: never of scored ones."""

from __future__ import annotations

from dataclasses import replace

from wsss_cli.choices.choice import Choice
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.stage import run_stage
from wsss_cli.config import flat
from wsss_cli.data.prepared import Prepared
from wsss_cli.method import Method
from wsss_cli.metrics.evaluate import read_scores
from wsss_cli.running.target import Target

FEWEST = 5
"""Masks from which one score may be told from another."""


def choose_background(target: Target, options: RunOptions) -> Choice | None:
    """Try background scores on the pseudo-labels that are there, and make these anew by the best one.

    Returns it, with its reason, once it stands in the run's settings; None where there is nothing to choose: no scores
    that pseudo-labels are made of, too few masks of images that are learnt from and not scored, or a score that was
    asked for or chosen before.
    """
    run, method, masks = target.run, target.method, _masks(target.data)
    setting = _setting(method)
    if setting is None or masks < FEWEST or _known(target, setting):
        return None
    words = [method.name]
    run_stage("evaluate", words, options, stage="evaluate-pseudo", hint=False)
    found = read_scores(run.stage("evaluate-pseudo"))["background"]
    if found is None or found["command"] is None:
        return None
    why = f"the best on the masks of {masks} images that are learnt from"
    choice = Choice(setting, found["best"], why)
    settings = run.settings()
    run.save_settings(replace(settings, chosen=(*settings.chosen, choice)))
    run_stage("pseudo", words, options, hint=False)
    return choice


def _setting(method: Method) -> str | None:
    """That of the scores which stage `pseudo` leaves."""
    return next((a.background for a in method.writes("pseudo", "scores") if a.background), None)


def _masks(data: Prepared) -> int:
    """Of the images that score pseudo-labels; none if any of them scores predictions, too."""
    samples, final = data.split(data.split_for("seeds")), data.info.splits.get("val")
    if any(final in sample.splits for sample in samples):
        return 0
    return sum(sample.mask is not None for sample in samples)


def _known(target: Target, setting: str) -> bool:
    settings = target.run.settings()
    return setting in flat(settings.overrides or {}) or any(choice.key == setting for choice in settings.chosen)
