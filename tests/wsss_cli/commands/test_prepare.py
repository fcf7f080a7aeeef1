"""The command of a third party's data set: options of its own, beside the toolkit's."""

import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from wsss_cli.commands.prepare import build, command
from wsss_cli.dataset import Dataset


class Options(BaseModel):
    count: int = Field(12, description="how many")
    force: int = Field(3, description="how strong")
    long_side: int = Field(3, description="how long")


class Plain:
    count = 12


def plugin(config: str) -> Dataset:
    return Dataset("mine", "My data", "my_data:prepare", config)


def test_an_option_that_every_data_set_has_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    parameters = command(plugin(f"{__name__}:Options")).__signature__.parameters  # type: ignore[attr-defined]
    assert list(parameters) == ["count", "name", "force", "skip_bad", "long_side", "data_root"]
    assert parameters["data_root"].annotation.__args__ == (Path,) and parameters["force"].default is False
    said = "plugin 'mine' declares {}, which is the toolkit's own: it is left out"
    assert caplog.messages == [said.format("--force"), said.format("--long-side")]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (f"{__name__}:Plain", f"{__name__}:Plain is no BaseModel"),
        ("not_there:x", "not_there:x cannot be loaded: No module named 'not_there'"),
    ],
)
def test_a_plugin_without_options_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, config: str, says: str
) -> None:
    monkeypatch.setattr("wsss_cli.plugins.datasets", lambda: {"mine": plugin(config)})
    monkeypatch.setattr(sys, "argv", ["wsss", "prepare"])
    assert build().registered_commands == []
    assert caplog.messages == [f"plugin 'mine' ({config}) cannot be used: {says}"]
