"""What is known of a stage before anything runs: what its settings are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsss_cli.data.prepared import Prepared
from wsss_cli.promises import Promises


@dataclass(frozen=True)
class Context:
    """The data set, the number of ranks, and of each stage it needs the folder and what that promises.

    images  how many the stage learns from, where it says so;  configs  the settings of those stages
    """

    data: Prepared
    ranks: int = 1
    inputs: Mapping[str, Path] = field(default_factory=dict)
    promised: Mapping[str, Promises] = field(default_factory=dict)
    images: int | None = None
    configs: Mapping[str, Any] = field(default_factory=dict)
