"""Start-up, completion and the order of commands."""

import subprocess
import sys
from pathlib import Path

import pytest

from processes import Wsss

HEAVY = ("torch", "timm", "torchvision", "numpy", "scipy", "PIL", "wsss_cli.engine")


@pytest.mark.parametrize("words", [["--help"], ["methods"], ["nets"], ["train", "--help"], ["prepare", "--help"]])
def test_nothing_imports_torch_before_a_stage_runs(wsss: Wsss, words: list[str]) -> None:
    code = (
        "import sys; from wsss_cli.app import main\n"
        f"sys.argv = ['wsss', *{words}]\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        f"heavy = [m for m in {HEAVY} if m in sys.modules]\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=wsss.folder, env={**wsss.paths(), "PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command(wsss: Wsss) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wsss_cli", "methods"], cwd=wsss.folder, env=wsss.paths(), capture_output=True, text=True
    )
    assert done.returncode == 0 and "│ toy" in done.stdout


def test_help_lists_the_commands_in_the_order_of_the_work(wsss: Wsss) -> None:
    text = wsss("--help").out
    verbs = ["prepare", "seeds", "pseudo", "train", "infer", "evaluate", "report", "export"]
    verbs += ["methods", "nets", "datasets", "check"]
    places = [text.index(f"│ {verb} ") for verb in verbs]
    assert places == sorted(places)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(wsss: Wsss, shell: str) -> None:
    result = wsss("--show-completion", shell)
    assert result.code == 0 and "_WSSS_COMPLETE=complete_" in result.out


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("wsss tr", ["train"]),
        ("wsss train to", ["toco", "toy"]),
        ("wsss methods t", ["toco", "toy"]),
        ("wsss nets ps", ["psanet", "pspnet"]),
        ("wsss prepare do", ["dots"]),
        ("wsss train toy --data ", ["dots"]),
        ("wsss train toy --recipe ", ["dots", "slow"]),
        ("wsss train toy --name ", ["first", "second"]),
        ("wsss train --data-root nowhere --data ", []),
    ],
)
def test_names_complete(wsss: Wsss, line: str, wanted: list[str]) -> None:
    for name in ("first", "second"):
        folder = wsss.folder / "runs/dots/toy" / name
        folder.mkdir(parents=True)
        (folder / "run.yaml").touch()
    count = str(len(line.split(" ")) - 1)
    result = wsss(_WSSS_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=count)
    assert result.out.split() == wanted and result.err == ""


def test_version(wsss: Wsss) -> None:
    from wsss_cli import __version__

    assert wsss("--version").out == f"wsss {__version__}\n"


def test_the_third_party_uses_only_the_public_api() -> None:
    """What a plugin may rely on; docs/ says the same."""
    public = {"method", "dataset", "config", "context", "job", "engine.loop", "data.prepared", "errors"}
    public |= {"places", "promises", "engine.checkpoint"}
    used = set()
    for path in (Path(__file__).parents[2] / "third_party/wsss_toy").glob("*.py"):
        for line in path.read_text().splitlines():
            if line.startswith("from wsss_cli."):
                used.add(line.split()[1].removeprefix("wsss_cli."))
    assert used <= public and len(used) == len(public)
