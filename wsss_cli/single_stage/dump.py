"""The stages `seeds` and `pseudo` of a single-stage method: its trained network's CAMs, and label maps made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.label import with_background
from wsss_cli.cam.merge import strided_size
from wsss_cli.cam.online import SCALES, Maker, online_cams
from wsss_cli.cam.store import Cam, cam_path, read_cam, write_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import LabelFormat, label_format
from wsss_cli.data.labels import label_path, write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.infer import Infer, predict
from wsss_cli.job import Job
from wsss_cli.nets.precision import computing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.refine.crf import DenseCrf, unary_from_softmax
from wsss_cli.refine.crf_config import crf_memory
from wsss_cli.refine.dual import agree, refined_label, with_constant
from wsss_cli.single_stage.config import Pseudo, Seeds
from wsss_cli.single_stage.network import Segmentation, SingleStage

SEGMENTATION_SCALES = (1.0, 1.25, 1.5)


def dump_cams(job: Job[Seeds], net: SingleStage, relu_first: bool = False) -> dict[str, int]:
    """Write cam/<id>.npz of every tagged image of the split that has none yet.

    relu_first  as in `online_cams`
    """
    config = job.config
    samples = job.tagged(config.split)
    todo = job.todo(samples, lambda s: cam_path(job.folder, s))
    job.ready(net)
    with job.track("make CAMs", len(todo)) as tick:
        for group, images in equal_shapes(todo, ParallelMap(lambda s: read_image(s.image), todo), config.batch):
            maps = cams_of(net, images, group, config, job.runtime.device, relu_first)
            for sample, cam in zip(group, maps):
                write_cam(cam_path(job.folder, sample), cam)
                tick(1)
    job.barrier()
    return {"cams": len(samples)}


@torch.inference_mode()
def cams_of(
    net: SingleStage,
    images: Sequence[NDArray[np.uint8]],
    samples: Sequence[Sample],
    config: Seeds,
    device: torch.device,
    relu_first: bool = False,
) -> list[Cam]:
    """The CAMs of images of one size, at stride 4 or, with `full`, at theirs."""
    batch = torch.from_numpy(np.stack(images)).to(device)  # (B, H, W, 3)
    size = (batch.shape[1], batch.shape[2])
    tags = torch.stack([multi_hot(s.tags, net.classifier.out_channels) for s in samples]).to(device)
    if config.source == "segmentation":
        maps = _scores(net, batch, config) * tags[:, :, None, None]
    else:
        maker: Maker = net.inner_cams if config.source == "inner" else net.cams
        x = normalise(batch)  # (B, 3, H, W)
        if config.resize is not None:
            x = F.interpolate(x, (config.resize, config.resize), mode="bilinear", align_corners=False)
        with computing(config, device):
            maps = online_cams(maker, x, tags, config.scales or SCALES, relu_first)[0]
    small, full = (
        F.interpolate(maps, to, mode="bilinear", align_corners=False).cpu().numpy() for to in (strided_size(size), size)
    )
    keys = [np.array(s.tags, dtype=np.int64) for s in samples]
    rows = zip(keys, small, full)
    return [Cam(ids, cam[ids - 1], size, high_res=high[ids - 1] if config.full else None) for ids, cam, high in rows]


def make_labels(job: Job[Pseudo]) -> dict[str, int]:
    """Write labels/<id>.png for every image that the stage `seeds` makes CAMs of."""
    config = job.config
    folder, form, palette = job.inputs["seeds"], label_format(job.data.num_classes), job.data.info.palette
    samples = job.promised_samples("seeds", "cam")
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    device = job.runtime.device
    tasks = (
        (label_path(job.folder, s), s.image, cam_path(folder, s), config, form, palette, str(device)) for s in todo
    )
    need = crf_memory(todo) if config.refine == "crf" else 0
    job.each("make labels", write_label, tasks, len(todo), on_device=True, need=need)
    return {"labels": len(samples)}


def write_label(
    path: Path,
    image_file: Path,
    cam_file: Path,
    config: Pseudo,
    form: LabelFormat,
    palette: Sequence[tuple[int, int, int]],
    device: str,
) -> None:
    """One image's label map."""
    image, cam = torch.from_numpy(read_image(image_file)), read_cam(cam_file)
    label = label_of(image.to(device), cam.full().to(device), torch.from_numpy(cam.class_ids).to(device), config, form)
    write_labels(path, label.cpu().numpy(), palette)


@torch.inference_mode()
def label_of(image: Tensor, cam: Tensor, keys: Tensor, config: Pseudo, form: LabelFormat) -> Tensor:
    """A label map of CAMs: image (H, W, 3) uint8, cam (n, H, W), keys (n,) ids -> (H, W) ids and ignore."""
    high, low = config.thresholds.high, config.thresholds.low
    if config.refine == "par":
        x = image.permute(2, 0, 1).float() / 255  # (3, H, W)
        return refined_label(x, cam, keys, high, low, config.par, form)
    scores = with_constant(cam, (high, low))  # (2, n + 1, H, W)
    if config.refine == "crf":
        crf = DenseCrf(image, config.crf)
        scores = torch.stack([crf.infer(unary_from_softmax(s.softmax(0), config.crf.clip)) for s in scores])
    sure, possible = with_background(keys)[scores.argmax(1)]  # (H, W) each
    return agree(sure, possible, form)


def _scores(net: SingleStage, batch: Tensor, config: Seeds) -> Tensor:
    """The decoder's scores of the classes, background left out: (B, H, W, 3) uint8 -> (B, C, H, W)."""
    settings = Infer(
        scales=config.scales or SEGMENTATION_SCALES,
        flip=True,
        fusion="max_sum",
        rounding="down",
        resize=config.resize,
        resize_by="torch",
        amp=config.amp,
        matmul=config.matmul,
    )
    return predict(Segmentation(net), batch, settings, batch.shape[1:3])[:, 1:]
