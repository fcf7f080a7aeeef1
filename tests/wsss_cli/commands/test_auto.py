"""`wsss auto`: from a folder of photos to masks of all of them."""

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from processes import Wsss
from tiny_folder import write_csv, write_image
from wsss_cli.commands.options import RunOptions
from wsss_cli.commands.run_auto import Wish, _prepared, run_auto
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.data.prepared import read_prepared
from wsss_cli.errors import WsssError
from wsss_cli.plugins import dataset as find_dataset
from wsss_cli.preparation.prepare import prepare

SMALL = (
    "seeds.net.backbone=test_resnet",
    "seeds.training.loop.epochs=1",
    "seeds.training.crop=64",
    "seeds.training.resize_long=[64, 96]",
    "seeds.scales=[1.0]",
    "pseudo.training.crop=96",
    "pseudo.training.loop.epochs=1",
    "pseudo.walk.exp_times=2",
    "train.net.backbone=test_resnet",
    "train.augment.crop=64",
    "train.loop.epochs=1",
)


def photos(folder: Path, tags: tuple[tuple[str, ...], ...] = (("cat",), ("dog",)), number: int = 8) -> Path:
    """A folder of photos with tags in turn."""
    names = [f"IMG_{n}.jpg" for n in range(number)]
    for n, name in enumerate(names):
        write_image(folder / name, (96, 72), n)
    write_csv(folder / "tags.csv", {name: tags[n % len(tags)] for n, name in enumerate(names)})
    return folder


def test_one_command_from_photos_to_masks(tmp_path: Path) -> None:
    photos(tmp_path / "my photos/first").joinpath("tags.csv").rename(tmp_path / "my photos/tags.csv")
    done = Wsss(tmp_path, ())(
        "auto", "my photos", "--pretrained", "none", "--workers", 0, *(w for s in SMALL for w in ("--set", s))
    )
    assert done.code == 0, done.text
    run = tmp_path / "runs/my_photos/irn/default"
    samples = read_prepared(tmp_path / "data/my_photos").samples
    assert len(samples) == 8
    maps = [read_labels(path) for path in (run / "photos/labels/first").iterdir()]
    assert len(maps) == 8 and {labels.shape for labels in maps} == {(72, 96)}
    assert len(list((run / "photos/overlay/first").iterdir())) == 8
    assert "Chosen settings" in (run / "report.html").read_text()
    said = " ".join(done.out.split())
    assert "in all about" in said and "were expected; about" in said and "nothing was scored" in said
    wanted = json.loads((run / "photos/predictions.json").read_text())["photos"]
    assert wanted == str(tmp_path / "my photos")  # so that photos in new folders below it make no other place
    kept = yaml.safe_load((run / "run.yaml").read_text())
    assert kept["chosen"]["method"]["value"] == "irn" and "no GPU" in kept["chosen"]["train.augment.crop"]["reason"]
    assert kept["set"]["train"]["augment"]["crop"] == 64


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def auto(folder: str, **values: object) -> None:
    options = RunOptions(dry_run=True, pretrained=["none"])
    run_auto(Wish(Path(folder), **{"method": None, "minutes": None, "options": options, **values}))  # type: ignore[arg-type]


def test_what_cannot_be_done_is_told_before_anything_is_made(place: Path) -> None:
    photos(place / "one", tags=(("cat",),))
    (place / "empty").mkdir()
    shutil.copytree(place / "one", place / "bare")
    (place / "bare/tags.csv").rename(place / "bare/tags.txt")
    wrong = {
        "nowhere": "there is no folder nowhere",
        "empty": "holds no image",
        "bare": "there is no annotation in or beside",
        "one": "have the very same tags",
        ".": "lies in the folder of the photos",
    }
    for folder, told in wrong.items():
        with pytest.raises(WsssError, match=told):
            auto(folder)
    with pytest.raises(WsssError, match="has no boxes in split 'train'"):
        auto("one", method="bcm")
    assert not (place / "data").exists() and not (place / "runs").exists()


