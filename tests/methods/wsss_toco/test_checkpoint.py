"""The authors' checkpoints: every key of the official list, values, prefixes, and files that do not fit."""

from pathlib import Path
from typing import Any

import pytest
import torch

from key_lists import keys
from wsss_cli.data.prepared import DatasetInfo, Prepared
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.single_stage.config import Infer
from wsss_toco import METHOD, stages
from wsss_toco.checkpoint import UNUSED, load_official, official_name
from wsss_toco.config import Net, Train
from wsss_toco.nets import ToCo, build, make_teacher

OFFICIAL = keys("toco/toco_base_state_dict")


def official_state(net: ToCo) -> dict[str, torch.Tensor]:
    """What the authors' training would have saved of this network: DDP's names, ImageNet's classifier, the teacher."""
    own = {official_name(k): v for k, v in net.state_dict().items()}
    teacher = {f"proj_head_t.{k}": v for k, v in make_teacher(net).state_dict().items()}
    head = {"encoder.head.weight": torch.zeros(1000, 24), "encoder.head.bias": torch.zeros(1000)}
    return {f"module.{k}": v for k, v in (own | teacher | head).items()}


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")
def test_every_official_key_is_accounted_for(tmp_path: Path) -> None:
    """A network of the real size without memory, and a file whose tensors share one number each."""
    with torch.device("meta"):
        net = build(Net(pretrained="none"), 20)
    state = {f"module.{key}": torch.zeros(1).expand(shape) for key, shape in OFFICIAL.items()}
    torch.save(state, tmp_path / "model_iter_20000.pth")
    unused = load_official(net, tmp_path / "model_iter_20000.pth")
    assert set(unused) == {key for key in OFFICIAL if key.startswith(UNUSED)}
    assert len(unused) + len(net.state_dict()) == len(OFFICIAL)
    trained = {official_name(name) for name, p in net.named_parameters() if not p.requires_grad}
    assert trained == {"encoder.pos_embed"}


def test_values_land_where_they_belong(net: ToCo, config: Train, tmp_path: Path) -> None:
    torch.save(official_state(net), tmp_path / "official.pth")
    other = build(config.net, 4)
    load_official(other, tmp_path / "official.pth")
    images = torch.rand(2, 3, 48, 64)
    with torch.no_grad():
        for found, expected in zip(other.cams(images), net.cams(images)):
            assert torch.equal(found, expected)
        assert torch.equal(other.segmentation(images), net.segmentation(images))


def test_other_files_are_refused(net: ToCo, config: Train, tmp_path: Path) -> None:
    path = tmp_path / "official.pth"
    torch.save(official_state(net), path)
    with pytest.raises(WsssError, match=r"has shape \(5, 16, 1, 1\), not \(8, 16, 1, 1\)"):
        load_official(build(config.net, 7), path)
    torch.save(official_state(net) | {"module.attn_proj.bias": torch.zeros(1)}, path)
    with pytest.raises(WsssError, match=r"'attn_proj\.bias' has no place in it"):
        load_official(net, path)


def test_the_authors_network_instead_of_a_training(net: ToCo, config: Train, tmp_path: Path) -> None:
    torch.save(official_state(net), tmp_path / "official.pth")
    given = config.net.model_copy(update={"pretrained": "timm"})  # which must not be fetched
    asked = config.model_copy(update={"net": given, "checkpoint": str(tmp_path / "official.pth")})
    splits = {"train": "train", "val": "val", "seeds": "train"}
    data = Prepared(tmp_path, DatasetInfo("toy", "toy", tuple("abcd"), splits, "drawn", "masks", hash="x"), ())
    cpu = Runtime(torch.device("cpu"))

    def job(stage: str, settings: Any) -> Job:
        return Job(data, METHOD, stage, settings, tmp_path, {}, cpu)

    assert stages.train(job("train", asked)) == {}
    assert type(given).stored(torch.load(tmp_path / "checkpoint.pt", weights_only=True)["meta"]) == given.official()
    images = torch.rand(1, 3, 64, 64)
    for gate in (None, 0.5):
        found = stages.predictor(tmp_path / "checkpoint.pt", job("infer", Infer(gate=gate)))
        with torch.no_grad():
            assert torch.equal(found(images), net.segmentation(images, gate))
