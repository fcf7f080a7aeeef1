"""Which code ran: read from files, for `git describe --dirty` starts a process and writes into .git."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ROOMS = ("wsss_cli", "methods", "datasets")


@cache
def code(root: Path = Path(__file__).parents[1]) -> str | None:
    """ "COMMIT, source DIGEST" of the toolkit's own checkout, if it runs from one; the digest is of its files now.

    None where it is installed, perhaps below somebody else's repository.
    """
    git = _git_folder(root / ".git")
    commit = git and _commit(git)
    return f"{commit[:12]}, source {_digest(root)}" if commit else None


def _git_folder(path: Path) -> Path | None:
    """`.git`, or what it names where it is the file of a worktree."""
    if path.is_file():
        path = path.parent / path.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
    return path if path.is_dir() else None


def _commit(git: Path) -> str | None:
    head = _text(git / "HEAD")
    if not head.startswith("ref:"):
        return head or None
    name = head.partition(":")[2].strip()
    common = git / (_text(git / "commondir") or ".")
    packed = (line.split() for line in _text(common / "packed-refs").splitlines())
    found = _text(git / name) or _text(common / name)
    return found or next((row[0] for row in packed if row[1:] == [name]), None)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _digest(root: Path) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
