"""The authors' state dicts, by their list of keys, instead of a training."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from key_lists import keys
from tiny_weclip import TRAIN, text_of
from wsss_cli.config import read_yaml, resolve
from wsss_cli.errors import WsssError
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.weights.names.clip import openai_name
from wsss_weclip import stages
from wsss_weclip.checkpoint import LAST_IMAGE, from_official, load_official, trained_name
from wsss_weclip.config import Net, Train
from wsss_weclip.nets import WeClip

OFFICIAL = keys("weclip/state_dict_voc")


def tiny() -> WeClip:
    torch.manual_seed(0)
    net = Net(**TRAIN["net"])
    return WeClip(*stages.frozen(net), net, text_of(3))


def official(net: WeClip) -> dict[str, Tensor]:
    """What the authors' script would have saved of the network."""
    clip = {f"encoder.visual.{openai_name(k)}": v for k, v in net.encoder.state_dict().items()}
    clip["encoder.visual.class_embedding"] = clip["encoder.visual.class_embedding"][0, 0]
    clip["encoder.visual.positional_embedding"] = clip["encoder.visual.positional_embedding"][0]
    clip["encoder.visual.proj"] = clip["encoder.visual.proj"].T
    names = {trained_name(k): k for k in OFFICIAL if k.startswith("decoder")}
    state = net.state_dict()
    trained = {names[k]: v for k, v in state.items() if k in names}
    rest = {"encoder.logit_scale": torch.tensor(4.6), "par.kernel": torch.ones(8, 1, 3, 3), LAST_IMAGE: torch.ones(2)}
    return clip | trained | rest


def test_every_official_tensor_has_a_place() -> None:
    with torch.device("meta"):
        net = WeClip(ClipVisual(), None, Net(), (torch.empty(20, 512), torch.empty(24, 512)))
        state = {k: torch.empty(shape) for k, shape in OFFICIAL.items()}
    used = {k: v for k, v in state.items() if k.startswith(("encoder.visual.", "decoder"))}
    ours = {k: tuple(v.shape) for k, v in net.state_dict().items() if k not in ("classes", "background")}
    assert len(OFFICIAL) == 387 and {k: tuple(v.shape) for k, v in from_official(used).items()} == ours
    trained = [p for p in net.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trained) / 1e6 == pytest.approx(5.985, abs=0.001)


def test_it_loads_and_others_do_not(tmp_path: Path) -> None:
    source, net = tiny(), tiny()
    for p in source.parameters():
        p.data += 1
    torch.save(official(source), tmp_path / "weclip.pth")
    left = load_official(net, tmp_path / "weclip.pth")
    assert set(left) == {"encoder.logit_scale", "par.kernel", LAST_IMAGE}
    assert all(torch.equal(v, source.state_dict()[k]) for k, v in net.state_dict().items())
    torch.save(official(source) | {"projector.weight": torch.ones(1)}, tmp_path / "more.pth")
    with pytest.raises(WsssError, match=r"'projector\.weight' has no place in it"):
        load_official(net, tmp_path / "more.pth")
    less = official(source)
    del less["decoder.linear_pred.bias"]
    torch.save(less, tmp_path / "less.pth")
    with pytest.raises(WsssError, match=r"'decoder\.classify\.bias' is missing"):
        load_official(net, tmp_path / "less.pth")


@pytest.mark.parametrize("name", ["voc", "coco", "voc_plus", "coco_plus", "folder", "shapes"])
def test_recipes_are_what_the_paper_says(name: str) -> None:
    """Iterations are counted from 0."""
    recipe = read_yaml(Path(stages.__file__).parent / "recipes" / f"{name}.yaml")
    config = resolve(Train, "train", recipe["train"])
    if name == "voc":
        assert config == Train(text={"spellings": "voc"})  # type: ignore[arg-type]
    rates = {"voc": 2e-3, "coco": 2e-3, "voc_plus": 2e-4, "coco_plus": 2e-4}
    if name in rates:
        assert config.optimiser.lr * config.optimiser.head_factor == pytest.approx(rates[name])
