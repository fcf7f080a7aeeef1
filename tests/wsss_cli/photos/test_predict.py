"""Photos of every kind through a network whose predictions are known."""

import csv
import json
import pickle
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colour_model import CPU, colour_model
from processes import Forked
from wsss_cli.data.georeference import georeference
from wsss_cli.data.images import read_unchecked
from wsss_cli.data.labels import read_labels
from wsss_cli.data.picture import PLAIN, Reading
from wsss_cli.data.prepared import reading_as
from wsss_cli.engine.infer import Infer
from wsss_cli.errors import WsssError
from wsss_cli.photos.find import find_photos
from wsss_cli.photos.once import photo_once
from wsss_cli.photos.predict import Failure, _write_overlay, predict_photos
from wsss_cli.photos.results import Results
from wsss_cli.runs import write_record

ORIENTATION = 0x0112


def picture(width: int = 12, height: int = 8, red: int = 3, blue: int = 2) -> Image.Image:
    """Grey, with columns of red at the left and of blue at the right."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    pixels[:, :red], pixels[:, width - blue :] = (220, 10, 10), (10, 10, 220)
    return Image.fromarray(pixels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos/trip").mkdir(parents=True)
    picture().save(tmp_path / "photos/a.png")
    picture(20, 10, 4, 0).save(tmp_path / "photos/trip/b.bmp")
    return tmp_path


def run(
    folder: Path, *kinds: str, how: Reading = PLAIN, anew: bool = False, **model: Any
) -> tuple[Results, list[Failure]]:
    found = find_photos([str(folder / "photos")])
    return predict_photos(colour_model(folder, **model), found, folder / "out", ["labels", *kinds], how, CPU, anew)


def areas(folder: Path) -> dict[str, list[int]]:
    with (folder / "out/areas.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["image", "width", "height", "background", "red", "blue"]
    return {Path(row[0]).name: list(map(int, row[1:])) for row in rows[1:]}


def test_every_kind_of_result(folder: Path) -> None:
    results, failures = run(folder, "labels_crf", "overlay", "probabilities", config=Infer(crf=True))
    assert failures == [] and sorted(results.rows) == ["a", "trip/b"]
    labels = read_labels(folder / "out/labels/a.png")
    assert labels.shape == (8, 12) and labels[0].tolist() == [1] * 3 + [0] * 7 + [2] * 2
    refined = read_labels(folder / "out/labels_crf/trip/b.png")
    assert areas(folder)["b.bmp"] == [20, 10, *np.bincount(refined.ravel(), minlength=3)]
    with Image.open(folder / "out/labels/a.png") as image:
        assert image.getpalette()[:9] == [0, 0, 0, 250, 0, 0, 0, 0, 250]  # type: ignore[index]
    with Image.open(folder / "out/overlay/trip/b.jpg") as image:
        assert image.size == (20, 10) and image.getpixel((1, 5))[0] > 200  # type: ignore[index]
    scores = np.load(folder / "out/probabilities/a.npz")["probabilities"]
    assert scores.shape == (3, 8, 12) and scores.dtype == np.float16 and (scores.argmax(0) == labels).all()
    np.testing.assert_allclose(scores.sum(0, dtype=np.float32), 1, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "mode", "turned", "areas_"),
    [
        ("grey.png", "L", 1, [12, 8, 96, 0, 0]),
        ("turned.jpg", "RGB", 6, [8, 12, 56, 24, 16]),
        ("mirrored.webp", "RGB", 2, [12, 8, 56, 24, 16]),
        ("palette.gif", "P", 1, [12, 8, 56, 24, 16]),
        ("clear.png", "RGBA", 1, [12, 8, 56, 24, 16]),
        ("print.tif", "CMYK", 1, [12, 8, 56, 24, 16]),
    ],
)
def test_pictures_are_read_as_prepare_reads_them(
    folder: Path, name: str, mode: str, turned: int, areas_: list[int]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = turned
    tidy = {"quality": 100, "subsampling": 0} if name.endswith("jpg") else {}
    tidy |= {"lossless": True} if name.endswith("webp") else {}
    picture().convert(mode).save(folder / "photos" / name, **({"exif": exif} if turned > 1 else {}), **tidy)
    assert run(folder)[1] == [] and areas(folder)[name] == areas_


def test_two_photos_of_one_stem_are_both_kept(folder: Path) -> None:
    picture(12, 8, 0, 0).save(folder / "photos/a.jpg")
    run(folder, "overlay")
    assert sorted(path.name for path in (folder / "out/labels").glob("*.png")) == ["a.jpg.png", "a.png.png"]
    assert areas(folder)["a.jpg"][2:] == [96, 0, 0] and areas(folder)["a.png"][2:] == [56, 24, 16]


def test_photos_of_one_stem_take_no_place_of_each_other_in_turn(folder: Path) -> None:
    """One after the other, then together, each is kept and counted once; of one that is gone the name is free."""
    picture(12, 8, 0, 0).save(folder / "photos/a.jpg")

    def predict(*names: str) -> list[str]:
        few = find_photos([str(folder / "photos" / name) for name in names], root=folder / "photos")
        predict_photos(colour_model(folder), few, folder / "out", ["labels"], PLAIN, CPU)
        with (folder / "out/areas.csv").open() as file:
            rows = [Path(row[0]).name for row in csv.reader(file)][1:]
        assert len(rows) == len(set(rows))
        return sorted(f"{path.stem} {read_labels(path).max()}" for path in (folder / "out/labels").glob("*.png"))

    assert predict("a.png") == ["a 2"]
    assert predict("a.jpg") == ["a 2", "a.jpg 0"]
    before = (folder / "out/labels/a.png").stat().st_mtime_ns
    assert predict("a.png", "a.jpg", "trip/b.bmp") == ["a 2", "a.jpg 0"]
    assert (folder / "out/labels/a.png").stat().st_mtime_ns == before
    (folder / "photos/a.png").rename(folder / "photos/a.bmp")
    assert predict("a.bmp") == ["a 2", "a.jpg 0"]


def test_what_cannot_be_read_is_named_and_the_rest_done(folder: Path) -> None:
    whole = (folder / "photos/a.png").read_bytes()
    (folder / "photos/cut.png").write_bytes(whole[:-20])
    (folder / "photos/empty.jpg").touch()
    (folder / "photos/text.jpg").write_text("no picture")
    (folder / "photos/line\nbreak.png").write_bytes(whole)
    _, failures = run(folder)
    said = [failure.error.what for failure in failures]
    assert len(said) == 4 and list(areas(folder)) == ["a.png", "b.bmp"]
    assert all(any(name in text for text in said) for name in ("cut.png is damaged", "empty.jpg", "text.jpg", "break"))


def test_the_rules_of_pictures_can_be_set(folder: Path) -> None:
    Image.fromarray(np.full((8, 12), 4095, np.uint16)).save(folder / "photos/deep.tif")
    frames = [picture(), picture(red=0)]
    frames[0].save(folder / "photos/pages.tif", save_all=True, append_images=frames[1:])
    assert [f.photo.id for f in run(folder)[1]] == ["pages"]
    assert run(folder, how=Reading(white=4095, first_page=True))[1] == []
    assert areas(folder)["pages.tif"] == [12, 8, 56, 24, 16]
    assert len(run(folder, how=Reading(first_page=True, megapixels=0.00015))[1]) == 1  # 20 x 10 are 200 pixels


@pytest.mark.parametrize(
    ("pictures", "of_16_bits", "of_8_bits"),
    [
        ({}, 8, 8),  # 12 bits of 16 are nearly black
        ({"white_level": 4095.0}, 128, 8),
        ({"white_level": 4095.0, "black_level": 0.0}, 128, 8),
        ({"white_level": 2048.0, "black_level": 1024.0}, 255, 8),
    ],
)
def test_photos_are_read_as_those_of_the_training(
    tmp_path: Path, pictures: dict[str, float], of_16_bits: int, of_8_bits: int
) -> None:
    how = reading_as(pictures)
    for name, pixels, expected in (("deep.png", np.uint16(2048), of_16_bits), ("plain.png", np.uint8(8), of_8_bits)):
        Image.fromarray(np.full((4, 5), pixels)).save(tmp_path / name)
        assert (read_unchecked(tmp_path / name, how) == expected).all()


def test_a_white_that_was_found_is_of_no_other_kind(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 5), 2048.0, np.float32)).save(tmp_path / "real.tif")
    with pytest.raises(WsssError, match="whose range is not fixed"):
        read_unchecked(tmp_path / "real.tif", reading_as({"white_level": 4095.0}))
    given = reading_as({"white_level": 4095.0, "black_level": 0.0, "first_page": 1.0, "max_megapixels": 2.0})
    assert (read_unchecked(tmp_path / "real.tif", given) == 128).all()
    assert given == Reading(white=4095, first_page=True, megapixels=2)


def test_only_what_is_missing_is_made(folder: Path) -> None:
    run(folder)
    labels = folder / "out/labels/a.png"
    before = labels.stat().st_mtime_ns
    (folder / "out/labels/trip/b.png").write_bytes(b"")  # as after a power cut
    picture(9, 9, 9, 0).save(folder / "photos/new.png")
    results, _ = run(folder)
    assert labels.stat().st_mtime_ns == before and areas(folder)["new.png"] == [9, 9, 0, 81, 0]
    assert read_labels(folder / "out/labels/trip/b.png").shape == (10, 20)
    picture(12, 8, 0, 0).save(folder / "photos/a.png")  # another picture under the same name
    run(folder)
    assert areas(folder)["a.png"] == [12, 8, 96, 0, 0] and len(results.rows) == 3


@pytest.mark.parametrize("noted", [True, False])
def test_no_result_of_a_photo_that_was_replaced_stays(folder: Path, noted: bool) -> None:
    """Overlays that are not asked for when the photo is another one are of the earlier photo, also where a kill left
    them without a row; those of the other photos stay."""
    run(folder, "overlay", "probabilities")
    if not noted:
        (folder / "out/photos.jsonl").write_text("")
    picture(16, 8, 0, 9).save(folder / "photos/a.png")
    run(folder, "probabilities")
    assert not (folder / "out/overlay/a.jpg").exists() and (folder / "out/overlay/trip/b.jpg").exists() == noted
    run(folder, "overlay")
    with Image.open(folder / "out/overlay/a.jpg") as image:
        assert image.size == (16, 8)
    assert (folder / "out/probabilities/a.npz").exists() and (folder / "out/overlay/trip/b.jpg").exists()


def test_no_result_of_a_photo_stays_in_whose_place_is_one_that_cannot_be_read(folder: Path) -> None:
    run(folder, "overlay")
    (folder / "photos/a.png").write_bytes(b"no picture")
    (failure,) = run(folder)[1]
    assert failure.photo.id == "a" and areas(folder).keys() == {"b.bmp"}
    assert [path.name for path in (folder / "out").rglob("*.*g") if path.stem == "a"] == []
    picture().save(folder / "photos/a.png")
    assert run(folder)[1] == [] and areas(folder)["a.png"] == [12, 8, 56, 24, 16]


def test_label_maps_of_pictures_of_a_map_lie_there_too(folder: Path) -> None:
    """By a file that GDAL reads; it goes with the photo whose place it told."""
    world = folder / "photos/a.pgw"
    world.write_text("2\n0\n0\n-2\n1001\n4999\n")
    run(folder)
    assert georeference(folder / "out/labels/a.png") == georeference(folder / "photos/a.png") is not None
    assert [path.name for path in (folder / "out").rglob("*.xml")] == ["a.png.aux.xml"]
    world.unlink()
    picture(16, 8, 0, 9).save(folder / "photos/a.png")
    run(folder)
    assert not list((folder / "out").rglob("*.xml"))
    world.write_text("2\n0\n0\n-2\n1001\n4999\n")
    run(folder, anew=True)
    (folder / "photos/a.png").write_bytes(b"no picture")
    run(folder)
    assert not list((folder / "out").rglob("*.xml"))
    picture().save(folder / "photos/a.png")
    world.write_text("2\n")
    assert run(folder)[1] == [] and not list((folder / "out").rglob("*.xml"))


def test_a_journal_that_was_cut_short_is_gone_on_with(folder: Path) -> None:
    run(folder)
    journal = folder / "out/photos.jsonl"
    first, second = journal.read_text().splitlines()
    journal.write_text(f"{first}\n{second[:20]}")
    run(folder)
    assert sorted(areas(folder)) == ["a.png", "b.bmp"]
    assert [json.loads(line)["id"] for line in journal.read_text().splitlines()] == ["a", "trip/b"]


@pytest.mark.parametrize("change", [{"config": Infer(flip=True)}, {"gain": 10.0}])
def test_results_of_other_settings_or_weights_are_set_aside(folder: Path, change: dict[str, Any]) -> None:
    run(folder)
    picture(12, 8, 0, 0).save(folder / "photos/a.png")
    run(folder, **change)
    assert read_labels(folder / "out/labels/a.png").max() == 0
    assert read_labels(folder / "out.previous/labels/a.png").max() == 2


def test_results_of_another_classifier_beside_the_network_are_set_aside(folder: Path) -> None:
    """What a gate asks is part of what predicts, though it is no part of the checkpoint."""
    model = replace(colour_model(folder), inputs={"train": folder, "seeds": folder / "seeds"})

    def predict(made: str) -> float:
        record = {"status": "finished", "config": {}, "data_hash": "", "inputs": {}, "made": made}
        write_record(folder / "seeds", record)
        found = find_photos([str(folder / "photos")])
        predict_photos(model, found, folder / "out", ["labels"], PLAIN, CPU)
        return (folder / "out/labels/a.png").stat().st_mtime_ns

    first = predict("2026-01-01")
    assert predict("2026-01-01") == first and not (folder / "out.previous").exists()
    assert predict("2026-01-02") > first and (folder / "out.previous/labels/a.png").is_file()


def test_results_are_never_written_among_other_things(folder: Path) -> None:
    run(folder)
    found = find_photos([str(folder / "photos/trip")])
    model = colour_model(folder)
    with pytest.raises(WsssError, match="holds results of the photos in"):
        predict_photos(model, found, folder / "out", ["labels"], PLAIN, CPU)
    assert predict_photos(model, found, folder / "out", ["labels"], PLAIN, CPU, anew=True)[1] == []
    with pytest.raises(WsssError, match="holds no results of photos"):
        predict_photos(model, found, folder / "photos", ["labels"], PLAIN, CPU)


@pytest.mark.parametrize("content", ["[]", "{}", "no JSON"])
def test_files_of_another_tool_are_not_taken_for_results(folder: Path, content: str) -> None:
    (folder / "out").mkdir()
    (folder / "out/predictions.json").write_text(content)
    for anew in (False, True):
        with pytest.raises(WsssError, match="out is there, and holds no results of photos"):
            run(folder, anew=anew)
    assert [path.name for path in (folder / "out").iterdir()] == ["predictions.json"]


def test_what_is_called_as_earlier_results_would_be_stays(folder: Path) -> None:
    run(folder)
    (folder / "out.previous").mkdir()
    (folder / "out.previous/keep.txt").touch()
    with pytest.raises(WsssError, match=r"would be kept as .*out\.previous, which is there, and holds no results"):
        run(folder, gain=10.0)
    assert (folder / "out.previous/keep.txt").exists() and read_labels(folder / "out/labels/a.png").max() == 2


def test_results_behind_a_link_stay_there(folder: Path) -> None:
    (folder / "big").mkdir()
    (folder / "out").symlink_to(folder / "big")
    for gain in (1.0, 2.0, 3.0):
        run(folder, gain=gain)
        assert (folder / "out").is_symlink() and (folder / "big/labels/a.png").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["big", "big.previous", "checkpoint.pt", "out", "photos"]


def test_the_table_has_every_label_map_of_a_photo_that_is_there(folder: Path) -> None:
    run(folder)
    alone = find_photos([str(folder / "photos/trip/b.bmp")], root=folder / "photos")
    predict_photos(colour_model(folder), alone, folder / "out", ["labels"], PLAIN, CPU)
    assert sorted(areas(folder)) == ["a.png", "b.bmp"]
    (folder / "photos/a.png").unlink()
    run(folder)
    assert sorted(areas(folder)) == ["b.bmp"]


def test_a_photo_that_the_memory_cannot_hold_stops_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wsss_cli.photos import predict as module

    def predict(net: Any, batch: Any, config: Infer, size: tuple[int, int]) -> Any:
        if size == (10, 20):
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            )
        return inner(net, batch, config, size)

    inner = module.predict
    monkeypatch.setattr(module, "predict", predict)
    _, failures = run(folder)
    assert [f.photo.id for f in failures] == ["trip/b"] and "too large for the memory: 20 x 10" in str(
        failures[0].error
    )
    assert list(areas(folder)) == ["a.png"]


def test_the_crf_works_in_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to the processes and comes back is as it was; `map_unordered` has tests of its own."""

    def through_pickles(function: Any, tasks: Any, workers: int) -> Iterator[tuple[int, Any]]:
        asked.append(workers)
        for i, task in enumerate(tasks):
            yield i, pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(task)))))

    asked: list[int] = []
    monkeypatch.setattr("wsss_cli.photos.predict.map_unordered", through_pickles)
    (folder / "photos/trip/b.bmp").write_bytes(b"")
    found, model = find_photos([str(folder / "photos")]), colour_model(folder, Infer(crf=True))
    kinds, runtime = ["labels", "labels_crf"], replace(CPU, workers=1)
    _, failures = predict_photos(model, found, folder / "out", kinds, PLAIN, runtime)
    assert asked == [2] and failures[0].error.what.endswith("b.bmp is empty (0 bytes)")
    assert list(areas(folder)) == ["a.png"] and sum(areas(folder)["a.png"][2:]) == 12 * 8


@pytest.mark.parametrize("long_side", [None, 8])
def test_what_a_photo_costs_is_found_by_writing_its_results_aside(folder: Path, long_side: int | None) -> None:
    before = sorted(folder.rglob("*"))
    photo_once(folder / "photos/a.png", PLAIN, long_side, outputs=3)
    assert sorted(folder.rglob("*")) == before


def test_a_picture_that_its_place_cannot_take_is_told(tmp_path: Path) -> None:
    """Pillow, writing a JPEG to a file, says no more than that an encoder failed."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        with pytest.raises(WsssError, match=r"a\.jpg is larger than its file system"):
            _write_overlay(tmp_path / "a.jpg", np.zeros((64, 64, 3), np.uint8))

    done = Forked(limited, tmp_path).wait()
    assert done.code == 0, done.text
