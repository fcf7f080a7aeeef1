"""PUF's training samples: two independent crops, small ones if asked for, all draws from the sample's generator."""

import random

import numpy as np
import torch
from torch.utils.data import default_collate

from tiny_puf import CLASSES, batch_of, settings
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_puf.data import TwoViews, to_device


def test_what_a_sample_holds(samples: list[Sample]) -> None:
    config = settings(views={"local_crops": 2})
    data = TwoViews(samples, CLASSES, config.views, config.masking)
    item, same, other = (data.item(1, random.Random(seed)) for seed in (3, 3, 4))
    assert {name: tuple(value.shape) for name, value in item.items()} == {
        "view1": (64, 64, 3),
        "view2": (64, 64, 3),
        "local": (2, 32, 32, 3),
        "tags": (3,),
        "noise": (4, 4),
    }
    assert item["tags"].tolist() == [1, 0, 1] and len(data) == 4
    assert all(torch.equal(item[name], same[name]) for name in item)
    assert not any(torch.equal(item[name], other[name]) for name in ("view1", "view2", "local", "noise"))
    assert not torch.equal(item["view1"], item["view2"])


def test_without_changes_a_view_is_a_part_of_the_image(samples: list[Sample]) -> None:
    plain = {"flip": 0.0, "colours": {"probability": 0.0}, "grey": 0.0}
    config = settings(views={"area": [1.0, 1.0], "size": 72, "view": plain})
    wide = TwoViews([samples[0]], CLASSES, config.views, config.masking)
    image = read_image(samples[0].image)  # 72 x 96, of which no allowed window is the whole
    found = wide.item(0, random.Random(0))["view1"].numpy().astype(float)
    assert abs(found.mean((0, 1)) - image.astype(float).mean((0, 1))).max() < 12
    assert np.ptp(found) > 100


def test_the_batch_goes_crop_by_crop(samples: list[Sample]) -> None:
    config = settings(views={"local_crops": 3})
    data = TwoViews(samples, CLASSES, config.views, config.masking)
    items = [data.item(i, random.Random(i)) for i in range(2)]
    batch = to_device(default_collate(items), torch.device("cpu"))
    assert batch["local"].shape == (6, 3, 32, 32) and batch["view2"].shape == (2, 3, 64, 64)
    single = to_device(default_collate([items[1]]), torch.device("cpu"))
    torch.testing.assert_close(batch["local"][1::2], single["local"])
    assert batch_of(samples, settings())["local"].shape == (0, 3, 32, 32)
