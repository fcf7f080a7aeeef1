"""What stands around the training: settings that cannot work, the authors' networks, the samples."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from key_lists import keys
from wsss_cli.batches.views import Colours, View
from wsss_cli.config import read_yaml, resolve
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_cli.engine.adamw import adamw
from wsss_cli.errors import WsssError
from wsss_cli.job import Job
from wsss_cli.nets.backbones.vit import ViT
from wsss_cli.nets.heads.largefov import LargeFov
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.single_stage.config import Infer
from wsss_cli.single_stage.network import Segmentation
from wsss_locbe import METHOD, stages
from wsss_locbe.checkpoint import load_official
from wsss_locbe.config import Augment, Train, Windows
from wsss_locbe.data import LocBeData
from wsss_locbe.nets import LocBe


def test_the_official_keys() -> None:
    """Every tensor of the released VOC network has its place here, or is one of the four that are not used."""
    official = keys("locbe/locbe_state_dict")
    with torch.device("meta"):
        net = LocBe(ViT("vit_base_patch16_224"), LargeFov(768, 21), 20)
    ours = {name.replace("encoder.body.", "encoder."): tuple(x.shape) for name, x in net.state_dict().items()}
    unused = {"encoder.head.weight", "encoder.head.bias", "attn_proj.weight", "attn_proj.bias"}
    assert len(official) == 159 and {name for name in official if name not in ours} == unused
    assert ours == {name: shape for name, shape in official.items() if name in ours}
    groups = adamw(net, Train().optimiser).param_groups
    assert [group["lr"] for group in groups] == pytest.approx([6e-5, 6e-4])
    assert sum(p.numel() for group in groups for p in group["params"]) / 1e6 == pytest.approx(91.6, abs=0.1)


@pytest.fixture
def official(net: LocBe) -> dict[str, torch.Tensor]:
    """What the authors' script would have saved of the network."""
    state = {name.replace("encoder.body.", "encoder."): x + 1 for name, x in net.state_dict().items()}
    return state | {"encoder.head.weight": torch.zeros(10, 24), "encoder.head.bias": torch.zeros(10)}


def save(state: dict[str, torch.Tensor], path: Path) -> Path:
    torch.save({f"module.{name}": value for name, value in state.items()}, path)
    return path


def test_the_authors_network_instead_of_a_training(
    config: Train, net: LocBe, official: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    unused = {"attn_proj.weight": torch.zeros(1, 4, 1, 1), "attn_proj.bias": torch.zeros(1)}
    file = save(official | unused, tmp_path / "model_iter_20000.pth")
    data = Prepared(tmp_path, DatasetInfo("t", "t", ("a", "b", "c"), {}, "drawn", "masks", hash="x"), ())
    taken = config.model_copy(update={"checkpoint": str(file)})
    job = Job(data, METHOD, "train", taken, tmp_path, {}, Runtime(torch.device("cpu")))
    assert stages.train(job) == {}
    infer = Job(data, METHOD, "infer", Infer(gate=0.5), tmp_path, {}, Runtime(torch.device("cpu")))
    predictor = stages.predictor(tmp_path / "checkpoint.pt", infer)
    assert isinstance(predictor, Segmentation) and predictor.gate == 0.5
    expected = net.state_dict()
    assert all(torch.equal(value, expected[name] + 1) for name, value in predictor.net.state_dict().items())


def test_tocos_checkpoints_fit_and_others_do_not(net: LocBe, official: dict[str, torch.Tensor], tmp_path: Path) -> None:
    toco = {"proj_head.last_layer.weight_g": torch.ones(4, 1), "proj_head_t.mlp.0.bias": torch.ones(4)}
    assert set(load_official(net, save(official | toco, tmp_path / "toco.pth"))) == {
        *toco, "encoder.head.weight", "encoder.head.bias"
    }  # fmt: skip
    with pytest.raises(WsssError, match=r"'projector\.weight' has no place in it"):
        load_official(net, save(official | {"projector.weight": torch.ones(1)}, tmp_path / "other.pth"))
    del official["aux_classifier.weight"]
    with pytest.raises(WsssError, match=r"'aux_classifier\.weight' is missing"):
        load_official(net, save(official, tmp_path / "less.pth"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"windows": {"side": 12}}, "windows.side 12: half of it, .*holds no patch of 8 pixels"),
        ({"windows": {"side": 65}, "augment": {"crop": 64}}, "windows.side 65 is larger than augment.crop 64"),
    ],
)
def test_windows_that_do_not_fit(given: dict[str, Any], message: str) -> None:
    with pytest.raises(WsssError, match=message):
        stages.check_windows(resolve(Train, "train", given), 8)


def test_doubts() -> None:
    config = Train()
    assert stages.doubts(config, 2, 20000) == []
    assert stages.doubts(config, 4, 2001) == [
        "windows.together 2, but 1 images in a pass: groups of 1 are compared, too",
        "the segmentation is not trained at the end, where its phase gives it no weight",
    ]


@pytest.mark.parametrize("phases", [[{"until": 5}], [{}, {}], [{"until": 5}, {"until": 5}, {}], []])
def test_phases_out_of_order(phases: list[dict[str, int]]) -> None:
    with pytest.raises(WsssError, match=r"train\.phases"):
        resolve(Train, "train", {"phases": phases})


@pytest.mark.parametrize("name", ["voc", "coco", "shapes"])
def test_recipes_are_what_the_paper_says(name: str) -> None:
    """Iterations are counted from 0; the conditions of the released scripts are n <= 2000, 8000, 12000."""
    config = resolve(Train, "train", read_yaml(Path(stages.__file__).parent / "recipes" / f"{name}.yaml")["train"])
    stages.check_windows(config, 16)
    if name == "voc":
        assert config == Train() and config.phase(2000).local == 0 and config.phase(2001).local == 1
    if name == "coco":
        assert not config.phase(8000).needs_cams and config.phase(12000).labels_from == "inner"
        assert config.phase(12001).segmentation == 0.2 and config.phase(12001).labels_from == "cam"


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    pixels = np.random.default_rng(0).integers(1, 256, (90, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return Sample("a", tmp_path / "a.png", 40, 90, (1, 3))


def test_samples_are_drawn_by_their_generator_alone(sample: Sample) -> None:
    data = LocBeData([sample], 3, Augment(crop=64), Windows().number)
    one, again, other = (data.item(0, random.Random(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["image"], other["image"]) and not torch.equal(one["draws"], other["draws"])
    assert one["tags"].tolist() == [1, 0, 1] and one["draws"].shape == (4,) and (one["draws"].floor() == 0).all()


@pytest.mark.parametrize("mirror_again", [True, False])
def test_the_box_does_not_know_of_the_released_second_mirroring(sample: Sample, mirror_again: bool) -> None:
    plain = View(colours=Colours(probability=0), grey=0)
    settings = Augment(crop=64, scale=(1.0, 1.0), view=plain, mirror_again=mirror_again)
    data, right = LocBeData([sample], 3, settings, 4), []
    for seed in range(8):
        item = data.item(0, random.Random(seed))
        y0, y1, x0, x1 = item["box"].tolist()
        assert (y0, y1, x1 - x0) == (0, 64, 40)
        inside = torch.zeros(64, 64, dtype=torch.bool)
        inside[:, x0:x1] = True
        right.append(torch.equal((item["image"] > 0).all(2), inside))
    assert all(right) != mirror_again and any(right)
