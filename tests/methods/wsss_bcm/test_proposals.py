"""Seeds from boxes: what the CRF is told, fallbacks, GrabCut (if OpenCV is installed), ready-made ones."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from wsss_bcm import grabcut
from wsss_bcm.config import Seeds
from wsss_bcm.proposals import box_scores, crf_labels, seed, with_fallback
from wsss_bcm.seeds import ready_made
from wsss_cli.config import as_dict, resolve, template
from wsss_cli.data.label_format import BYTE, WORD
from wsss_cli.data.prepared import Box, Sample
from wsss_cli.errors import WsssError

CPU = torch.device("cpu")


def test_scores_of_boxes() -> None:
    boxes = [Box(4, 0, 0, 20, 10), Box(2, 10, 0, 30, 10)]
    scores = box_scores(boxes, [2, 4], (12, 40))
    torch.testing.assert_close(scores.sum(0), torch.ones(12, 40))
    assert scores[:, 11, 0].tolist() == [1, 0, 0] and scores[:, 0, 35].tolist() == [1, 0, 0]
    assert scores[:, 0, 0].tolist() == [0.5, 0, 0.5] and scores[:, 0, 12].tolist() == [0.5, 0.25, 0.25]
    torch.testing.assert_close(scores[:, 5, 10], torch.tensor([0.1, 0, 0.9]))
    torch.testing.assert_close(scores[:, 5, 20], torch.tensor([0.1, 0.9, 0]))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A red disc on noisy green."""
    y, x = np.mgrid[:48, :60]
    image = np.random.default_rng(0).integers(0, 30, (48, 60, 3)).astype(np.uint8)
    image[..., 1] += 120
    image[(y - 24) ** 2 + (x - 30) ** 2 < 15**2] = 200, 20, 20
    return image


def disc() -> np.ndarray:
    y, x = np.mgrid[:48, :60]
    return (y - 24) ** 2 + (x - 30) ** 2 < 15**2


def test_the_crf_finds_the_object_in_its_box(picture: np.ndarray) -> None:
    box = Box(300, 14, 8, 47, 41)
    labels = crf_labels(picture, [box], Seeds(), WORD, CPU)
    assert labels.dtype == np.int32 and set(np.unique(labels)) == {0, 300}
    assert ((labels == 300) != disc()).mean() < 0.01


def test_poor_segments_fall_back_and_leave_others_theirs() -> None:
    labels = np.zeros((20, 40), np.uint8)
    labels[0:20, 20:40] = 2
    labels[8:10, 4:6] = 1  # 4 of 400 pixels
    boxes = [Box(1, 0, 0, 20, 20), Box(2, 16, 0, 40, 20)]
    made = with_fallback(labels, boxes, 0.5, 0.2, BYTE)
    assert (made[:, 20:] == 2).all() and (made[:, :16] != 0).all()
    assert (made == 1).sum() == 81 and (made[:, :16] == 255).sum() == 16 * 20 - 81
    assert np.array_equal(with_fallback(labels, boxes, 0.0, 0.2, BYTE), labels)


def test_grabcut_without_opencv_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(WsssError, match=r'OpenCV is not installed\n.*pip install "wsss\[grabcut\]"'):
        grabcut.require_opencv()


def test_grabcut_agrees_on_a_clear_object(picture: np.ndarray) -> None:
    pytest.importorskip("cv2")
    box = Box(3, 14, 8, 47, 41)
    other = grabcut.grabcut_labels(picture, [box], BYTE)
    assert ((other == 3) != disc()).mean() < 0.02
    both = seed(picture, [box], Seeds(origin="grabcut"), BYTE, CPU)
    assert set(np.unique(both)) <= {0, 3, 255} and ((both == 3) & ~disc()).mean() < 0.01
    whole = grabcut.grabcut_labels(picture, [Box(3, 0, 0, 60, 48)], BYTE)
    assert (whole == 3).all()  # no background to learn from


def test_grabcut_seeds_are_what_both_agree_on(picture: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """With GrabCut's answer given: the left half of the image."""
    other = np.zeros((48, 60), np.uint8)
    other[:, :30] = 3
    monkeypatch.setattr("wsss_bcm.proposals.grabcut_labels", lambda *_: other)
    made = seed(picture, [Box(3, 14, 8, 47, 41)], Seeds(origin="grabcut", fallback=0), BYTE, CPU)
    crf = crf_labels(picture, [Box(3, 14, 8, 47, 41)], Seeds(), BYTE, CPU)
    assert np.array_equal(made == 255, crf != other) and np.array_equal(made[crf == other], crf[crf == other])


@pytest.mark.parametrize("key", ["from", "origin"])
def test_where_seeds_come_from_is_the_key_from(key: str) -> None:
    config = resolve(Seeds, "seeds", {key: "import", "folder": "x"})
    assert config.origin == "import" and as_dict(config)["from"] == "import" and "origin" not in as_dict(config)
    assert resolve(Seeds, "seeds", as_dict(config)) == config and "\nfrom: import" in template(Seeds, config)
    with pytest.raises(WsssError, match=r"'seeds.from' = 'mcg': input should be 'crf'"):
        resolve(Seeds, "seeds", {"from": "mcg"})


def test_ready_made_seeds_that_are_not_there(tmp_path: Path) -> None:
    samples: Any = [Sample("a", Path("a.jpg"), 4, 4, (1,))]
    with pytest.raises(WsssError, match=r"seeds.folder=DIR"):
        ready_made(Seeds(origin="import"), samples)
    with pytest.raises(WsssError, match=r"holds no label map for 1 images, first a.png"):
        ready_made(Seeds(origin="import", folder=str(tmp_path)), samples)
