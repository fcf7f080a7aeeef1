"""The `infer` stage of every method: scales, flips, fusion, dense CRF, palette PNGs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from torch import Tensor, nn

from wsss_cli import bounds, ranges
from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.transforms import normalise, resize, scaled_size, short_side_scale
from wsss_cli.cam.online import floor_size
from wsss_cli.config import StageConfig
from wsss_cli.context import Context
from wsss_cli.data.certainty import gather_notes, note
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import Labels, label_format
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.data.long_side import at_image_size
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.certainty import certainty
from wsss_cli.engine.enlarge import winners
from wsss_cli.engine.windows import Net, windowed
from wsss_cli.job import Job
from wsss_cli.load_object import load_object
from wsss_cli.nested import nested
from wsss_cli.nets.multi_scale import by_factor
from wsss_cli.nets.normalisation import Pretrained
from wsss_cli.nets.precision import Precision, computing
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.promises import Promises, each
from wsss_cli.refine.crf import DenseCrf, unary_from_softmax
from wsss_cli.refine.crf_config import DEEPLAB, Crf, crf_memory
from wsss_cli.work import Work, areas, dense_crf, passes, typical_size

Fusion = Literal["mean", "max", "coarse_max", "coarse_mean", "sum_max", "max_sum"]
GPU_BATCH = 8
Rounding = Literal["nearest", "down", "factor"]


class Infer(Precision, StageConfig):
    """How a trained network is applied."""

    split: str | None = Field(None, description="the split to predict; the data set's validation split")
    scales: tuple[ranges.Scale, ...] = Field(
        (1.0,), min_length=1, description="image scales whose predictions are fused"
    )
    flip: bool = Field(False, description="also predict the mirrored image")
    fusion: Fusion = Field(
        "mean",
        description="of scales and flips: mean of softmax scores; max: largest logit; coarse_max: the same, at the "
        "resolution of the logits of the unscaled image (BECO test_msc); coarse_mean: their mean there (WeCLIP); "
        "sum_max: logits summed over flips, the "
        "largest over scales (ToCo infer_seg_voc); max_sum: the other way round (ToCo infer_seg_coco)",
    )
    resize: int | None = Field(
        None,
        gt=0,
        le=bounds.SIDE,
        description="side of a square that images are resized to first (BECO: 512; ToCo, COCO: 448)",
    )
    resize_by: Literal["pil", "torch"] = Field(
        "pil", description="pil: smooths what it shrinks (BECO); torch: bilinear on the normalised image (ToCo)"
    )
    long_side: int | None = Field(
        None,
        gt=0,
        le=bounds.SIDE,
        description="length that the longer side of the data set's image is resized to first, up or down, as by torch "
        "(WeCLIP: 512)",
    )
    rounding: Rounding = Field(
        "nearest",
        description="of the sizes of scaled images; down: ToCo; factor: down, sampled at the very factor (WeCLIP)",
    )
    short_side: int | None = Field(
        None,
        gt=0,
        le=bounds.SIDE,
        description="scales count from this length of the shorter side, not from the image's (mmseg: 512)",
    )
    window: int | None = Field(
        None, gt=0, le=bounds.SIDE, description="see larger images window by window, of this side (mmseg)"
    )
    window_stride: int | None = Field(
        None, gt=0, le=bounds.SIDE, description="distance of the windows; null: they do not overlap"
    )
    batch: int | None = Field(
        None,
        gt=0,
        le=bounds.BATCH,
        description="images of equal shape per forward pass; null: 8 on a GPU, 1 on a CPU, where more are no faster",
    )
    among: Literal["tags"] | None = Field(
        None,
        description="tags: predict no class that the tags of an image do not name, where it has tags: for masks of "
        "images whose tags are known; null: every class",
    )
    crf: bool = Field(False, description="also write predictions refined by the dense CRF")
    crf_settings: Crf = Field(DEEPLAB, description="the dense CRF")

    @field_validator("window_stride")
    @classmethod
    def _no_gaps(cls, stride: int | None, info: ValidationInfo) -> int | None:
        """Of the settings alone, so that it holds where no data set is: for photos, and for an exported network."""
        window = info.data.get("window")
        if window is not None and stride is not None and stride > window:
            gaps = "leaves gaps between windows of {window}: make it {window} or less"
            raise PydanticCustomError("gaps", gaps, {"window": window})
        return stride

    def images(self, context: Context) -> Sequence[Sample]:
        return context.data.split(context.data.split_for("val", self.split))

    def promises(self, context: Context) -> Promises:
        folders = ("labels", "labels_crf") if self.crf else ("labels",)
        return {folder: each(self.images(context), ".png") for folder in folders}

    def work(self, context: Context) -> Iterator[Work]:
        """Of the first network among the settings of the training."""
        samples, outputs = self.images(context), context.data.num_classes + 1
        trained = (config for _, config in nested(context.configs["train"]) if isinstance(config, Pretrained))
        seen = len(samples) * areas(self.scales, self.flip)
        for network in list(trained)[:1]:
            yield passes("predict", seen, network, outputs, self.seen_size(samples))
        if self.crf:
            yield dense_crf("dense CRF", len(samples), samples, outputs, self.crf_settings)

    def seen_size(self, samples: Sequence[Sample]) -> tuple[int, int]:
        """Height and width of a typical image as the network sees it."""
        if self.resize is not None:
            return self.resize, self.resize
        height, width = typical_size(samples)
        longer = (self.long_side or max(height, width)) / max(height, width)
        factor = self.short_side / min(height, width) if self.short_side else longer
        return scaled_size((height, width), factor)


def infer(job: Job[Infer]) -> dict[str, Any]:
    """Write `labels/<id>.png`, and `labels_crf/<id>.png` if asked, for each image of the split, at its photo's size.

    How sure the network is of each is noted in certainty.jsonl, at the size that it sees.
    """
    config = job.config
    net = job.ready(load_object(job.method.predictor)(job.inputs["train"] / "checkpoint.pt", job))
    split = job.data.split_for("val", config.split)
    samples = job.data.split(split)
    todo = job.todo(samples, lambda s: outputs(job.folder, s.id, config.crf))
    tasks = _predictions(job, net, config, todo)
    need = crf_memory(todo, job.data.num_classes) if config.crf else 0
    job.each("infer", write_prediction, tasks, len(todo), on_device=True, need=need, light=not config.crf)
    if job.runtime.main:
        gather_notes(job.folder)
    return {"split": split, "images": len(samples)}


def outputs(folder: Path, id: str, crf: bool) -> list[Path]:
    """Where a prediction is written: plain, and refined if asked."""
    plain = folder / "labels" / f"{id}.png"
    return [plain, folder / "labels_crf" / f"{id}.png"] if crf else [plain]


@torch.inference_mode()
def predict(net: Net, images: Tensor, config: Infer, size: Sequence[int]) -> Tensor:
    """Fused class scores of images of one shape, enlarged to size.

    images (B, h, w, 3) uint8 on the net's device; size H, W. Returns (B, K, H, W) softmax scores.
    """
    x = normalise(images)  # (B, 3, h, w)
    if config.resize is not None and config.resize_by == "torch":
        x = _to_size(x, (config.resize, config.resize))
    if config.long_side is not None:
        x = _to_size(x, floor_size(x.shape[2:], config.long_side / max(x.shape[2:])))
    net = windowed(net, config.window, config.window_stride)
    with computing(config, x.device):
        maps = _logits_of_scales(net, x, config, size)
    return fuse(maps, config.fusion)


def _logits_of_scales(net: Net, x: Tensor, config: Infer, size: Sequence[int]) -> list[list[Tensor]]:
    """For each scale the logits (B, K, H, W) of the images and, if asked for, of their mirror images, mirrored back."""
    maps = []
    for scale in (s * short_side_scale(x.shape[2:], config.short_side) for s in config.scales):
        scaled = x if scale == 1 else _scaled(x, scale, config.rounding)
        maps.append([net(scaled), net(scaled.flip(-1)).flip(-1)] if config.flip else [net(scaled)])
    if config.fusion in ("coarse_max", "coarse_mean"):
        nearest = min(range(len(config.scales)), key=lambda i: abs(config.scales[i] - 1))
        grid = maps[nearest][0].shape[2:]
        every = torch.stack([_to_size(m, grid) for one in maps for m in one])
        maps = [[every.amax(0) if config.fusion == "coarse_max" else every.mean(0)]]
    return [[_to_size(m, size) for m in one] for one in maps]


def fuse(maps: Sequence[Sequence[Tensor]], fusion: Fusion) -> Tensor:
    """Softmax scores of several predictions of one image: logits (B, K, H, W) by scale, and by flip within each."""
    if fusion != "mean":
        return fuse_logits(maps, fusion).softmax(1)
    every = [m for one in maps for m in one]
    total = every[0].softmax(1)
    for more in every[1:]:
        total = total + more.softmax(1)
    return total / len(every)


def fuse_logits(maps: Sequence[Sequence[Tensor]], fusion: Fusion) -> Tensor:
    """The logits of the fusions that do not work on scores: as `fuse`, before the softmax."""
    over_flips = torch.sum if fusion == "sum_max" else torch.amax
    over_scales = torch.sum if fusion == "max_sum" else torch.amax
    return over_scales(torch.stack([over_flips(torch.stack(list(one)), 0) for one in maps]), 0)


def among(scores: Tensor, ids: Labels) -> Tensor:
    """Softmax scores (K, H, W) of these classes alone: of each pixel they add up to 1 again, all others are 0."""
    kept = scores[ids.tolist()]
    alone = torch.zeros_like(scores)
    alone[ids.tolist()] = kept / kept.sum(0).clamp_(min=torch.finfo(kept.dtype).tiny)
    return alone


def write_prediction(
    paths: list[Path],
    image: np.ndarray,
    scores: Tensor,
    crf: Crf,
    palette: Sequence[tuple[int, int, int]],
    size: Sequence[int],
    ids: Labels | None = None,
) -> None:
    """Write the plain and, if two paths are given, the CRF-refined label map.

    image (h, w, 3) uint8; scores (K, h, w) softmax, on the device where the CRF is to run; size (H, W) of the maps;
    ids of the classes, background among them, that may be predicted, if not all may
    """
    for path, labels in zip(paths, label_maps(image, scores, crf if len(paths) > 1 else None, size, ids)):
        write_labels(path, labels, palette)


def label_maps(
    image: np.ndarray, scores: Tensor, crf: Crf | None, size: Sequence[int], ids: Labels | None = None
) -> Iterator[Labels]:
    """The label map (H, W) of the scores and, with a CRF, the refined one; arguments as `write_prediction`.

    The CRF refines what the image shows, whose size its distances in pixels are made for; then its scores are enlarged.
    """
    if ids is not None:
        few = label_maps(image, scores[ids.tolist()], crf, size)
        yield from (ids[labels] for labels in few)
        return
    yield winners(scores, size)
    if crf is not None:
        refined = DenseCrf(torch.from_numpy(image).to(scores.device), crf).infer(unary_from_softmax(scores, crf.clip))
        yield winners(refined, size)


def seen_of(image: np.ndarray, config: Infer) -> np.ndarray:
    """What the network is to see of an image (H, W, 3): itself, or squeezed into a square."""
    if config.resize is None or config.resize_by != "pil":
        return image
    return resize(image, (config.resize, config.resize), "bilinear")


def _predictions(job: Job, net: nn.Module, config: Infer, todo: Sequence[Sample]) -> Iterator[tuple[Any, ...]]:
    """The arguments of write_prediction for each image."""
    palette, form = job.data.info.palette, label_format(job.data.num_classes)
    device = job.runtime.device
    at_once = config.batch or (GPU_BATCH if device.type == "cuda" else 1)
    for group, read in equal_shapes(todo, ParallelMap(lambda s: _read(s, config), todo), at_once):
        batch = _sent(np.stack([one.seen for one in read]), device)  # (B, h, w, 3)
        size = read[0].image.shape[:2]
        for sample, (image, _, truth), scores in zip(group, read, predict(net, batch, config, size)):
            ids = np.array([0, *sample.tags], form.dtype) if config.among and sample.tags else None
            scores = scores if ids is None else among(scores, ids)
            note(job.folder, job.runtime.rank, sample.id, certainty(scores, truth))
            whole = sample.full.height, sample.full.width
            yield outputs(job.folder, sample.id, config.crf), image, scores, config.crf_settings, palette, whole, ids


def _sent(images: np.ndarray, device: torch.device) -> Tensor:
    """On the device; to a GPU from pinned memory, so that nothing here waits for it."""
    batch = torch.from_numpy(images)
    return batch.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else batch.to(device)


class Read(NamedTuple):
    """The image, which the CRF needs; what the network is to see of it; its mask at that size, if it has one."""

    image: np.ndarray
    seen: np.ndarray
    truth: Labels | None


def _read(sample: Sample, config: Infer) -> Read:
    image = read_image(sample.image)
    truth = at_image_size(read_labels(sample.mask), sample) if sample.mask else None
    return Read(image, seen_of(image, config), truth)


def _scaled(x: Tensor, scale: float, rounding: Rounding) -> Tensor:
    if rounding == "factor":
        return by_factor(x.float(), scale)
    size_of = scaled_size if rounding == "nearest" else floor_size
    return _to_size(x, size_of(x.shape[2:], scale))


def _to_size(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps.float(), tuple(size), mode="bilinear", align_corners=False)
