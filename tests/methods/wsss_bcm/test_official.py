"""Official checkpoints of both kinds, pseudo-labels against the released code, and its scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from key_lists import constant, keys
from reference_vectors import vectors
from wsss_bcm import METHOD
from wsss_bcm.checkpoint import load_official
from wsss_bcm.config import Infer, Phase, Train
from wsss_bcm.nets import build, groups
from wsss_bcm.pseudo import confident_labels, winner
from wsss_bcm.scores import frequency_weighted_iou
from wsss_bcm.training import predictor, train
from wsss_cli.data.prepared import DatasetInfo, Prepared
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.metrics.confusion import class_iou, confusion, scores
from wsss_cli.ranks.distributed import Runtime

KEYS = keys("bcm/bcm_state_dict")
NAMES = tuple(f"class{i}" for i in range(20))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("official") / "fr_model.pth"
    torch.save(constant(KEYS), path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Prepared:
    splits = {"train": "train", "val": "val", "seeds": "train"}
    return Prepared(tmp_path, DatasetInfo("voc", "voc", NAMES, splits, "drawn", hash="x"), ())


def test_every_key_of_bcms_checkpoint_has_a_place(file: Path, data: Prepared, tmp_path: Path) -> None:
    """As the weights of the last phase, instead of a training: no seeds, no images."""
    config = Train(fr=Phase(checkpoint=str(file)))
    assert config.unneeded() == ("seeds",)
    runtime = Runtime(torch.device("cpu"))
    assert train(Job(data, METHOD, "train", config, tmp_path, {}, runtime)) == {}
    net = predictor(tmp_path / "checkpoint.pt", Job(data, METHOD, "infer", Infer(), tmp_path, {}, runtime))
    own = net.state_dict()
    assert len(own) == len(KEYS) == 634
    for key, value in constant(KEYS).items():
        name = key.removeprefix("base.").replace("aspp.c", "head.classifier.convs.").replace("aspp.bcm", "bcm")
        assert torch.equal(own[name if name.startswith(("head", "bcm")) else f"backbone.body.{name}"], value)
    assert sum(p.numel() for p in net.parameters()) == 44_091_561
    sizes = [sum(p.numel() for p in group["params"]) for group in groups(net, 2.5e-4, 10, 20, 5e-4)]
    assert sizes == [42_394_816, 1_591_296, 105]
    assert [len(group["params"]) for group in groups(net, 2.5e-4, 10, 20, 5e-4)] == [104, 5, 5]


def test_a_file_of_the_other_kind_is_refused(file: Path) -> None:
    with torch.device("meta"):
        plain = build("base", Train().net.model_copy(update={"pretrained": "none"}), 21, (0.5, 0.75))
    with pytest.raises(WsssError, match=r"aspp.bcm.weight' has no place in it"):
        load_official(plain, file)


@vectors("bcm/gen_pseudo")
def test_pseudo_labels_are_the_released_ones(ref: dict[str, Any]) -> None:
    label, score = winner(torch.from_numpy(ref["logit"]), ref["mask"].shape)
    np.testing.assert_array_equal(label, ref["mask"])
    np.testing.assert_allclose(score, ref["prob_max"], rtol=0, atol=1e-5)
    mixed = confident_labels(ref["seed_label"], label.byte().numpy(), score.numpy())
    np.testing.assert_array_equal(mixed, ref["mask_prob"])


@vectors("bcm/scores")
def test_scores_are_the_released_ones(ref: dict[str, Any]) -> None:
    truth = ref["gt"]
    known = (truth >= 0) & (truth < 21)
    matrix = confusion(np.where(known, truth, 255).astype(np.uint8), ref["pred"].astype(np.uint8), 21)
    np.testing.assert_array_equal(matrix, ref["hist"])
    found = scores(matrix, "ground_truth")
    wanted = [ref[name] for name in ("pixel_acc", "mean_acc", "miou", "fwiou")]
    ours = [found.pixel_accuracy, found.mean_accuracy, found.miou, frequency_weighted_iou(matrix)]
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-5)
    np.testing.assert_allclose(class_iou(matrix), ref["class_iou"], rtol=0, atol=1e-5)
