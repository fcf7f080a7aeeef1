"""Do tags and masks tell the same classes?  Where they do not, it is label noise: normal in small numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsss_cli.checks.finding import Finding, some
from wsss_cli.data.prepared import DatasetInfo, Sample

NOISE = "label noise, normal in small numbers: scores are taken against the masks, methods learn from the tags"


@dataclass
class Agreement:
    """The images whose mask lacks a tag's class, or shows a class that is no tag; id -> the classes."""

    info: DatasetInfo
    masks: int = 0
    unseen: dict[str, list[int]] = field(default_factory=dict)
    untold: dict[str, list[int]] = field(default_factory=dict)

    def add(self, sample: Sample, pixels: Mapping[int, int] | None) -> None:
        """Compare a sample's tags with the class ids of its mask; pixels None: no mask.

        Images without any tag are told of elsewhere.
        """
        if pixels is None or not sample.tags:
            return
        self.masks += 1
        tags, seen = set(sample.tags), {c for c in pixels if 1 <= c <= len(self.info.classes)}
        if tags - seen:
            self.unseen[sample.id] = sorted(tags - seen)
        if seen - tags:
            self.untold[sample.id] = sorted(seen - tags)

    def findings(self) -> list[Finding]:
        found = []
        if self.unseen:
            what = f"{len(self.unseen)} of {self.masks} masks lack a class that their image is tagged with"
            found.append(self._warning(what, self.unseen, "tag-not-in-mask"))
        if self.untold:
            what = f"{len(self.untold)} of {self.masks} masks hold a class that their image is not tagged with"
            found.append(self._warning(what, self.untold, "mask-not-in-tags"))
        return found

    def _warning(self, what: str, classes: Mapping[str, list[int]], kind: str) -> Finding:
        listed = some([f"{id} ({', '.join(map(self._name, ids))})" for id, ids in classes.items()])
        return Finding("warning", f"{what}: {listed}", NOISE, kind, tuple(classes))

    def _name(self, id: int) -> str:
        return self.info.classes[id - 1] if 1 <= id <= len(self.info.classes) else f"id {id}"