YOLO = {f"labels/IMG_{n}.txt": f"{n % 2} 0.5 0.5 0.2 0.2\n" for n in range(8)} | {"labels/classes.txt": "cat\ndog\n"}
TAGS = {"tags.csv": "image,tags\n" + "".join(f"IMG_{n}.jpg,{('cat', 'dog')[n % 2]}\n" for n in range(8))}


@pytest.mark.parametrize(
    ("beside", "changes"),
    [
        (TAGS, {"tags.csv": TAGS["tags.csv"].replace("cat", "horse")}),
        (YOLO, {"labels/IMG_0.txt": "1 0.5 0.5 0.2 0.2\n"}),
        (YOLO, {"labels/classes.txt": "horse\ndog\n"}),
    ],
)
def test_annotations_beside_the_photos_that_have_changed_are_read_again(
    place: Path, beside: dict[str, str], changes: dict[str, str]
) -> None:
    def prepared(texts: dict[str, str]) -> str:
        for name, text in texts.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text)
        return _prepared(Wish(Path("photos"), None, None, RunOptions(data="photos"))).info.hash

    photos(place / "photos")
    (place / "photos/tags.csv").unlink()
    first = prepared(beside)
    made = (place / "data/photos/dataset.yaml").stat().st_mtime_ns
    assert prepared({}) == first and (place / "data/photos/dataset.yaml").stat().st_mtime_ns == made
    assert prepared(changes) != first


def test_a_data_set_that_somebody_else_made_is_never_made_again(place: Path) -> None:
    """Its options would be lost; one of this command's own is made again, with --dry-run elsewhere."""
    photos(place / "photos")
    config = find_dataset("folder").config_class()(images=Path("photos"), classes="dog,cat")
    prepare(find_dataset("folder"), config, "photos", place / "data")
    before = (place / "data/photos/samples.jsonl").read_bytes()
    auto("photos")
    write_image(place / "photos/IMG_0.jpg", (96, 72), 9)
    later(place / "photos/IMG_0.jpg")
    for dry in (True, False):
        with pytest.raises(WsssError, match="photos has changed since data/photos was prepared, and that was not done"):
            auto("photos", options=RunOptions(dry_run=dry, pretrained=["none"]))
    assert (place / "data/photos/samples.jsonl").read_bytes() == before

    shutil.rmtree(place / "data")
    wish = Wish(Path("photos"), None, None, RunOptions(data="photos"))
    ours = _prepared(wish)
    write_image(place / "photos/IMG_0.jpg", (96, 72), 10)
    later(place / "photos/IMG_0.jpg")
    auto("photos")
    assert read_prepared(place / "data/photos").info.hash == ours.info.hash
    assert _prepared(wish).info.hash != ours.info.hash


def later(path: Path) -> None:
    """As if it had been written in a second, for clocks of files are coarse."""
    os.utime(path, (time.time() + 1, time.time() + 1))


def test_masks_of_all_train_the_network_alone(place: Path) -> None:
    """Its plan has no pseudo-labels, so that no background score of theirs is looked for."""
    photos(place / "photos", number=24)
    for n in range(24):
        write_labels(place / f"photos/masks/IMG_{n}.png", np.full((72, 96), n % 2 + 1, np.uint8))
    done = Wsss(place, ())(
        *("auto", "photos", "--pretrained", "none", "--workers", 0),
        *("--set", "train.net.backbone=test_resnet", "--set", "train.loop.epochs=1", "--set", "train.augment.crop=64"),
    )
    assert done.code == 0, done.text
    made = {path.name for path in (place / "runs/photos/irn/default").iterdir() if path.is_dir()}
    assert {"train", "infer", "evaluate"} <= made and not {"seeds", "pseudo", "evaluate-pseudo"} & made
