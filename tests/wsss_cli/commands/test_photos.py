"""`wsss infer --images` through the entry point."""

import csv
import shutil
from pathlib import Path

import pytest
from PIL import Image

from processes import Wsss
from wsss_cli.commands.photos import spread
from wsss_cli.data.labels import read_labels


@pytest.fixture(scope="module")
def trained(dots: Path, toy_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Wsss:
    """A folder with a trained run, whose data set is gone, and photos."""
    folder = tmp_path_factory.mktemp("photos")
    shutil.copytree(dots / "data", folder / "data")
    command = Wsss(folder, (toy_site,))
    done = command("train", "toy", "--workers", 0, "loop.epochs=1")
    assert done.code == 0, done.text
    pictures = sorted((folder / "data").rglob("images/*"))[:3]
    (folder / "trip/late").mkdir(parents=True)
    for path, name in zip(pictures, ("a.png", "b.jpg", "late/c.tif")):
        with Image.open(path) as image:
            image.convert("RGB").resize((50, 30)).save(folder / "trip" / name)
    shutil.rmtree(folder / "data")
    return command


OUT = Path("predictions/dots/toy/default/trip")


def test_the_photos_of_a_folder(trained: Wsss) -> None:
    latest = (trained.folder / "runs/latest").stat().st_mtime_ns
    asked = (trained.folder / "runs/dots/toy/default/run.yaml").read_bytes()
    (trained.folder / "file").touch()
    refused = trained("infer", "--images", "trip", "-o", "file/out")
    assert refused.code == 2 and "--output file/out: " in refused.err and "file is no folder\n" in refused.err
    done = trained("infer", "--images", "trip", "--overlay")
    assert done.code == 0 and f"3 of 3 photos: labels, overlay, areas.csv -> {OUT}" in done.out
    assert read_labels(trained.folder / OUT / "labels/late/c.png").shape == (30, 50)
    with (trained.folder / OUT / "areas.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 4 and all(sum(map(int, row[3:])) == 50 * 30 for row in rows[1:])
    assert (trained.folder / "runs/latest").stat().st_mtime_ns == latest
    assert (trained.folder / "runs/dots/toy/default/run.yaml").read_bytes() == asked


def test_what_cannot_be_read_is_named_at_the_end(trained: Wsss) -> None:
    (trained.folder / "odd.jpg").write_text("no picture")
    done = trained("infer", "toy", "--images", "odd.jpg", "trip/a.png", "trip/late/c.tif", "-o", "some", "flip=true")
    assert done.code == 3 and "odd.jpg is not an image" in done.err and "2 of 3 photos" in done.out
    assert sorted(path.name for path in (trained.folder / "some/labels").rglob("*.png")) == ["a.png", "c.png"]
    assert '"flip": true' in (trained.folder / "some/predictions.json").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--images", "nothing"], "--images nothing: there is no such file or folder"),
        (["toy", "--name", "defualt", "--images", "trip"], "no trained run toy/defualt in runs; did you mean"),
        (["toy", "--data", "dats", "--images", "trip"], "no trained run toy/default on data set 'dats' in runs"),
        (["--images", "trip", "--split", "val"], "leave out --split"),
        (["--images", "trip", "--procs", 2], "predicted by one process"),
        (["--images", "trip", "flipp=true"], "did you mean 'flip'"),
        (["--images", "trip", "window=8", "window_stride=30"], "leaves gaps between windows of 8: make it 8 or less"),
        (["--images", "trip", "--set", "train.x=1"], "'train' is set, but a trained network is applied as it is"),
        (["--overlay"], "--overlay is of --images\n  add --images PATH"),
        *(
            ([option, value], f"{option} is of --images\n  add --images PATH")
            for option, value in (
                ("--model", "x"),
                ("--output", "x"),
                ("--white-level", 0),
                ("--black-level", 0),
                ("--pages", "first"),
                ("--max-megapixels", 100),
                ("--long-side", 0),
            )
        ),
        (["--competition", "comp5"], "--competition is of --voc-submission\n  add --voc-submission FILE"),
        (["--images"], "requires an argument"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(trained: Wsss, words: list[str], message: str) -> None:
    done = trained("infer", *words)
    assert done.code == 2 and message in done.text and not (trained.folder / "data").exists()


def test_what_tags_would_do_is_said_to_do_nothing(trained: Wsss) -> None:
    done = trained("infer", "toy", "--images", "trip", "infer.among=tags")
    assert done.code == 0 and "infer.among=tags does nothing here" in done.err


def test_a_run_that_was_never_trained_is_not_trained_now(trained: Wsss) -> None:
    folder = trained.folder / "runs/dots/toy/half/train"
    shutil.copytree(trained.folder / "runs/dots/toy/default/train", folder)
    text = (folder / "stage.json").read_text().replace('"finished"', '"interrupted"')
    (folder / "stage.json").write_text("\n".join(line for line in text.splitlines() if '"sum"' not in line))
    lines = (folder / "stage.json").read_text().rpartition(",")
    (folder / "stage.json").write_text(f"{lines[0]}{lines[2]}")
    done = trained("infer", "toy", "--name", "half", "--images", "trip")
    assert done.code == 2 and "run dots/toy/half has no network: its training has not reached its end" in done.err
    assert "wsss train toy --data dots --name half" in done.err
    shutil.rmtree(folder.parent)


def test_a_network_is_taken_away(trained: Wsss, toy_site: Path, tmp_path: Path) -> None:
    done = trained("export", "model", "--to", tmp_path / "dots-net", "--licence", "CC0-1.0")
    assert done.code == 0 and "next: wsss infer --model" in done.out, done.text
    again = trained("export", "model", "--to", tmp_path / "dots-net")
    assert again.code == 2 and "exists already" in again.err
    assert trained("infer", "--images", "trip", "-o", "here").code == 0
    shutil.copytree(trained.folder / "trip", tmp_path / "trip")
    elsewhere = Wsss(tmp_path, (toy_site,))
    done = elsewhere("infer", "--model", "dots-net", "--images", "trip")
    assert done.code == 0 and "3 of 3 photos: labels, areas.csv -> predictions/dots-net/trip" in done.out, done.text
    for name in ("a.png", "b.png", "late/c.png"):
        same = [
            folder / "labels" / name for folder in (trained.folder / "here", tmp_path / "predictions/dots-net/trip")
        ]
        assert same[0].read_bytes() == same[1].read_bytes()
    for words, message in (
        (["--name", "x"], "leave out --name"),
        (["irn"], "leave out irn"),
        (["train.lr=1"], "'train' is set, but a trained network is applied as it is"),
        (["flipp=true"], "did you mean 'flip'"),
    ):
        done = elsewhere("infer", *words, "--model", "dots-net", "--images", "trip")
        assert done.code == 2 and message in done.err, done.text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--images", "a", "b", "--overlay", "irn"], ["--images", "a", "--images", "b", "--overlay", "irn"]),
        (["irn", "--images", "a", "flip=true", "-o", "x"], ["irn", "--images", "a", "flip=true", "-o", "x"]),
        (["--images=a", "irn"], ["--images=a", "irn"]),
        (["--images", "a", "--", "irn"], ["--images", "a", "--", "irn"]),
    ],
)
def test_images_take_all_words_up_to_the_next_option(words: list[str], expected: list[str]) -> None:
    assert spread(words) == expected
