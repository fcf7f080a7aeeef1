"""Pictures of every kind through a network whose predictions are known, from Python."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import wsss_cli as wsss
from colour_model import CPU, colour_model
from wsss_cli.api.network import pixels_of
from wsss_cli.data.images import read_image
from wsss_cli.engine.infer import Infer

ROW = [1] * 3 + [0] * 7 + [2] * 2


def picture() -> Image.Image:
    """12 x 8, grey, with columns of red at the left and of blue at the right."""
    pixels = np.full((8, 12, 3), 128, np.uint8)
    pixels[:, :3], pixels[:, 10:] = (220, 10, 10), (10, 10, 220)
    return Image.fromarray(pixels)


@pytest.fixture
def network(tmp_path: Path) -> wsss.Network:
    return _network(tmp_path)


def _network(folder: Path, **settings: Any) -> wsss.Network:
    model = colour_model(folder, Infer(**settings))
    return wsss.Network(model.name, model.classes, model.palette, model, model.network(CPU), CPU)


@pytest.mark.parametrize("kind", ["file", "str", "pil", "array"])
def test_a_picture_of_every_kind(network: wsss.Network, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.png"
    picture().save(path)
    given: Any = {"file": path, "str": str(path), "pil": picture(), "array": np.array(picture())}[kind]
    found = network.predict(given, scores=True)
    assert found.labels.dtype == np.uint8 and (found.labels == ROW).all() and found.labels.shape == (8, 12)
    assert found.scores is not None and found.scores.shape == (3, 8, 12) and found.scores.dtype == np.float32
    assert (found.scores.argmax(0) == found.labels).all()
    np.testing.assert_allclose(found.scores.sum(0), 1, atol=1e-5)
    assert (found.image == np.array(picture())).all() and found.classes == ("red", "blue")
    assert network.predict(given).scores is None


def test_a_network_that_learnt_from_smaller_photos_sees_them_so(tmp_path: Path) -> None:
    model = replace(colour_model(tmp_path, Infer()), long_side=6)
    network = wsss.Network(model.name, model.classes, model.palette, model, model.network(CPU), CPU)
    found = network.predict(picture(), scores=True)
    assert found.image.shape == (8, 12, 3) and found.labels.shape == (8, 12)
    assert found.scores is not None and found.scores.shape == (3, 8, 12)
    assert (found.scores.argmax(0) == found.labels).all() and set(found.labels[4]) == {0, 1, 2}


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize(
    ("tags", "ids"),
    [
        (["blue"], {0, 2}),
        (["red"], {0, 1}),
        (["blue", "red", "red"], {0, 1, 2}),
        ([], {0}),
        ("blue", {0, 2}),
        ((2,), {0, 2}),  # as Sample.tags
        (np.array([1, 2], np.uint8), {0, 1, 2}),  # as Cam.class_ids
        (["red", 2], {0, 1, 2}),
    ],
)
def test_no_class_is_predicted_but_the_tags(tmp_path: Path, tags: Any, ids: set[int], crf: bool) -> None:
    network = _network(tmp_path, crf=crf)
    found, every = network.predict(picture(), scores=True, tags=tags), network.predict(picture(), scores=True)
    assert found.scores is not None and every.scores is not None
    assert set(np.unique(found.labels)) <= ids and ids <= set(np.unique(found.labels)) | {0}
    others = sorted({0, 1, 2} - ids)
    assert not found.scores[others].any()
    np.testing.assert_allclose(found.scores.sum(0), 1, atol=1e-5)
    odds, kept = every.scores[1] / every.scores[0], found.scores[1] / found.scores[0]
    assert 1 not in ids or np.allclose(odds, kept, rtol=1e-4)  # among themselves they stand as before


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["bleu"], r"knows no class 'bleu'; did you mean 'blue'\?"),
        ([0], "knows no class '0'\n  the classes are: red, blue"),
        ([3], "knows no class '3'"),
        (5, "tags = 5: input should be a valid list\n  give a list of names of classes, or of their ids"),
        ([None], r"tags = \[None\]: input should be a valid string, or input should be a valid integer"),
    ],
)
def test_a_tag_that_is_no_class(network: wsss.Network, tags: Any, message: str) -> None:
    with pytest.raises(wsss.WsssError, match=message):
        network.predict(picture(), tags=tags)


def test_the_overlay(network: wsss.Network) -> None:
    found = network.predict(picture())
    whole, small = found.overlay(), found.overlay(side=6, opacity=1.0)
    assert whole.size == (12, 8) and small.size == (6, 4)
    assert whole.getpixel((0, 0)) == (235, 5, 5) and whole.getpixel((6, 4)) == (128, 128, 128)


def test_the_crf_refines_the_labels_if_the_settings_ask(tmp_path: Path) -> None:
    speckled = np.array(picture())
    speckled[4, 6] = (190, 110, 100)  # a little red
    assert _network(tmp_path).predict(speckled).labels[4, 6] == 1
    assert _network(tmp_path, crf=True).predict(speckled).labels[4, 6] == 0


@pytest.mark.parametrize(
    ("mode", "save", "turn"),
    [("RGB", {}, 1), ("RGB", {}, 6), ("L", {}, 1), ("P", {}, 1), ("RGBA", {}, 1), ("I;16", {}, 1)],
)
def test_an_open_picture_is_seen_as_its_file_is(tmp_path: Path, mode: str, save: dict[str, Any], turn: int) -> None:
    made = Image.fromarray((np.arange(96).reshape(8, 12) * 600).astype(np.uint16)) if mode == "I;16" else None
    made = made or picture().convert(mode)
    exif = Image.Exif()
    exif[0x0112] = turn
    made.save(tmp_path / "a.png", exif=exif, **save)
    with Image.open(tmp_path / "a.png") as opened:
        assert (pixels_of(opened) == read_image(tmp_path / "a.png")).all()
    if turn == 1:
        assert (pixels_of(made) == read_image(tmp_path / "a.png")).all()


def test_grey_arrays(network: wsss.Network) -> None:
    assert (network.predict(np.full((5, 4), 9, np.uint8)).labels == 0).all()


@pytest.mark.parametrize("shape", [(8, 12, 3), (8, 12)])
def test_a_prediction_keeps_its_picture_when_the_callers_buffer_is_filled_anew(
    network: wsss.Network, shape: tuple[int, ...]
) -> None:
    """As of frames of a camera."""
    buffer = np.full(shape, 9, np.uint8)
    found = network.predict(buffer)
    buffer[:] = 200
    assert (found.image == 9).all() and found.overlay().getpixel((0, 0)) == (9, 9, 9)


@pytest.mark.parametrize("shape", [(8, 12, 3), (8, 12)])
def test_arrays_of_every_layout(network: wsss.Network, shape: tuple[int, ...]) -> None:
    closed = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    closed.flags.writeable = False
    for array in (closed, closed[::-1, ::2], np.asfortranarray(closed)):
        found = network.predict(array).image
        assert (found == array.reshape(*array.shape[:2], -1)).all() and found.flags.c_contiguous


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((4, 4, 3)), r"shape \(4, 4, 3\) and type float64 is no picture"),
        (np.zeros((3, 4, 4), np.uint8), r"shape \(3, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)"),
        (np.zeros((4,), np.uint8), r"shape \(4,\)"),
        ("nowhere.png", "nowhere.png is missing"),
        (Image.new("F", (4, 4)), "the picture has 32-bit pixels"),
    ],
)
def test_what_is_no_picture(network: wsss.Network, given: Any, message: str) -> None:
    with pytest.raises(wsss.WsssError, match=message):
        network.predict(given)


def test_a_damaged_picture(network: wsss.Network, tmp_path: Path) -> None:
    picture().resize((200, 100)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-600])
    with Image.open(tmp_path / "a.jpg") as opened, pytest.raises(wsss.WsssError, match=r"a.jpg is damaged"):
        network.predict(opened)


def test_threads_share_a_network(network: wsss.Network) -> None:
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(network.predict(picture()).labels)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all((labels == ROW).all() for labels in found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flipp": True}, "did you mean 'flip'"),
        ({"train.lr": 1}, "'train' is no stage of a trained network"),
        ({"window": 8, "window_stride": 30}, r"'infer.window_stride' = 30: leaves gaps between windows of 8"),
    ],
)
def test_settings_that_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], message: str
) -> None:
    model = colour_model(tmp_path)
    monkeypatch.setattr("wsss_cli.api.network.read_exported", lambda place: model)
    with pytest.raises(wsss.WsssError, match=message):
        wsss.load_model(tmp_path, settings=settings)


def test_settings_of_an_exported_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = replace(colour_model(tmp_path), name="away")
    monkeypatch.setattr("wsss_cli.api.network.read_exported", lambda place: model)
    found = wsss.load_model(tmp_path, settings={"scales": (0.5, 1.0), "flip": True}, device="cpu")
    assert found.name == "away" and (found.predict(picture()).labels[:, 6] == 0).all()


def test_the_folder_of_a_run_that_was_never_trained(tmp_path: Path) -> None:
    """As of the Run itself: it is no exported network whose files are gone."""
    run = wsss.Run(tmp_path, "toy", "irn", "default")
    for left, content in (("run.yaml", "{recipe: null, set: null}"), ("seeds/stage.json", "{}")):
        (run.folder / left).parent.mkdir(parents=True)
        (run.folder / left).write_text(content)
        for source in (run, run.folder, str(run.folder)):
            with pytest.raises(wsss.WsssError, match=r"run toy/irn/default has no network: it was never trained"):
                wsss.load_model(source)
        shutil.rmtree(run.folder)
    with pytest.raises(wsss.WsssError, match=r"there is no model in .*: model.json is missing"):
        wsss.load_model(run.folder)
