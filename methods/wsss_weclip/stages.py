"""WeCLIP's stages: train, then seeds and pseudo-labels of the trained network; and how it predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from wsss_cli.batches.groups import equal_shapes
from wsss_cli.batches.tags import multi_hot
from wsss_cli.batches.transforms import normalise
from wsss_cli.cam.merge import strided_size
from wsss_cli.cam.store import Cam, cam_path, read_cam, write_cam
from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import label_path, write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.engine.adamw import adamw, factor
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.part import Taken, meta, read_part, train_or_take
from wsss_cli.job import Job
from wsss_cli.nets.backbones.clip import ClipVisual
from wsss_cli.nets.clip_text import features_of_run
from wsss_cli.nets.precision import computing
from wsss_cli.nets.weights.pretrained import load_clip, load_pretrained
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.single_stage.network import Segmentation
from wsss_weclip.checkpoint import load_official
from wsss_weclip.config import Net, Pseudo, Seeds, Train
from wsss_weclip.data import WeClipData, to_device
from wsss_weclip.dino import Dino
from wsss_weclip.keeping import keep_features
from wsss_weclip.nets import WeClip
from wsss_weclip.refinement import enlarged, refined_label, spread_cams
from wsss_weclip.step import WeClipStep


def train(job: Job[Train]) -> dict[str, float]:
    """Tags -> a network that segments; leaves checkpoint.pt, and text.npz, the features of names."""
    config = job.config
    return train_or_take(
        job, job.folder, meta(job, config.net), config.checkpoint, lambda file: take(job, file), lambda: learn(job)
    )


def take(job: Job[Train], file: str) -> Taken:
    """The authors' network instead of a training.  Raises WsssError if the file does not fit."""
    net = build(job)
    load_official(net, file, job.runtime.trust)
    return Taken(net)


def learn(job: Job[Train]) -> dict[str, float]:
    """The training itself."""
    config = job.config
    net = build(job)
    samples = job.tagged(config.split)
    job.say_left_out(samples, config.split)
    kept = None if config.keep_features == "no" else keep_features(job, net, samples)
    channels = config.net.width * (1 if net.dino is None else 2)
    data = WeClipData(samples, job.data.num_classes, config.augment, channels, config.net.dropout, kept)
    total = total_iterations(config.loop, len(data))
    job.say(f"train: {len(data)} images with tags, {total} iterations of {config.loop.batch} images; the decoder "
            f"guides the labels from iteration {config.labelling.guided_from}")  # fmt: skip
    training = Training(
        model=net,
        step=WeClipStep(net, config, job.runtime.world),
        optimizer=adamw(net, config.optimiser),
        factor=factor(config.optimiser, total),
        data=data,
        prepare=to_device,
        meta=meta(job, config.net),
    )
    return fit(training, config.loop, job.runtime, job.folder, title="train", seed=config.seed)


def build(job: Job) -> WeClip:
    """The network for the data set's classes, its frozen parts pretrained as `net` says."""
    config: Train = job.config
    encoder, dino = frozen(config.net)
    classes, path = job.data.info.classes, job.folder / "text.npz"
    text = features_of_run(config.text, classes, encoder.proj.out_features, path, job.runtime)  # before any download
    official = config.checkpoint is not None  # it holds CLIP as well
    load_clip(encoder, "none" if official else config.net.pretrained, job.runtime.trust)
    if dino is not None:
        load_pretrained(dino, config.net.dino_pretrained, job.runtime.trust)
    return WeClip(encoder, dino, config.net, text)


def frozen(net: Net) -> tuple[ClipVisual, Dino | None]:
    """CLIP's visual transformer and DINOv2, with random weights."""
    encoder = ClipVisual(net.backbone, net.backbone_args, normalise=net.normalisation())
    return encoder, Dino(net.dino, net.dino_args) if net.dino else None


def network(path: Path, job: Job) -> WeClip:
    """The trained network of a checkpoint, for which nothing is downloaded.  Raises WsssError if it is of another."""
    content = read_part(job, path)
    net, state = Net.stored(content["meta"]), content["model"]
    model = WeClip(*frozen(net), net, (state["classes"], state["background"]))
    model.load_state_dict(state)
    return model


def predictor(path: Path, job: Job) -> nn.Module:
    """The segmentation of the trained network of a checkpoint."""
    return Segmentation(network(path, job))


def seeds(job: Job) -> dict[str, int]:
    """Write cam/<id>.npz of every tagged image of the split that has none yet."""
    config: Seeds = job.config
    net = job.ready(network(job.inputs["train"] / "checkpoint.pt", job))
    samples = job.tagged(config.split)
    todo = job.todo(samples, lambda s: cam_path(job.folder, s))
    with job.track("make CAMs", len(todo)) as tick:
        for group, images in equal_shapes(todo, ParallelMap(lambda s: read_image(s.image), todo), config.batch):
            batch = torch.from_numpy(np.stack(images)).to(job.runtime.device)  # (B, H, W, 3)
            for sample, cam in zip(group, cams_of(net, batch, group, config)):
                write_cam(cam_path(job.folder, sample), cam)
                tick(1)
    job.barrier()
    return {"cams": len(samples)}


@torch.no_grad()
def cams_of(net: WeClip, batch: Tensor, samples: list[Sample], config: Seeds) -> list[Cam]:
    """The CAMs of images of one size (B, H, W, 3), as validation makes them: guided, at the images' own size."""
    size = (batch.shape[1], batch.shape[2])
    x = normalise(batch)
    tags = torch.stack([multi_hot(s.tags, len(net.classes)) for s in samples]).to(x.device)
    with computing(config, x.device):
        seen = net.look(x, tags, config.labelling.maps)
        said = net(seen)
    spread = spread_cams(seen, tags, config.labelling, said)
    small = [enlarged(cam, strided_size(size)).cpu().numpy() for cam in spread]
    return [Cam(np.array(sorted(s.tags), dtype=np.int64), cam, size) for s, cam in zip(samples, small)]


def pseudo(job: Job) -> dict[str, int]:
    """Write labels/<id>.png for every tagged image that the stage `seeds` made CAMs of."""
    config: Pseudo = job.config
    folder, form, palette = job.inputs["seeds"], label_format(job.data.num_classes), job.data.info.palette
    samples = job.promised_samples("seeds", "cam")
    todo = job.todo(samples, lambda s: label_path(job.folder, s))
    with job.track("make labels", len(todo)) as tick:
        for sample in todo:
            image = torch.from_numpy(read_image(sample.image)[None]).to(job.runtime.device)
            cam = read_cam(cam_path(folder, sample))
            keys = torch.from_numpy(cam.class_ids).to(image.device)
            label = refined_label(normalise(image)[0], cam.full().to(image.device), keys, config.par, form)
            write_labels(label_path(job.folder, sample), label.cpu().numpy(), palette)
            tick(1)
    job.barrier()
    return {"labels": len(samples)}
