"""Two commands at once on one data set or one target: each ends well, or says who is at work; nothing is broken."""

import shutil
from pathlib import Path

import pytest

from processes import Result, Wsss, ended, until
from wsss_cli.data.prepared import read_prepared

ROUNDS = 10
BUSY = "another command (process "


@pytest.fixture(scope="module")
def seeded(dots: Path, toy_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    """A folder in which `wsss pseudo toy` has run; the tests here add to it and change its data back."""
    folder = tmp_path_factory.mktemp("seeded")
    shutil.copytree(dots / "data", folder / "data")
    wsss = Wsss(folder, (toy_site,))
    assert wsss("pseudo", "toy", "--workers", 0).code == 0
    return wsss


def told(result: Result, *lines: str) -> bool:
    """Whether it ended well; if not, it must have said one of these and shown no traceback."""
    assert "Traceback" not in result.text, result.text
    assert result.code == 0 or (result.code == 2 and any(line in result.err for line in lines)), result.text
    return result.code == 0


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_two_prepare_one_data_set(wsss: Wsss) -> None:
    shutil.rmtree(wsss.folder / "data")
    done = 0
    for n in range(ROUNDS):
        words = ("prepare", "dots", "--images", 9 + n % 3, "--force")
        results = ended([wsss.start(*words), wsss.start(*words)])
        well = [told(result, BUSY) for result in results]
        done += sum(well)
        assert any(well)
        assert len(read_prepared(wsss.folder / "data/dots").samples) == 9 + n % 3
        assert all("is making the data set data/dots" in r.err for r, ok in zip(results, well) if not ok)
    assert done >= ROUNDS and hidden(wsss.folder / "data") == []


def test_two_exports_to_one_folder(seeded: Wsss) -> None:
    words = ("export", "labels", "toy", "--format", "png", "--out", "out")
    for _ in range(3):
        shutil.rmtree(seeded.folder / "out", ignore_errors=True)
        results = ended([seeded.start(*words), seeded.start(*words)])
        well = [told(result, BUSY, "out exists already") for result in results]
        assert any(well)
        assert len(list((seeded.folder / "out/labels").iterdir())) == 10
        assert hidden(seeded.folder) == []


def test_exports_of_two_runs_to_one_folder(seeded: Wsss) -> None:
    """No run's lock keeps them apart."""
    if not (seeded.folder / "runs/dots/toy/other").exists():
        shutil.copytree(seeded.folder / "runs/dots/toy/default", seeded.folder / "runs/dots/toy/other")
    for _ in range(3):
        shutil.rmtree(seeded.folder / "two", ignore_errors=True)
        words = [
            ("export", "labels", "toy", "--name", name, "--format", "png", "-o", "two") for name in ("default", "other")
        ]
        results = ended([seeded.start(*w) for w in words])
        well = [told(result, BUSY, "two exists already") for result in results]
        assert any(well)
        assert len(list((seeded.folder / "two/labels").iterdir())) == 10 and hidden(seeded.folder) == []


def test_training_beside_a_replacement_of_its_data(seeded: Wsss) -> None:
    trained = 0
    for n in range(3):
        replacing = seeded.start("prepare", "dots", "--images", 15, "--force")
        training = seeded.start("train", "toy", "--workers", 0, "--force", "--name", f"r{n}")
        results = ended([training, replacing])
        trained += told(results[0], "is making the data set", "was replaced just now")
        told(results[1], "is using the data set")
        assert len(read_prepared(seeded.folder / "data/dots").samples) == 15 and hidden(seeded.folder / "data") == []
    for n in range(3):  # what was refused can be run now
        assert seeded("train", "toy", "--workers", 0, "--name", f"r{n}").code == 0


def test_data_that_are_learnt_from_are_not_replaced(seeded: Wsss) -> None:
    training = seeded.start("train", "toy", "--workers", 0, "--name", "long", "loop.epochs=500")
    until(lambda: list((seeded.folder / "data").glob(".dots.lock.used-*.holder")))
    refused = seeded("prepare", "dots", "--images", 6, "--force")
    assert refused.code == 2 and f"process {training.pid} on " in refused.err
    assert "wsss train toy --workers 0 --name long loop.epochs=500) is using the data set data/dots" in refused.err
    beside = seeded("pseudo", "toy", "--name", "beside")  # to read together is no harm
    assert beside.code == 0, beside.text
    training.send(15)
    assert training.wait().code == 143
    assert hidden(seeded.folder / "data") == [] and len(read_prepared(seeded.folder / "data/dots").samples) == 15


def test_data_that_a_kill_left_under_another_name_are_found(seeded: Wsss) -> None:
    data = seeded.folder / "data"
    for words in (("pseudo", "toy"), ("check",), ("prepare", "dots", "--images", 15)):
        (data / "dots").rename(data / ".dots.old")
        done = seeded(*words)
        assert "no prepared data set" not in done.text and done.code == 0, done.text
        assert len(read_prepared(data / "dots").samples) == 15 and hidden(data) == []
