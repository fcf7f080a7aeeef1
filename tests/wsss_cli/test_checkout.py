"""The commit and the sources of the toolkit's own checkout, read without a process and without a change to .git."""

import subprocess
from pathlib import Path

import pytest

from wsss_cli.checkout import code


def git(folder: Path, *words: str) -> str:
    named = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    return subprocess.run(named, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "code"
    (root / "wsss_cli").mkdir(parents=True)
    (root / "wsss_cli/a.py").write_text("1\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


@pytest.mark.parametrize("how", ["branch", "packed", "detached", "worktree"])
def test_the_commit_is_that_of_git(checkout: Path, how: str) -> None:
    if how == "packed":
        git(checkout, "pack-refs", "--all")
    if how == "detached":
        git(checkout, "checkout", "-q", "--detach")
    if how == "worktree":
        git(checkout, "worktree", "add", "-q", "../tree", "-b", "side")
        checkout = checkout.parent / "tree"
    commit, _, source = (code.__wrapped__(checkout) or "").partition(", source ")
    assert commit == git(checkout, "rev-parse", "HEAD")[:12] and len(source) == 12


def test_changed_sources_are_told_and_git_is_left_alone(checkout: Path) -> None:
    def state() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in (checkout / ".git").rglob("*")}

    before = state()
    clean = code.__wrapped__(checkout)
    (checkout / "wsss_cli/a.py").write_text("2\n")
    changed = code.__wrapped__(checkout)
    assert clean != changed and str(clean)[:12] == str(changed)[:12] and state() == before


def test_what_is_installed_has_no_commit(tmp_path: Path) -> None:
    assert code.__wrapped__(tmp_path) is None
