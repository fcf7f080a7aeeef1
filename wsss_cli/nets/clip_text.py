"""CLIP's features of names: computed once, kept in a file, so that a machine without the text's transformer goes on."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_cli.errors import Hindrance, WsssError
from wsss_cli.files import writing
from wsss_cli.nets.clip_names import Names, prompts
from wsss_cli.nets.weights.fetching import NAMES, from_hub
from wsss_cli.ranks.distributed import Runtime, barrier
from wsss_cli.sound import open_file
from wsss_cli.torchscript import is_script, read_script

SIZES = ("input_resolution", "context_length", "vocab_size")


def text_features(names: Names, classes: Sequence[str], dim: int, kept: Path) -> tuple[Tensor, Tensor]:
    """Unit features of the classes (C, dim) and of background (b, dim), from `kept` if it holds them.

    kept  where this run has its features, text.npz; `keep` writes it
    Raises WsssError: a name of no class, no open_clip, no weights, or a file that lacks a name or has another size.
    """
    called, others = prompts(names, classes)
    wanted = [*called, *others]
    given = kept if kept.exists() and names.features == "open_clip" else Path(names.features).expanduser()
    if names.features == "random":
        found = _random(wanted, dim)
    elif given == kept or names.features != "open_clip":
        found = _read(given, wanted)
    else:
        found = _computed(wanted, names)
    if found.shape[1] != dim:
        what = f"the features of names have {found.shape[1]} dimensions, those of images {dim}"
        raise WsssError(what, "choose text and backbone of one CLIP (model, net.backbone)")
    return found[: len(called)], found[len(called) :]


def features_of_run(
    names: Names, classes: Sequence[str], dim: int, path: Path, runtime: Runtime
) -> tuple[Tensor, Tensor]:
    """`text_features`, which rank 0 keeps in the run's text.npz at `path`, so that they are computed once.

    The draws that follow do not depend on whether they were.
    """
    with torch.random.fork_rng(devices=[]):
        text = text_features(names, classes, dim, path)
    if runtime.main and not path.exists():
        keep(path, names, classes, text)
    barrier()
    return text


def keep(path: Path, names: Names, classes: Sequence[str], features: tuple[Tensor, Tensor]) -> None:
    """Write the file that another run can be given."""
    wanted = [sentence for part in prompts(names, classes) for sentence in part]
    with writing(path) as aside, aside.open("wb") as file:
        np.savez(file, sentences=np.array(wanted), features=torch.cat(features).numpy())


def _read(path: Path, wanted: Sequence[str]) -> Tensor:
    try:
        with open_file(path) as raw, np.load(raw, allow_pickle=False) as file:
            rows = dict(zip(file["sentences"].tolist(), torch.from_numpy(file["features"])))
    except FileNotFoundError as error:
        raise WsssError(f"no text features {path}", "check the path, or use features=open_clip") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WsssError(f"{path} holds no text features: {error}", "give the text.npz that a run has left") from error
    for sentence in wanted:
        if sentence not in rows:
            what = f"{path} has no features of '{sentence}'"
            raise WsssError(what, "make them anew, features=open_clip, with the names of this data set")
    return torch.stack([rows[sentence] for sentence in wanted]).float()


def _random(wanted: Sequence[str], dim: int) -> Tensor:
    """The same for a sentence wherever it stands."""
    seeds = [int.from_bytes(hashlib.blake2b(s.encode(), digest_size=6).digest(), "little") for s in wanted]
    rows = [torch.randn(dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return F.normalize(torch.stack(rows), dim=1)


@torch.no_grad()
def _computed(wanted: Sequence[str], names: Names) -> Tensor:
    """By open_clip's text transformer: (n, E).  Raises WsssError if it or its weights are not there."""
    try:
        import open_clip
    except ImportError as error:
        raise WsssError(
            "CLIP's text transformer needs open_clip, which is not installed",
            'pip install "wsss[clip]", or give features of names: features=FILE',
        ) from error
    try:
        repository = (open_clip.get_pretrained_cfg(names.model, names.weights) or {}).get("hf_hub")
        with from_hub(f"{repository.rstrip('/')}/{NAMES[-2]}") if repository else nullcontext():
            if is_script(Path(names.weights).expanduser()):  # OpenAI's own, which open_clip takes from the net alone
                model = _published(open_clip, names)
            else:
                model = open_clip.create_model(names.model, names.weights, require_pretrained=True)
    except Exception as error:  # hub, proxy, disk, unknown names: each raises its own kind; the remedy is one
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Hindrance(
            f"the weights '{names.weights}' of '{names.model}' could not be had: {said}",
            "fetch them by hand, weights=FILE, or give features of names: features=FILE",
        ) from error
    tokens = open_clip.get_tokenizer(names.model)(list(wanted))
    return F.normalize(model.eval().encode_text(tokens).float(), dim=1)


def _published(open_clip: Any, names: Names) -> Any:
    """The CLIP of OpenAI's file, which has three sizes among its tensors."""
    model = open_clip.CLIP(**open_clip.get_model_config(names.model))
    state = read_script(Path(names.weights).expanduser())
    model.load_state_dict({k: v for k, v in state.items() if k not in SIZES})
    return model
