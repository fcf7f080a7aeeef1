"""Pictures that are read, but hardly as meant: nearly black, of one colour, with bands or pages left out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from wsss_cli.checks.finding import Finding, some

SAID = {
    "dark": (
        "image(s) are nearly black",
        "12 bits kept in 16? `prepare folder --white-level 4095` shows them over the whole range",
    ),
    "one-colour": ("image(s) are of one colour all over", "look at them: is their transparency or their range meant?"),
    "other-band": (
        "image(s) have a band besides their colours that is no transparency: it is left out",
        "nothing to do if it is infrared or the like",
    ),
    "previews": ("photograph(s) hold further pictures (frames, previews): the first is used", "nothing to do"),
}


@dataclass
class Oddities:
    """The ids of the images of each oddity; see `images.verified`."""

    images: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, id: str, odd: tuple[str, ...]) -> None:
        for kind in odd:
            self.images[kind].append(id)

    def findings(self) -> list[Finding]:
        """A warning per kind."""
        return [
            Finding("warning", f"{len(ids)} {SAID[kind][0]}: {some(ids)}", SAID[kind][1], kind, tuple(ids))
            for kind, ids in self.images.items()
        ]
