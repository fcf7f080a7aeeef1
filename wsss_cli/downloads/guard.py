"""What is asked of an archive before anything of it is written: members that stay inside, and no bomb."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_cli.names import fault, shown

REMEDY = "fetch it from its publisher"


@dataclass(frozen=True)
class Limits:
    """What an honest archive stays below and a bomb does not.

    members  files in it; total  bytes unpacked; ratio  bytes unpacked per byte of archive (JPEGs 1, JSON 10, a bomb
    1000), which only counts above `slack` bytes
    """

    members: int = 2_000_000
    total: int = 500 * 10**9
    ratio: float = 100.0
    slack: int = 64 * 10**6


USUAL = Limits()


class Guard:
    """Looks at each member of one archive; every method raises WsssError naming the archive and the member."""

    def __init__(self, archive: Path, limits: Limits) -> None:
        self.archive, self.limits = archive, limits
        self.size = archive.stat().st_size
        self.ceiling = min(limits.total, max(limits.slack, int(limits.ratio * self.size)))
        self.count = self.unpacked = 0

    def add(self, size: int) -> None:
        """One more member of `size` bytes."""
        self.count += 1
        self.unpacked += size
        if self.count > self.limits.members:
            raise self._bomb(f"more than {self.limits.members:,} files")
        self.require(self.unpacked)

    def require(self, size: int) -> None:
        """That `size` bytes in all are not too many."""
        if size > self.ceiling:
            raise self._bomb(f"more than {self.ceiling:,} bytes, from {self.size:,}")

    def name(self, name: str) -> str:
        """The member's path, normalised: relative, forward slashes, no '..'."""
        plain = name.replace("\\", "/")
        if _absolute(plain):
            raise self.refused(name, "has an absolute path")
        whole = "/".join(part for part in plain.split("/") if part not in ("", "."))
        if whole and (wrong := fault(whole)):
            raise self.refused(name, wrong)
        return whole or "."

    def link(self, name: str, target: str, base: str) -> None:
        """That a link whose target is relative to the folder `base` of the archive stays inside."""
        plain = target.replace("\\", "/")
        if _absolute(plain) or posixpath.normpath(posixpath.join(base, plain)).split("/")[0] == "..":
            raise self.refused(name, f"is a link to {shown(target)}, outside the folder")

    def device(self, name: str) -> WsssError:
        """The error for what must not be made."""
        return self.refused(name, "is a device or something else that is neither file, folder nor link")

    def refused(self, name: str, why: str) -> WsssError:
        """The error for a member that is not to be unpacked."""
        return WsssError(f"{self.archive} is refused: its member {shown(name)} {why}", REMEDY)

    def _bomb(self, what: str) -> WsssError:
        return WsssError(f"{self.archive} is refused as a bomb: it unpacks to {what}", REMEDY)


def _absolute(path: str) -> bool:
    return path.startswith("/") or bool(re.match("[A-Za-z]:", path))
