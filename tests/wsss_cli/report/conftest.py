import shutil
from pathlib import Path

import pytest

from made_run import drawn_data, finished_run
from wsss_cli.data.prepared import Prepared
from wsss_cli.runs import Run


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return drawn_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, data: Prepared) -> Path:
    """Two finished runs: irn/default, and irn/masks, which learnt from the masks."""
    root = tmp_path_factory.mktemp("runs")
    finished_run(Run(root, "toy", "irn", "default"), data)
    finished_run(Run(root, "toy", "irn", "masks"), data, labels="masks")
    return root


@pytest.fixture
def run(runs: Path, tmp_path: Path) -> Run:
    """A copy of irn/default that a test may change; irn/masks lies beside it."""
    shutil.copytree(runs, tmp_path / "runs")
    return Run(tmp_path / "runs", "toy", "irn", "default")


@pytest.fixture
def masks(run: Run) -> Run:
    """The run that learnt from the masks."""
    return Run(run.root, "toy", "irn", "masks")
