"""Typed configuration: one pydantic model per stage; recipes, overrides, and messages that name the nearest key."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Base of every configuration: unknown keys are errors, defaults are checked, values cannot be changed later.

    Each field carries `Field(default, description="one line with its source: paper section or released code")`.
    """

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)
