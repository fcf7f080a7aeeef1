"""What our modules ask of the system: nothing that Windows lacks. Whether its libraries work there is not tried."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
SMALL = "net.backbone=test_resnet net.pretrained=none augment.crop=32 loop.iterations=2 loop.batch=2 --workers 1"
COMMANDS = (
    "--version",
    "methods irn",
    "prepare shapes --train 6 --val 6 --size 64",
    "check -d shapes",
    f"train irn labels=masks {SMALL}",
    "evaluate --workers 0",
    "report",
    "export labels --stage infer --format yolo --out exported",
)


def test_commands_do_without_what_windows_lacks(tmp_path: Path) -> None:
    """No modules of POSIX alone, a terminal of another encoding than UTF-8, and readers that are no forks."""
    env = {**os.environ, "PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, TESTS / "as_on_windows.py", tmp_path]
    done = subprocess.run(command, input="\n".join(COMMANDS), env=env, capture_output=True, encoding="cp1252")
    ended = [line for line in done.stdout.splitlines() if line.startswith("== ")]
    assert ended == [f"== 0 {words}" for words in COMMANDS], done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
