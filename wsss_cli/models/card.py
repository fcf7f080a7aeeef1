"""The card of an exported network, read: what its use needs, of the types that it was written with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from wsss_cli import bounds
from wsss_cli.config import resolve
from wsss_cli.engine.checkpoint import CARD
from wsss_cli.errors import WsssError
from wsss_cli.sound import read_text

FORMAT = 1
AGAIN = "export the model again"
Channel = Annotated[int, Field(ge=0, le=255)]


class Card(BaseModel):
    """What `folder.card_of` says of it; the rest of the file is for people, and for `checkpoint.load`."""

    method: str
    classes: tuple[str, ...]
    palette: tuple[tuple[Channel, Channel, Channel], ...]
    settings: dict[str, Any]
    network: dict[str, Any]
    long_side: int | None = Field(None, gt=0, le=bounds.SIDE)
    pictures: dict[str, float] = Field(default_factory=dict)


def read_card(folder: Path) -> Card:
    """model.json.  Raises WsssError naming what of it is missing, or of another type."""
    path = folder / CARD
    if not path.is_file():
        what = f"there is no model in {folder}: {CARD} is missing"
        raise WsssError(what, "give a folder that `wsss export model --to DIR` wrote")
    try:
        card = json.loads(read_text(path))
        if not isinstance(card, dict) or card["format"] != FORMAT:
            raise ValueError(f"it is of format {card['format'] if isinstance(card, dict) else card!r}, not {FORMAT}")
        if lacking := {name for name, info in Card.model_fields.items() if info.is_required()} - card.keys():
            raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
        read = resolve(Card, str(path), card, remedy=AGAIN)
        if len(read.palette) != 1 + len(read.classes):
            raise ValueError(f"it has {len(read.palette)} colours for background and {len(read.classes)} classes")
    except (ValueError, KeyError, RecursionError) as error:
        raise WsssError(f"{path} cannot be read: {error}", AGAIN) from error
    return read
