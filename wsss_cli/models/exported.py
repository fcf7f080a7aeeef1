"""An exported network by its name: a folder, or hf://OWNER/NAME."""

from __future__ import annotations

from pathlib import Path

from wsss_cli.models.folder import read_model
from wsss_cli.models.model import Model


def read_exported(place: str) -> Model:
    """The network in a folder or on the hub.  Raises WsssError if it cannot be had, or is no model."""
    if not place.startswith("hf://"):
        return read_model(Path(place).expanduser())
    from wsss_cli.models.hub import pull, repository  # huggingface_hub: only if asked

    return read_model(pull(place), repository(place))
