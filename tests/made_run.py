"""A run whose stages draw their results instead of computing them; executed and scored by the toolkit itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from wsss_cli.cam.store import Cam, write_cam
from wsss_cli.config import StageConfig
from wsss_cli.data.certainty import gather_notes, note
from wsss_cli.data.labels import read_labels, voc_palette, write_labels
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_cli.engine.certainty import certainty
from wsss_cli.engine.loop import Loop
from wsss_cli.execute import execute
from wsss_cli.job import Job
from wsss_cli.load_object import load_object
from wsss_cli.method import CAMS, LABELS, Method, Stage
from wsss_cli.nets.config import Net
from wsss_cli.plan import EVALUATE, Step
from wsss_cli.ranks.distributed import Runtime
from wsss_cli.refine.crf_config import Crf
from wsss_cli.runs import Run, read_record, write_record
from wsss_cli.seals import seal

CLASSES = ("disc", "box & <b>bold</b>", 'bar "wide"')
BLOCK = 12  # side of the squares in which drawn label maps are wrong


class Train(StageConfig):
    """Those settings of a training that scores name."""

    labels: str = Field("pseudo", description="learnt from, <pseudo> or <masks>")
    net: Net = Field(Net(backbone="mobilenetv2_100"), description="network")
    loop: Loop = Field(Loop(batch=16), description="length")


class Infer(StageConfig):
    """Those settings of a prediction that scores name."""

    scales: tuple[float, ...] = Field((0.5, 1.0), description="scales")
    flip: bool = Field(True, description="mirrored too")
    fusion: str = Field("mean", description="fusion")
    resize: int | None = Field(None, description="size")
    crf: bool = Field(True, description="refined too")
    crf_settings: Crf = Field(Crf(), description="the dense CRF")


def seeds(job: Job) -> dict[str, float]:
    for sample in _with_mask(job, "train"):
        write_cam(job.folder / "cam" / f"{sample.id}.npz", _cam(sample))
    _write_journal(job.folder / "cam_net", ("classification",))
    return {"loss": 0.123456}


def pseudo(job: Job) -> dict[str, float]:
    for sample in _with_mask(job, "train"):
        _write_noisy(job.folder / "labels", sample, 0.3)
    _write_journal(job.folder / "irn", ("positive", "negative", "foreground", "background"))
    return {"loss": 0.2}


def train(job: Job) -> dict[str, float]:
    _write_journal(job.folder, ("cross_entropy",), validation=True)
    return {"loss": 0.3}


def infer(job: Job) -> dict[str, object]:
    for sample in _with_mask(job, "val"):
        _write_noisy(job.folder / "labels", sample, 0.25)
        _write_noisy(job.folder / "labels_crf", sample, 0.1)
        labels = torch.from_numpy(read_labels(job.folder / "labels" / f"{sample.id}.png")).long()
        spread = torch.linspace(1, 6, labels.numel()).view(labels.shape)  # from doubt above to certainty below
        scores = (torch.nn.functional.one_hot(labels, job.data.num_classes + 1).permute(2, 0, 1) * spread).softmax(0)
        note(job.folder, 0, sample.id, certainty(scores, _mask(sample)))
    gather_notes(job.folder)
    return {"split": "val", "images": 12}


PLAIN = "wsss_cli.config:StageConfig"
STAGES = (
    Stage("seeds", "made_run:seeds", PLAIN, writes=(CAMS,)),
    Stage("pseudo", "made_run:pseudo", PLAIN, ("seeds",), (LABELS,)),
    Stage("train", "made_run:train", "made_run:Train", ("pseudo",)),
    Stage("infer", "made_run:infer", "made_run:Infer", ("train",)),
    Stage("evaluate-seeds", *EVALUATE, ("seeds",)),
    Stage("evaluate-pseudo", *EVALUATE, ("pseudo",)),
    Stage("evaluate", *EVALUATE, ("infer",)),
)
METHOD = Method("irn", "A method", "", "tags", STAGES[:3], predictor="")


def finished_run(run: Run, data: Prepared, labels: str = "pseudo") -> Run:
    """Execute all stages of a run; with labels "masks" those that such a training needs."""
    unused = ("seeds", "pseudo") if labels == "masks" else ()
    steps: list[Step] = []
    for stage in STAGES:
        if stage.name.removeprefix("evaluate-") not in unused:
            config = Train(labels=labels) if stage.name == "train" else load_object(stage.config)()
            inputs = {need: need for need in stage.needs if need not in unused}
            mark = f"{stage.name} of {labels}"
            steps.append(
                Step(stage.name, stage, config, inputs, run.stage(stage.name), mark, "missing", "not made yet")
            )
    execute(steps, data, METHOD, Runtime(torch.device("cpu")))
    return run


def drawn_data(folder: Path) -> Prepared:
    """24 scenes of one or two shapes, half of them in split train, of which one has no mask, half in val."""
    random = np.random.default_rng(0)
    samples = tuple(_scene(folder, i, random) for i in range(24))
    splits = {"train": "train", "val": "val", "seeds": "train"}
    info = DatasetInfo("toy", "toy", CLASSES, splits, "drawn", "masks", notes=("drawn <here>",), hash="abc")
    return Prepared(folder, info, samples)


def _with_mask(job: Job, split: str) -> list[Sample]:
    return [s for s in job.data.split(split) if s.mask]


def _write_journal(folder: Path, terms: Sequence[str], validation: bool = False) -> None:
    """metrics.jsonl of 600 iterations, logged every tenth, its last line cut short as by a crash."""
    random = np.random.default_rng(len(terms))
    lines: list[dict[str, object]] = []
    for k in range(10, 601, 10):
        losses = {t: 2 * np.exp(-k / (150 * (i + 1))) + 0.1 * random.random() for i, t in enumerate(terms)}
        time = {"data": 0.01, "forward": 0.2 + 0.1 * random.random(), "backward": 0.4, "optimizer": 0.02}
        lines.append({"iteration": k, "epoch": k / 100, "lr": 0.01 * (1 - k / 600) ** 0.9, **losses, "time": time})
        if validation and k % 100 == 0:
            lines.append({"iteration": k, "epoch": k / 100, "miou": 0.5 - 20 / (k + 40)})
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text + '{"iteration": 61')


def _write_noisy(folder: Path, sample: Sample, amount: float) -> None:
    """The mask with blocks of background and object exchanged, more in some images than in others."""
    truth = _mask(sample)
    random = np.random.default_rng(list(sample.id.encode()))
    cells = (truth.shape[0] // BLOCK + 1, truth.shape[1] // BLOCK + 1)
    wrong = np.kron(random.random(cells) < 2 * amount * random.random(), np.ones((BLOCK, BLOCK), bool))
    truth[truth == 255] = 0
    other = np.where(truth == 0, sample.tags[0], 0)
    labels = np.where(wrong[: truth.shape[0], : truth.shape[1]], other, truth)  # (H, W)
    write_labels(folder / f"{sample.id}.png", labels.astype(np.uint8))


def _cam(sample: Sample) -> Cam:
    """Blurred masks of the tags at stride 4."""
    truth = _mask(sample)
    coarse = (truth.shape[1] // 24 + 1, truth.shape[0] // 24 + 1)
    quarter = (-(-truth.shape[1] // 4), -(-truth.shape[0] // 4))
    maps = []
    for tag in sample.tags:
        mask = Image.fromarray(((truth == tag) * 255).astype(np.uint8))
        maps.append(np.array(mask.resize(coarse, Image.Resampling.BOX).resize(quarter, Image.Resampling.BICUBIC)) / 255)
    cam = np.stack(maps).astype(np.float32)  # (n, h, w)
    return Cam(np.array(sample.tags), cam / (cam.max((1, 2), keepdims=True) + 1e-5), truth.shape)


def _mask(sample: Sample) -> np.ndarray:
    assert sample.mask is not None
    return read_labels(sample.mask)


def _scene(folder: Path, i: int, random: np.random.Generator) -> Sample:
    """One or two shapes in the colours of their classes, a strip of ignored pixels at the right."""
    width, height = (96, 72) if i % 4 else (60, 96)
    y, x = np.mgrid[:height, :width]
    labels = np.zeros((height, width), np.uint8)
    tags = tuple(sorted({1 + i % 3, 1 + (i // 3) % 3}))
    for tag in tags:
        dx, dy = abs(x - random.integers(15, width - 15)), abs(y - random.integers(15, height - 15))
        r = random.integers(8, 18)
        labels[{1: dx**2 + dy**2 < r * r, 2: (dx < r) & (dy < r), 3: dy < r / 2}[tag]] = tag
    labels[:, -2:] = 255
    colour = np.array(voc_palette(4))[np.where(labels == 255, 0, labels)]  # (H, W, 3)
    picture = 0.5 * colour + 60 + 60 * random.random((height, width, 1))
    image, mask = folder / "images" / f"scene_{i:02d}.png", folder / "masks" / f"scene_{i:02d}.png"
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.astype(np.uint8)).save(image)
    write_labels(mask, labels)
    split = "train" if i < 12 else "val"
    return Sample(f"scene_{i:02d}", image, width, height, tags, mask=None if i == 0 else mask, splits=(split,))


def reseal(folder: Path) -> None:
    """Vouch for what a test changed in a stage's folder."""
    write_record(folder, (read_record(folder) or {}) | {"seal": seal(folder)})
