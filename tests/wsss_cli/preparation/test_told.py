"""What a data set plugin may return, and what is said of anything else: plugin and field, nothing written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from prepared_data import prepare
from wsss_cli.config import Config
from wsss_cli.data.prepared import BadSample, Box, DatasetInfo, Prepared, Sample
from wsss_cli.dataset import Dataset
from wsss_cli.errors import WsssError

INFO = DatasetInfo("mine", "mine", ("cat", "dog"), {"train": "train", "val": "val"}, "generated")


@dataclass(frozen=True)
class Given(Dataset):
    """A plugin that returns what it was given."""

    answer: Any = None

    def function(self) -> Callable[[Any, Path], Any]:
        return lambda options, folder: self.answer


def made(tmp_path: Path, answer: Any) -> Prepared:
    plugin = Given("mine", "", "my_data:prepare", "", answer=answer)
    return prepare(plugin, Config(), "mine", tmp_path / "data")


def refused(tmp_path: Path, answer: Any) -> str:
    with pytest.raises(WsssError) as caught:
        made(tmp_path, answer)
    assert "mend the plugin" in caught.value.remedy and not list((tmp_path / "data").iterdir())
    return str(caught.value)


def samples(folder: Path, **changes: Any) -> Iterator[Sample]:
    """One of each split, 10 x 8, the first with the changes."""
    for n, split in enumerate(("train", "val")):
        path = folder / f"{split}.png"
        Image.new("RGB", (10, 8), (n, 99, 0)).save(path)
        sample = Sample(split, path, 10, 8, (1,), (Box(1, 2, 1, 6, 5),), None, (split,))
        yield sample if n else replace(sample, **changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"boxes": (Box(1, 1.5, 1, 6, 5),)}, "boxes.0.x0 = 1.5: input should be a valid integer"),  # type: ignore[arg-type]
        ({"boxes": ((1, 2, 1, 6, 5),)}, "boxes.0 = (1, 2, 1, 6, 5): input should be "),
        ({"width": "wide"}, "width = 'wide': input should be a valid integer"),
        ({"tags": ("cat",)}, "tags.0 = 'cat': input should be a valid integer"),
        ({"tags": None}, "tags = None: input should be a valid tuple"),
        ({"splits": "train"}, "splits = 'train': input should be a valid tuple"),
        ({"mask": 3}, "mask = 3: input is not a valid path"),
    ],
)
def test_a_field_of_another_type(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    assert f"plugin 'mine', Sample 'train': {says}" in refused(tmp_path, (INFO, samples(tmp_path, **changes)))


def test_numbers_of_numpy_lists_and_whole_floats_become_what_is_meant(tmp_path: Path) -> None:
    boxes = [Box(np.int64(1), 2.0, 1, np.float64(6), 5)]  # type: ignore[arg-type]
    odd = samples(tmp_path, width=np.int32(10), tags=np.array([1]), boxes=boxes, image=str(tmp_path / "train.png"))
    plain = made(tmp_path / "plain", (INFO, samples(tmp_path))).info
    assert made(tmp_path, [INFO, odd]).info.hash == plain.hash


@pytest.mark.parametrize("id", [3, None, ("a",)])
def test_an_id_that_is_no_text(tmp_path: Path, id: Any) -> None:
    with pytest.raises(WsssError, match=r"the id of an image .* is no text"):
        Sample(id, tmp_path, 10, 8, ())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "my_data:prepare returned NoneType"),
        (iter(()), "my_data:prepare returned tuple_iterator"),
        ((iter(()), INFO), "my_data:prepare returned tuple_iterator, DatasetInfo"),
        ((INFO, None), "my_data:prepare returned DatasetInfo, NoneType"),
        ((INFO, [{"id": "a"}]), "among the samples of my_data:prepare is a dict"),
        ((replace(INFO, classes="cat"), []), "DatasetInfo: classes = 'cat': input should be a valid tuple"),  # type: ignore[arg-type]
        ((replace(INFO, splits=None), []), "DatasetInfo: splits = None: input should be a valid dictionary"),  # type: ignore[arg-type]
        ((replace(INFO, splits={"val": "val"}), []), "DatasetInfo.splits names no split for the role 'train'"),
        ((replace(INFO, splits={"train": "a"}), []), "DatasetInfo.splits names no split for the role 'val'"),
    ],
)
def test_what_is_no_info_and_samples(tmp_path: Path, answer: Any, says: str) -> None:
    assert "plugin 'mine'" in (said := refused(tmp_path, answer)) and says in said


def test_bad_samples_pass(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="it is torn"):
        made(tmp_path, (INFO, [*samples(tmp_path), BadSample("x", WsssError("it is torn"))]))


def test_seeds_are_scored_on_train_where_no_other_split_is_named(tmp_path: Path) -> None:
    assert made(tmp_path, (INFO, samples(tmp_path))).split_for("seeds") == "train"
    other = made(tmp_path / "b", (replace(INFO, splits={**INFO.splits, "seeds": "val"}), samples(tmp_path)))
    assert other.split_for("seeds") == "val"


def test_a_data_set_of_before_that_lacks_a_role(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="data set 'mine' names no seeds split"):
        Prepared(tmp_path, INFO, ()).split_for("seeds")
