"""What a test says of a process that hangs."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes import Forked, Wsss, alive, descendants, ended, until

BELOW = """
import time
def deep():
    print("begun", flush=True)
    time.sleep(60)
deep()
"""


def slow() -> None:
    subprocess.run([sys.executable, "-c", BELOW], env=Wsss(Path(), ()).paths(), check=False)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc who is whose child")
def test_a_process_that_hangs_is_ended_with_its_children_and_says_where(tmp_path: Path) -> None:
    quick = Forked(lambda: print("done"), tmp_path)
    hanging = Forked(slow, tmp_path)
    until(lambda: "begun" in hanging.said()[0])
    below = descendants(hanging.pid)
    with pytest.raises(AssertionError, match=r"(?s)0: done\n.*hung: begun\n(?=.*in deep\n)(?=.*in slow\n)"):
        ended([quick, hanging], 0.5)
    assert len(below) == 1
    until(lambda: not alive(below[0]))


def test_the_results_are_in_the_order_of_the_processes(tmp_path: Path) -> None:
    slower = Forked(lambda: time.sleep(0.1), tmp_path)
    refused = Forked(lambda: sys.exit(2), tmp_path)
    assert [result.code for result in ended([slower, refused])] == [0, 2]
