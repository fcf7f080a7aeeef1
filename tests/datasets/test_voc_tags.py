"""Tags from the .npy files of released code, with number and text keys; whatever else is in such a file is refused."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prepared_data import prepare
from tiny_voc import tiny_voc
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_voc import DATASET
from wsss_voc.tags import read_tags


def vector(*labels: int, dtype: Any = np.float32) -> np.ndarray:
    row = np.zeros(20, dtype)
    row[[label - 1 for label in labels]] = 1
    return row


def saved(tmp_path: Path, content: Any) -> Path:
    np.save(tmp_path / "cls_labels.npy", content)
    return tmp_path / "cls_labels.npy"


@pytest.fixture
def devkit(tmp_path: Path) -> Path:
    return tiny_voc(tmp_path)


def run(tmp_path: Path, devkit: Path, tags: Path, **options: Any) -> Prepared:
    config = DATASET.config_class()(root=devkit, tags=tags, **options)
    return prepare(DATASET, config, "tiny", tmp_path / "data")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, bool])
@pytest.mark.parametrize("key", ["2007_000032", np.str_("2007_000032"), 2007000032, np.int64(2007000032)])
def test_both_kinds_of_keys(tmp_path: Path, key: Any, dtype: Any) -> None:
    assert read_tags(saved(tmp_path, {key: vector(1, 15, 20, dtype=dtype)})) == {"2007_000032": (1, 15, 20)}


def test_lists_and_no_tags(tmp_path: Path) -> None:
    rows = {"a": [0] * 19 + [1], "b": vector()}
    assert read_tags(saved(tmp_path, rows)) == {"a": (20,), "b": ()}


def test_they_replace_the_annotations_tags(tmp_path: Path, devkit: Path) -> None:
    tags = saved(tmp_path, {f"img_{n}": vector(n + 1, 9) for n in range(5)})
    (devkit / "Annotations" / "img_1.xml").unlink()
    prepared = run(tmp_path, devkit, tags)
    samples = {s.id: s for s in prepared.samples}
    assert [samples[f"img_{n}"].tags for n in range(5)] == [(n + 1, 9) for n in range(5)]
    assert samples["img_0"].boxes and not samples["img_1"].boxes  # boxes are the XML's, if there is one
    assert samples["img_5"].tags == (15,)  # of val, which the file may leave out


def test_a_training_image_without_tags(tmp_path: Path, devkit: Path) -> None:
    tags = saved(tmp_path, {f"img_{n}": vector(1) for n in range(3)})
    with pytest.raises(WsssError, match=r"cls_labels\.npy has no tags of 'img_3'"):
        run(tmp_path, devkit, tags)


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {Path(os.environ['WSSS_EVIL'])}",)


@pytest.mark.parametrize("content", [{"a": Evil()}, np.array([Evil()], object)], ids=["dict", "array"])
def test_a_pickle_that_runs_code(tmp_path: Path, content: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSSS_EVIL", str(tmp_path / "evil"))
    path = saved(tmp_path, content)
    with pytest.raises(WsssError, match=r"cls_labels\.npy is a pickle that runs code .* it asks for posix\.system"):
        read_tags(path)
    assert not (tmp_path / "evil").exists()
    np.load(path, allow_pickle=True)  # as everybody else reads it
    assert (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"a": vector(1)[:19]}, "the tags of 'a' are not 20 zeros and ones"),
        ({"a": vector(1) * 0.5}, "the tags of 'a' are not"),
        ({"a": vector(1) * np.nan}, "the tags of 'a' are not"),
        ({"a": "cat"}, "the tags of 'a' are not"),
        ({"a": None}, "the tags of 'a' are not"),
        ({"a": [[1], [2, 3]]}, "the tags of 'a' are not"),
        ({32: vector(1)}, "the key 32 is no image id"),
        ({-200700003: vector(1)}, "is no image id"),
        ({(1, 2): vector(1)}, r"the key \(1, 2\) is no image id"),
        ({}, "holds the tags of no image"),
        (np.zeros((3, 20)), "holds no dict but ndarray"),
        (np.array([{"a": 1}, {"b": 2}]), "holds no dict but ndarray"),
    ],
)
def test_what_is_not_tags(tmp_path: Path, content: Any, says: str) -> None:
    path = saved(tmp_path, content)
    with pytest.raises(WsssError, match=says) as caught:
        read_tags(path)
    assert str(path) in caught.value.what and caught.value.remedy


def test_damaged_files(tmp_path: Path) -> None:
    whole = saved(tmp_path, {"2007_000032": vector(1)}).read_bytes()
    path = tmp_path / "cut.npy"
    for length in (0, 5, 60, 140, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(WsssError, match=r"cut\.npy is damaged or no \.npy file"):
            read_tags(path)
    with pytest.raises(WsssError, match=r"nowhere\.npy cannot be read"):
        read_tags(tmp_path / "nowhere.npy")


def test_pickles_of_every_protocol(tmp_path: Path) -> None:
    import pickle

    content = np.empty((), object)
    content[()] = {"2007_000032": vector(3)}
    header = saved(tmp_path, {}).read_bytes()[:128]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "p.npy").write_bytes(header + pickle.dumps(content, protocol))
        assert read_tags(tmp_path / "p.npy") == {"2007_000032": (3,)}
