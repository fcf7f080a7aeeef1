"""Instances against the released code, detection by detection; the COCO file as pycocotools reads it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as rle
from pycocotools.coco import COCO

from reference_vectors import vectors
from wsss_cli.data.instances import coco_file
from wsss_cli.data.prepared import Sample
from wsss_irn.instances import centroids, clusters, coco_annotations, detect, instance_cams

BACKGROUND = 0.25


@vectors("beco/irn_instances")
def test_instances_are_the_released_ones(ref: dict[str, Any]) -> None:
    field, cam, keys = torch.from_numpy(ref["displacement"]), torch.from_numpy(ref["cams"]), ref["keys"].tolist()
    centroid = centroids(field)
    np.testing.assert_array_equal(centroid, ref["centroids"])
    cluster = clusters(centroid, field)
    m = len(ref["instance_map"])
    np.testing.assert_array_equal(cluster.numpy() == np.arange(m)[:, None, None], ref["instance_map"])
    score = instance_cams(cam, cluster)
    score = score / score.max()
    np.testing.assert_allclose(score, ref["scores_norm"], rtol=0, atol=1e-5)
    score = torch.nn.functional.pad(score, (0, 0, 0, 0, 1, 0), value=BACKGROUND)
    np.testing.assert_array_equal(score.argmax(0), ref["shape_argmax"])
    found = detect(score, keys)
    h, w = found.segments.shape
    masks = np.unpackbits(ref["det_mask"], axis=1)[:, : h * w].reshape(-1, h, w)
    assert len(found.classes) == ref["det_n"]
    np.testing.assert_array_equal(found.classes, ref["det_class"])
    np.testing.assert_array_equal(np.stack(list(found.masks())), masks)
    np.testing.assert_allclose(found.scores, ref["det_score"], rtol=0, atol=1e-5)


def _two_objects() -> torch.Tensor:
    """A field (2, 20, 40) that points to two centres: (9, 9) and (9, 29)."""
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(40.0), indexing="ij")
    return torch.stack([9 - y, torch.where(x < 20, 9 - x, 29 - x)]) / 4


def test_a_field_with_two_centres_gives_two_instances() -> None:
    field = _two_objects()
    cluster = clusters(centroids(field), field)
    assert cluster.unique().tolist() == [0, 1]
    assert (cluster[:, :19] == cluster[0, 0]).all() and (cluster[:, 21:] == cluster[0, 39]).all()
    cam = torch.zeros(2, 20, 40)
    cam[0, 3:17, 3:37] = 0.8
    score = torch.nn.functional.pad(instance_cams(cam, cluster), (0, 0, 0, 0, 1, 0), value=BACKGROUND)
    found = detect(score, (5, 7))
    assert found.classes.tolist() == [5, 5]
    np.testing.assert_allclose(found.scores, 0.8)


def test_no_class_gives_no_detection() -> None:
    cluster = torch.zeros(20, 40, dtype=torch.long)
    maps = instance_cams(torch.zeros(0, 20, 40), cluster)
    found = detect(torch.nn.functional.pad(maps, (0, 0, 0, 0, 1, 0), value=BACKGROUND), ())
    assert len(found.classes) == 0 and not found.segments.any()
    assert coco_annotations(found) == []


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools under NumPy 2
def test_coco_reads_the_file(tmp_path: Path) -> None:
    score = torch.zeros(3, 30, 40)
    score[0] = BACKGROUND
    score[1, 2:12, 3:9], score[2, 15:28, 20:33] = 0.9, 0.5
    found = detect(score, (4, 2))
    parts = [coco_annotations(found), [], coco_annotations(found)]
    samples = [
        Sample(name, Path(f"{name}.jpg"), w, h, ()) for name, h, w in (("a", 30, 40), ("b", 5, 6), ("c", 30, 40))
    ]
    whole = coco_file(samples, parts, ["w", "x", "y", "z"])
    (tmp_path / "instances.json").write_text(json.dumps(whole))
    coco = COCO(str(tmp_path / "instances.json"))
    assert sorted(coco.getCatIds(["z", "x"])) == [2, 4]
    assert [a["category_id"] for a in coco.loadAnns(coco.getAnnIds(imgIds=3))] == [4, 2]
    assert coco.getAnnIds(imgIds=2) == []
    first = coco.loadAnns(1)[0]
    assert first["bbox"] == [3, 2, 6, 10] and first["area"] == 60
    np.testing.assert_array_equal(rle.decode(first["segmentation"]), score[1] > 0)
