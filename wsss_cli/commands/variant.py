"""A method with other settings, as a further row of `wsss benchmark`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from wsss_cli.errors import WsssError

MASKS = "masks"
"""In names of runs that learn from the masks."""


@dataclass(frozen=True)
class Variant:
    """A method with other settings ("STAGE.KEY=VALUE"), which has rows of its own, or as it is: with neither."""

    method: str
    name: str = ""
    settings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.method} ({self.name})" if self.name else self.method


def parse_variants(texts: Sequence[str]) -> tuple[Variant, ...]:
    """Of "NAME METHOD KEY=VALUE ..." each.  Raises WsssError for another form, and for two of one name."""
    variants = tuple(map(_parsed, texts))
    titles = [variant.title.lower() for variant in variants]  # they name folders
    if twice := next((title for title in titles if titles.count(title) > 1), ""):
        raise WsssError(f"--variant: '{twice}' is given twice", "give each variant of a method a name of its own")
    return variants


def _parsed(text: str) -> Variant:
    try:
        name, method, *settings = shlex.split(text)
    except ValueError:  # too few words, or a quotation without end
        name, method, settings = "", "", []
    if not settings or name.lower() == MASKS or not re.fullmatch(r"[\w.-]+", name):
        what = f"--variant {text!r}: a name of letters, digits, '_', '.' and '-' (not '{MASKS}'), a method and settings"
        raise WsssError(what, "for example --variant 'longer METHOD train.loop.epochs=20'")
    return Variant(method, name, tuple(settings))
