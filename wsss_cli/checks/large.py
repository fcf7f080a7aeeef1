"""Photos that are larger than what networks are made for, of which every stage would see each pixel."""

from __future__ import annotations

from dataclasses import dataclass, field

from wsss_cli.checks.finding import Finding
from wsss_cli.data.prepared import DatasetInfo, Sample

LONGEST = 1000  # pixels of a longer side: twice what weights and settings of the papers are made for
ADVISED = 512
FIXED, EACH = 1.6, 0.9  # GiB that seeds take, and for each megapixel: 1.8 at 500 pixels, 12.4 at 4,000 x 3,000


@dataclass
class Large:
    """The ids of the large ones, and the size of the largest."""

    info: DatasetInfo
    images: list[str] = field(default_factory=list)
    largest: tuple[int, int] = (0, 0)

    def add(self, sample: Sample) -> None:
        if max(sample.width, sample.height) > LONGEST:
            self.images.append(sample.id)
            self.largest = max(self.largest, (sample.width, sample.height), key=lambda size: size[0] * size[1])

    def findings(self) -> list[Finding]:
        """A warning, unless a longest side was asked for."""
        if not self.images or self.info.long_side is not None:
            return []
        width, height = self.largest
        many = (
            f"{len(self.images)} image(s) have a longer side of more than {LONGEST:,} pixels, and stages see them all"
        )
        what = f"{many}: seeds of the largest, {width} x {height}, take about {_memory(width, height)} GiB of memory"
        advised = f"--long-side {ADVISED} (about {_memory(ADVISED, ADVISED)} GiB)"
        remedy = f"prepare again with {advised}: quicker and mostly better, and results keep the photos' size"
        return [Finding("warning", what, remedy, "large", tuple(self.images))]


def _memory(width: int, height: int) -> int:
    return round(FIXED + EACH * width * height / 1e6)
