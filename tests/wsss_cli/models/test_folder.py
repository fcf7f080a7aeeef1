"""A network that was taken away predicts as the run that it is from, to the bit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from colour_model import CPU, colour_model
from made_run import drawn_data, finished_run
from wsss_cli.classifier.gate import Infer
from wsss_cli.data.prepared import write_prepared
from wsss_cli.engine import checkpoint
from wsss_cli.errors import WsssError
from wsss_cli.models.folder import card_of, read_model, scores_of, write_model
from wsss_cli.models.model import Model, _info, require_trained
from wsss_cli.nets.config import Net, build_segmenter
from wsss_cli.plugins import method
from wsss_cli.runs import Run, read_record, write_record

NET = Net(backbone="test_resnet", pretrained="none", width=8, aspp_rates=(1, 2, 3))
CARD = {"format": 1, "method": "irn", "classes": ["cat", "dog"], "palette": [[0, 0, 0], [9, 9, 9], [1, 2, 3]]}


@pytest.fixture
def trained(tmp_path: Path) -> Model:
    """A small segmenter with random weights, and a teacher that nothing uses."""
    torch.manual_seed(0)
    net = build_segmenter(NET, 3)
    meta = {"method": "irn", "stage": "train", "classes": ["cat", "dog"], "net": NET.told()}
    content = {"meta": meta, "model": net.state_dict(), "modules": {"teacher": nn.Linear(2, 1).state_dict()}}
    checkpoint.save(tmp_path / "run/checkpoint.pt", content, CPU)
    palette = ((0, 0, 0), (9, 9, 9), (1, 2, 3))
    return Model("set/irn/x", method("irn"), ("cat", "dog"), palette, Infer(flip=True), tmp_path / "run/checkpoint.pt")


def written(folder: Path, model: Model, **more: Any) -> Path:
    meta = checkpoint.load(model.checkpoint)["meta"]
    settings = model.config.model_dump(mode="json", by_alias=True)
    write_model(folder, model, CARD | {"settings": settings, "network": meta} | more)
    return folder


def test_the_same_to_the_bit(trained: Model, tmp_path: Path) -> None:
    taken = read_model(written(tmp_path / "away", trained, pictures={"white_level": 4095.0}))
    assert taken.pictures == {"white_level": 4095.0}  # other photos are read as those of the training
    assert (taken.name, taken.classes, taken.palette) == ("away", trained.classes, trained.palette)
    assert taken.config == trained.config and taken.method == trained.method
    images = torch.randn(1, 3, 70, 51, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(taken.network(CPU)(images), trained.network(CPU)(images))


def test_further_modules_are_kept_under_their_names(trained: Model, tmp_path: Path) -> None:
    before = checkpoint.load(trained.checkpoint)
    after = checkpoint.load(written(tmp_path / "away", trained) / "model.safetensors")
    assert after["meta"] == before["meta"] and after["modules"].keys() == {"teacher"}
    for name, state in (("model", before["model"]), ("teacher", before["modules"]["teacher"])):
        found = after["model"] if name == "model" else after["modules"]["teacher"]
        assert found.keys() == state.keys() and all(torch.equal(found[key], value) for key, value in state.items())


def test_how_pictures_were_read_is_that_of_the_training(tmp_path: Path) -> None:
    """The data set may have been made anew with another white since, or be gone."""
    data = drawn_data(tmp_path)
    write_prepared(tmp_path / "toy", replace(data.info, pictures={"white_level": 1023.0}), data.samples)
    run = Run(tmp_path, "toy", "irn", "x")
    noted = {"about": {"kind": "folder", "palette": [], "pictures": {"white_level": 4095.0}}}
    assert _info(run, noted, tmp_path)["pictures"] == _info(run, noted, tmp_path / "gone")["pictures"]
    assert _info(run, noted, tmp_path)["pictures"] == {"white_level": 4095.0}
    assert _info(run, {}, tmp_path)["pictures"] == {"white_level": 1023.0}  # of an earlier version
    assert _info(run, {}, tmp_path / "gone")["pictures"] == {}


def test_the_state_that_a_training_chose_is_the_one_that_is_taken(tmp_path: Path) -> None:
    last = colour_model(tmp_path)
    content = checkpoint.load(last.checkpoint)
    content["meta"]["selection"] = "best"
    checkpoint.save(last.checkpoint, content, CPU)
    assert checkpoint.used(last.checkpoint)[0] == last.checkpoint  # none was better than nothing yet
    checkpoint.save(tmp_path / "best.pt", content, CPU)
    assert checkpoint.used(last.checkpoint)[0] == tmp_path / "best.pt"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model.json").unlink(), "there is no model in"),
        (lambda folder: (folder / "model.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "model.json").write_text('{"format": 9}'), "of format 9, not 1"),
        (lambda folder: (folder / "model.json").write_text('{"format": 1, "method": "irn"}'), "it lacks classes, net"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"cut"), "damaged or holds no tensors"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"no model in .*away: model.safetensors is missing"),
        (lambda folder: flip_last_bit(folder / "model.safetensors"), "its sha256 is not the one that model.json names"),
    ],
)
def test_a_damaged_model_is_told(trained: Model, tmp_path: Path, damage: Any, message: str) -> None:
    damage(written(tmp_path / "away", trained))
    with pytest.raises(WsssError, match=message):
        read_model(tmp_path / "away").network(CPU)


def flip_last_bit(path: Path) -> None:
    """Of a weight, which makes another number of it."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_folder_of_an_older_version_names_no_digest(trained: Model, tmp_path: Path) -> None:
    folder = written(tmp_path / "away", trained)
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({key: card[key] for key in card.keys() - {"sha256"}}))
    flip_last_bit(folder / "model.safetensors")
    assert read_model(folder).network(CPU)


