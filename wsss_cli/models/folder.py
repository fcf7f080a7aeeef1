"""A network that can be taken away: a folder of its weights and a card, all that its use needs.

model.safetensors  tensors of the network under their own names; of further ones, such as a teacher, NAME/their name
model.json         the card, see `card_of`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from wsss_cli.checkout import code
from wsss_cli.config import as_dict, flat, resolve
from wsss_cli.engine import checkpoint
from wsss_cli.engine.checkpoint import CARD, DIGEST
from wsss_cli.engine.infer import Infer
from wsss_cli.errors import WsssError
from wsss_cli.files import write_bytes, write_text
from wsss_cli.models.card import AGAIN, FORMAT, read_card
from wsss_cli.models.model import Model, require_trained
from wsss_cli.plugins import method as find_method
from wsss_cli.protocol import Protocol
from wsss_cli.report.read import evaluations, inputs_of, stage_records
from wsss_cli.runs import Run
from wsss_cli.version import __version__

WEIGHTS = "model.safetensors"
SIZES = (
    "crop",
    "size",
    "input_size",
    "resize",
    "short_side",
    "long_side",
    "window",
    "window_stride",
    "scale",
    "scales",
)


def write_model(folder: Path, model: Model, card: Mapping[str, Any], trust: bool = False) -> None:
    """Write weights and card, which gets their digest.  Raises WsssError for a checkpoint with more than tensors."""
    content = checkpoint.load(model.checkpoint, trust)
    tensors = dict(content["model"])
    for name, state in content.get("modules", {}).items():
        tensors |= {f"{name}/{key}": value for key, value in state.items()}
    strange = [name for name, value in tensors.items() if not isinstance(value, Tensor)]
    if strange:
        what = f"{model.checkpoint} holds '{strange[0]}', which is no tensor"
        raise WsssError(what, "a plugin's network with a state of other kinds cannot be exported")
    weights = save({name: value.contiguous().clone() for name, value in tensors.items()})
    write_bytes(folder / WEIGHTS, weights)
    known = {**card, DIGEST: hashlib.sha256(weights).hexdigest()}
    write_text(folder / CARD, json.dumps(known, indent=2, ensure_ascii=False) + "\n")


def card_of(run: Run, model: Model, licence: str, trust: bool = False) -> dict[str, Any]:
    """What is known of a run's network, plain data.

    classes 1..C; colours of ids 0..C; how images are normalised and at which sizes they are seen, larger photos at a
    longer side of long_side; how pictures were read, where that is not the usual way; the settings of prediction; every
    score of it that still holds, with its protocol; what rebuilds the network ("network").
    Raises WsssError if, with these settings, it needs more than itself.
    """
    record = require_trained(run)
    if more := sorted(model.inputs.keys() - {"train"}):
        what = f"as it is to predict, {model.name} asks stage {more[0]} of the run too, which is not exported"
        raise WsssError(what, "leave out what asks for that: --set infer.gate=null")
    meta = checkpoint.described(checkpoint.load(model.checkpoint, trust), model.checkpoint)
    return {
        "format": FORMAT,
        "name": model.name,
        "method": model.method.name,
        "title": model.method.title,
        "paper": model.method.paper,
        "supervision": model.method.supervision,
        "classes": list(model.classes),
        "palette": [list(colour) for colour in model.palette],
        "normalisation": record.get("normalise", {}),
        "pictures": dict(model.pictures),
        "sizes": {"training": _sizes(record["config"]), "prediction": _sizes(as_dict(model.config))},
        "long_side": model.long_side,
        "settings": as_dict(model.config) | {"split": None},  # which is the data set's
        "scores": scores_of(run),
        "licence": licence,
        "training": {key: record.get(key) for key in ("data", "config", "metrics", "versions", "git", "started")},
        "exported": {"wsss": __version__, "git": code()},
        "network": meta,
    }


def read_model(folder: Path, name: str = "") -> Model:
    """The network in a folder, which gives it its name unless there is another.

    Raises WsssError: no such folder, damaged, of a method that is not installed.
    """
    card = read_card(folder)
    if not (folder / WEIGHTS).is_file():
        raise WsssError(f"there is no model in {folder}: {WEIGHTS} is missing", f"copy it there, or {AGAIN}")
    method = find_method(card.method)
    stage = method.stage("infer")
    assert stage is not None
    config = resolve(stage.config_class(), "infer", card.settings, remedy=f"{folder} is of another version of wsss")
    assert isinstance(config, Infer)
    seen = card.long_side, card.pictures
    return Model(name or folder.absolute().name, method, card.classes, card.palette, config, folder / WEIGHTS, *seen)


def scores_of(run: Run) -> list[dict[str, Any]]:
    """Every score of the run's present network: its kind of label map, what it was scored on, and how it was made."""
    records = stage_records(run)
    return [
        {**row, **{key: report.get(key) for key in ("split", "ground_truth", "images")}, "how": _how(report, row)}
        for key, report in evaluations(run, records).items()
        if report.get("stage") == "infer" and _is_present(key, records)
        for row in report["scores"]
    ]


def _how(report: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    protocol = Protocol.read(report).of(row["name"])
    return {"text": protocol.describe(), **protocol.written()}


def _is_present(key: str, records: Mapping[str, dict[str, Any]]) -> bool:
    """Whether what the stage was made from is still there, and has not run again since."""
    record = records.get(key)
    return record is not None and all(
        records.get(folder, {}).get("made") == record["inputs_made"].get(need) and _is_present(folder, records)
        for need, folder in inputs_of(record).items()
        if need in ("infer", "train")
    )


def _sizes(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the settings that say at which sizes images are seen."""
    return {key: value for key, value in flat(settings).items() if key.rpartition(".")[2] in SIZES}
