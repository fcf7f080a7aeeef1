"""The checkpoints that the released code saves: every key in its place, what does not fit refused."""

from pathlib import Path
from typing import Any

import pytest
import torch

from key_lists import keys
from tiny_puf import CLASSES, settings
from wsss_cli.config import as_dict
from wsss_cli.data.prepared import DatasetInfo, Prepared
from wsss_cli.engine.adamw import adamw
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.ranks.distributed import Runtime
from wsss_puf import METHOD, stages
from wsss_puf.checkpoint import OFFICIAL, load_official, to_official
from wsss_puf.config import Infer, Net, Train
from wsss_puf.nets import SelfReinforced, build

TEACHER = {"weights": "teacher"}


@pytest.fixture
def job(tmp_path: Path) -> Any:
    """A job of the tiny settings and three classes."""
    splits = {"train": "train", "val": "val", "seeds": "train"}
    data = Prepared(tmp_path, DatasetInfo("toy", "toy", ("a", "b", "c"), splits, "drawn", "masks", hash="x"), ())
    return lambda stage, config: Job(data, METHOD, stage, config, tmp_path, {}, Runtime(torch.device("cpu")))


def tiny() -> SelfReinforced:
    return build(settings().net, CLASSES)


@pytest.mark.parametrize(("list_", "classes"), [("state_dict_voc", 20), ("state_dict_coco", 80)])
def test_the_default_network_has_the_released_keys(list_: str, classes: int) -> None:
    with torch.device("meta"):
        net = build(Net(pretrained="none"), classes)
    found = {key: tuple(value.shape) for key, value in to_official(net.state_dict()).items()}
    assert found == keys(f"puf/{list_}")


def test_parameter_groups_are_the_released_ones() -> None:
    with torch.device("meta"):
        net = build(Net(pretrained="none"), 20)
    groups = adamw(net, Train().optimiser).param_groups
    found = {(g["lr"], g["weight_decay"]): len(g["params"]) for g in groups}
    # of the last group's ten tensors one, weight_g, is not trained
    assert {(round(lr, 9), decay): n for (lr, decay), n in found.items()} == {
        (6e-5, 0.0): 122,
        (6e-5, 0.05): 61,
        (6e-4, 0.0): 3,
        (6e-4, 0.05): 9,
    }


def test_student_and_teacher_instead_of_a_training(tmp_path: Path, job: Any) -> None:
    nets = [tiny(), tiny()]
    files = [str(tmp_path / name) for name in ("student.pth", "teacher.pth")]
    for net, file in zip(nets, files):
        torch.save(to_official(net.state_dict()), file)
    config = settings().model_copy(update={"checkpoint": files[0], "teacher_checkpoint": files[1]})
    assert stages.train(job("train", config)) == {}
    for net, weights in zip(nets, ("student", "teacher")):
        found = stages.predictor(tmp_path / "checkpoint.pt", job("infer", Infer(weights=weights)))
        torch.testing.assert_close(found.net.state_dict(), net.state_dict(), rtol=0, atol=0)
    assert stages.train(job("train", config.model_copy(update={"teacher_checkpoint": None}))) == {}
    with pytest.raises(WsssError, match=r"checkpoint\.pt holds no teacher"):
        stages.predictor(tmp_path / "checkpoint.pt", job("infer", Infer(**TEACHER)))


def test_names_of_newer_torch_and_of_ddp(tmp_path: Path) -> None:
    source, net = tiny(), tiny()
    state = to_official(source.state_dict())
    newer = {ours: theirs for theirs, ours in OFFICIAL if "parametrizations" in theirs}
    torch.save({f"module.{newer.get(key, key)}": value for key, value in state.items()}, tmp_path / "student.pth")
    load_official(net, str(tmp_path / "student.pth"))
    torch.testing.assert_close(net.state_dict(), source.state_dict(), rtol=0, atol=0)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path, state = tmp_path / "student.pth", to_official(tiny().state_dict())
    wrong = torch.zeros(7, 24, 1, 1)
    for change, message in (
        ({"top_classifier.weight": wrong}, r"'classifier.weight' has shape \(7, 24, 1, 1\), not \(3, 24, 1, 1\)"),
        ({"encoder.head.weight": wrong}, "'encoder.body.head.weight' has no place in it"),
    ):
        torch.save({**state, **change}, path)
        with pytest.raises(WsssError, match=message):
            load_official(tiny(), str(path))
    torch.save({k: v for k, v in state.items() if "cls_blocks" not in k}, path)
    with pytest.raises(WsssError, match="is missing"):
        load_official(tiny(), str(path))


@pytest.mark.parametrize("changes", [{"size": 72}, {"size": 64, "block": 20}])
def test_blocks_that_do_not_fit(changes: dict[str, int]) -> None:
    config = settings(views={"size": changes["size"]}, masking={"block": changes.get("block", 16)})
    with pytest.raises(WsssError, match=f"views.size {changes['size']} "):
        stages.check_grid(config, 8)


def test_settings_survive_the_disk() -> None:
    assert Train(**as_dict(Train())) == Train() and Infer(**as_dict(Infer())) == Infer()