@pytest.mark.parametrize("network", [{}, {"method": "irn"}, {"method": "irn", "classes": 7}])
def test_weights_of_which_the_card_does_not_tell_what_they_are(trained: Model, tmp_path: Path, network: Any) -> None:
    with pytest.raises(WsssError, match=r"model.safetensors is no checkpoint of wsss"):
        read_model(written(tmp_path / "away", trained, network=network)).network(CPU)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (None, "the weights do not tell their network: net = None"),
        ([1], r"the weights do not tell their network: net = \[1\]"),
        ({"backbone": 7}, "'net.backbone' = 7: must be a string|net.backbone' = 7"),
        ({"backbon": "resnet18"}, "unknown key 'net.backbon'; did you mean 'backbone'"),
        ({"output_stride": "x"}, "net.output_stride' = 'x'"),
    ],
)
def test_weights_whose_network_the_card_tells_wrongly(trained: Model, tmp_path: Path, net: Any, message: str) -> None:
    card = json.loads((written(tmp_path / "sound", trained) / "model.json").read_text())
    told = card["network"]["net"] | net if isinstance(net, dict) else net
    folder = written(tmp_path / "away", trained, network=card["network"] | {"net": told})
    with pytest.raises(WsssError, match=message) as caught:
        read_model(folder).network(CPU)
    assert "export it again" in caught.value.remedy


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        *((key, 7, rf"model.json.{key}' = 7: input should be") for key in ("method", "classes", "palette", "settings")),
        ("pictures", 7, "model.json.pictures' = 7: input should be"),
        ("network", [], r"model.json.network' = \[\]: input should be"),
        ("long_side", "x", "model.json.long_side' = 'x': input should be"),
        ("classes", ["cat", 7], "model.json.classes.1' = 7: input should be"),
        ("palette", [[0, 0, 0], [300, 0, 0], [1, 2, 3]], "model.json.palette.1.0' = 300: input should be less"),
        ("palette", [[0, 0, 0]], "it has 1 colours for background and 2 classes"),
        ("settings", {"flip": "x"}, "'infer.flip' = 'x'"),
    ],
)
def test_a_card_of_other_types_is_told_with_its_key(
    trained: Model, tmp_path: Path, key: str, value: Any, message: str
) -> None:
    with pytest.raises(WsssError, match=message):
        read_model(written(tmp_path / "away", trained, **{key: value}))


def test_a_model_of_a_method_that_is_not_installed(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(WsssError, match="unknown method 'irm'; did you mean 'irn'"):
        read_model(written(tmp_path / "away", trained, method="irm"))


def test_more_than_tensors_is_refused(trained: Model, tmp_path: Path) -> None:
    content = checkpoint.load(trained.checkpoint)
    content["model"]["odd"] = [1, 2]
    checkpoint.save(trained.checkpoint, content, CPU)
    with pytest.raises(WsssError, match="holds 'odd', which is no tensor"):
        written(tmp_path / "away", trained)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose stages drew their results, scored."""
    folder = tmp_path_factory.mktemp("made")
    return finished_run(Run(folder / "runs", "toy", "irn", "default"), drawn_data(folder / "data"))


def test_the_card_has_the_scores_and_how_they_were_made(made: Run, trained: Model) -> None:
    card = json.loads(json.dumps(card_of(made, trained, "CC0-1.0")))
    plain, refined = card["scores"]
    report = json.loads((made.stage("evaluate") / "scores.json").read_text())
    assert [plain["miou"], refined["miou"]] == [row["miou"] for row in report["scores"]]
    assert plain["split"] == "val" and plain["images"] == 12 and plain["how"]["crf"] is None and refined["how"]["crf"]
    assert "scales 0.5, 1 + flip" in plain["how"]["text"]
    assert card["licence"] == "CC0-1.0" and card["classes"] == ["cat", "dog"] and card["palette"][2] == [1, 2, 3]
    assert card["normalisation"] == {"net": "imagenet"} and card["settings"]["flip"] is True
    assert card["sizes"]["prediction"]["scales"] == [1.0] and card["training"]["data"] == "toy"
    assert card["long_side"] is None and card_of(made, replace(trained, long_side=512), "x")["long_side"] == 512


def test_scores_of_an_earlier_network_are_not_on_the_card(made: Run) -> None:
    record = read_record(made.stage("train"))
    assert record is not None and len(scores_of(made)) == 2
    write_record(made.stage("train"), record | {"made": "later"})
    assert scores_of(made) == []
    write_record(made.stage("train"), record)


def test_a_run_that_is_not_trained_has_no_network(made: Run, tmp_path: Path) -> None:
    assert require_trained(made)["status"] == "finished"
    with pytest.raises(WsssError, match="toy/irn/other has no network: it was never trained"):
        require_trained(Run(tmp_path, "toy", "irn", "other"))
