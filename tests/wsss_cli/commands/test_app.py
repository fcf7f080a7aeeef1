"""Start-up, completion and the order of commands."""

import errno
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from processes import Wsss
from wsss_cli import app, console
from wsss_cli.plugins import methods

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


def end_by(error: BaseException, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command raises it, and the program ends with that code."""

    def methods() -> None:
        raise error

    monkeypatch.setitem(app.VERBS, "methods", methods)
    monkeypatch.setattr(sys, "argv", ["wsss", "methods"])
    monkeypatch.setattr(console.log, "handlers", [])
    monkeypatch.setattr(console.log, "propagate", True)
    with pytest.raises(SystemExit, match=code):
        app.main()


def test_an_interruption_says_what_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    end_by(KeyboardInterrupt(), "130", monkeypatch)
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_what_a_place_cannot_take_is_one_message_whoever_writes(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    end_by(OSError(number, "refused"), "2", monkeypatch)
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "a file" in said and "Traceback" not in said


def test_the_module_is_the_command(wsss: Wsss) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wsss_cli", "methods"], cwd=wsss.folder, env=wsss.paths(), capture_output=True, text=True
    )
    assert done.returncode == 0 and "│ toy" in done.stdout


@pytest.mark.parametrize("words", [["report", "--runs-root"], ["prepare", "shapes", "--data-root"]])
def test_a_path_that_is_too_long(tmp_path: Path, words: list[str]) -> None:
    done = Wsss(tmp_path, ())(*words, "a" * 5000)
    assert done.code == 2 and "is too long for a path" in done.err and len(done.err) < 400


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


BOXES = "image,xmin,ymin,xmax,ymax,label\n" + "".join(f"{name}.png,1,1,5,5,x\n" for name in "abcdef")
TAGS = "image,label\n" + "".join(f"{name}.png,x\n" for name in "abcdef")


TWO = "image,label\n" + "".join(f"{name}.png,{'xy'[i % 2]}\n" for i, name in enumerate("abcdef"))


@pytest.mark.parametrize(("table", "learns_from"), [(TAGS, {"tags"}), (TWO, {"tags"}), (BOXES, {"tags", "boxes"})])
def test_only_methods_that_can_learn_from_the_data_are_offered(wsss: Wsss, table: str, learns_from: set[str]) -> None:
    (wsss.folder / "photos").mkdir()
    for name in "abcdef":
        Image.new("RGB", (8, 8), (ord(name), 0, 0)).save(wsss.folder / f"photos/{name}.png")
    (wsss.folder / "photos/table.csv").write_text(table)
    done = wsss("prepare", "folder", "--images", "photos")
    offered = re.findall(r"\w+", done.out.rpartition("; others: ")[2]) + re.findall(r"next: wsss train (\w+)", done.out)
    own = {name: method.supervision for name, method in methods().items()}  # the third party's stand beside them
    assert own.keys() & offered == {name for name, what in own.items() if what in learns_from}, done.text
