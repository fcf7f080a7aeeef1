"""What the frozen networks see of whole images, on disk: computed once, read in every epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import flip, normalise, place, resize, top_left_crop
from wsss_cli.batches.views import Cropped
from wsss_cli.config import as_dict
from wsss_cli.data.images import read_image
from wsss_cli.data.prepared import Sample
from wsss_cli.errors import WsssError
from wsss_cli.files import keep_if_made_from, writing
from wsss_cli.job import Job
from wsss_cli.nets.precision import computing
from wsss_cli.sound import open_file
from wsss_weclip.config import Train
from wsss_weclip.nets import Evidence, WeClip


def keep_features(job: Job, net: WeClip, samples: Sequence[Sample]) -> Path:
    """Fill the run's folder `features` with what it lacks; all of it anew if something it depends on has changed.

    Beside the stage's folder, so that another training of the run, of other losses or length, finds it.
    """
    config: Train = job.config
    folder = job.folder.parent / "features"
    if job.runtime.main:
        keep_if_made_from(folder, made_of(job, net))
    job.barrier()
    job.ready(net)
    for mirrored in (False, True) if config.augment.flip else (False,):
        todo = job.todo(samples, lambda sample: evidence_path(folder, sample.id, mirrored))  # noqa: B023
        with job.track("keep features" + mirrored * ", mirrored", len(todo)) as tick:
            for sample in todo:
                seen = look_at_whole(job, net, sample, mirrored)
                write_evidence(evidence_path(folder, sample.id, mirrored), seen, config.keep_features)
                tick(1)
    job.barrier()
    return folder


def look_at_whole(job: Job, net: WeClip, sample: Sample, mirrored: bool) -> Evidence:
    """What the frozen networks see of one image, as training shows it."""
    config, device = job.config, job.runtime.device
    image, _ = whole_view(read_image(sample.image), config.augment.crop, mirrored)
    x = normalise(torch.from_numpy(image)[None].to(device))  # (1, 3, S, S)
    tags = multi_hot(sample.tags, job.data.num_classes)[None].to(device)
    with computing(config.loop, device):
        return net.look(x, tags, config.labelling.maps)


def made_of(job: Job, net: WeClip) -> str:
    """All that the features depend on."""
    config: Train = job.config
    digest = hashlib.sha256()
    for key, value in net.state_dict().items():
        if key.startswith(("encoder.", "dino.", "classes", "background")):
            digest.update(key.encode() + value.cpu().contiguous().numpy().tobytes())
    net_asked = {name: getattr(config.net, name) for name in ("levels", "cam_level", "logit_scale", "half_projection")}
    computed = config.loop.amp, config.loop.matmul
    asked = as_dict(config.augment), net_asked, config.labelling.maps, config.keep_features, *computed
    return f"{job.data.info.hash}\n{digest.hexdigest()}\n{asked}\n"


def whole_view(image: np.ndarray, side: int, mirrored: bool) -> Cropped:
    """The image, its longer side resized to `side`, at the top left of a square, and the box y0, y1, x0, x1 of it."""
    height, width = image.shape[:2]
    longer = max(height, width)
    size = (max(1, round(height * side / longer)), max(1, round(width * side / longer)))
    small = resize(image, size, "bilinear")
    at = top_left_crop(size, side)
    return Cropped(place(flip(small) if mirrored else small, at, side), (0, size[0], 0, size[1]))


def evidence_path(folder: Path, id: str, mirrored: bool) -> Path:
    return folder / ("mirrored" if mirrored else "plain") / f"{id}.npz"


def write_evidence(path: Path, seen: Evidence, dtype: str) -> None:
    """What is seen of one image, whole or not at all."""
    parts = {"levels": seen.levels[:, 0], "dino": seen.dino[0], "attention": seen.attention[0], "cams": seen.cams[0]}
    with writing(path, flushed=False) as aside, aside.open("wb") as file:
        arrays = {name: x.cpu().float().numpy().astype(dtype) for name, x in parts.items()}
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub has a bool among the keywords


def read_evidence(folder: Path, id: str, mirrored: bool) -> Evidence:
    """What is kept of one image, the levels first.  Raises WsssError if it is gone or damaged."""
    path = evidence_path(folder, id, mirrored)
    try:
        with open_file(path) as raw, np.load(raw, allow_pickle=False) as file:
            return Evidence(*(torch.from_numpy(file[name]) for name in Evidence._fields))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise WsssError(f"{path} holds no features: {error}", f"delete {folder} and train again") from error
