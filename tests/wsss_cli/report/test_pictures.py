import base64
import io

import numpy as np
from PIL import Image

from wsss_cli.report.pictures import MOST_BYTES, SIDE, borders, data_uri, heat, overlay, thumbnail

RED, BLUE = (200, 0, 0), (0, 0, 200)


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2])))


def test_thumbnail_keeps_the_proportions_and_small_pictures() -> None:
    assert thumbnail(np.zeros((750, 1000, 3), np.uint8)).shape == (round(SIDE * 0.75), SIDE, 3)
    assert thumbnail(np.zeros((20, 10, 3), np.uint8)).shape == (20, 10, 3)
    assert thumbnail(np.zeros((1, 4000, 3), np.uint8)).shape == (1, SIDE, 3)


def test_even_noise_stays_below_the_bound() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    uri = data_uri(noise)
    assert len(base64.b64decode(uri.partition("base64,")[2])) <= MOST_BYTES
    assert decoded(uri).size == (SIDE, SIDE)


def test_overlay_mixes_the_classes_and_leaves_the_background() -> None:
    small = np.full((20, 20, 3), 100, np.uint8)
    labels = np.zeros((40, 40), np.uint8)
    labels[:, 20:] = 1
    labels[30:, 20:] = 255
    out = overlay(small, labels, [(0, 0, 0), RED])
    assert (out[:, :9] == 100).all()  # background
    assert (out[:14, 11:] == (160, 40, 40)).all()  # 0.4 * 100 + 0.6 * colour
    assert (out[:15, 9] == 255).all()  # the line between the two
    assert (out[16:, 11:] == round(0.4 * 100 + 0.6 * 224)).all()  # ignored


def test_borders_are_between_ids_but_not_around_ignored_pixels() -> None:
    ids = np.array([[0, 1, 1], [0, 1, 1], [255, 2, 2]], np.uint8)
    assert borders(ids).astype(int).tolist() == [[1, 0, 0], [1, 1, 1], [0, 0, 0]]


def test_heat_shows_the_strongest_class() -> None:
    small = np.full((8, 8, 3), 255, np.uint8)
    cam = np.zeros((2, 8, 8), np.float32)
    cam[0, :, :4], cam[1, :, 4:] = 1.0, 0.5
    out = heat(small, cam, [RED, BLUE]).astype(int)
    assert np.abs(out[:, :4] - (0.1 * 255 + 0.9 * np.array(RED))).max() <= 1
    assert np.abs(out[:, 4:] - (0.55 * 255 + 0.45 * np.array(BLUE))).max() <= 1
    assert (heat(small, 0 * cam, [RED, BLUE]) == 255).all()
