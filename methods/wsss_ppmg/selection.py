"""The state of a training that scored best on the validation split, as the released code uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from wsss_cli.data.images import read_image
from wsss_cli.data.label_format import label_format
from wsss_cli.data.labels import read_labels
from wsss_cli.data.long_side import at_image_size
from wsss_cli.engine import checkpoint
from wsss_cli.engine.infer import predict
from wsss_cli.job import Job
from wsss_cli.metrics.confusion import scores_of, tally
from wsss_cli.parallel.ordered import ParallelMap
from wsss_cli.protocol import NO_SELECTION
from wsss_cli.ranks.distributed import shard, sum_over_ranks
from wsss_ppmg.config import Infer, Train, to_select_on


class Best:
    """Scores a network on the validation split and keeps the best so far in a file: what `fit` calls to validate.

    At one scale, without mirror images and CRF: the released code takes its whole test for it, which lasts hours.
    """

    def __init__(self, job: Job[Train], path: Path, meta: dict[str, Any]) -> None:
        """Raises WsssError if no image of the validation split has a mask."""
        config = job.config
        self.job, self.path, self.meta = job, path, meta
        self.split = job.data.split_for("val")
        self.samples = to_select_on(job.data)
        self.config: Infer = config.cyclic.infer.model_copy(update={"scales": (1.0,), "flip": False})
        self.highest = checkpoint.load(path)["miou"] if path.exists() else -1.0

    def __call__(self, model: nn.Module) -> dict[str, float]:
        miou = self.score(model)
        if miou > self.highest:
            self.highest = miou
            state = {"meta": self.meta, "model": model.state_dict(), "miou": miou}
            checkpoint.save(self.path, state, self.job.runtime)
        return {"miou": miou}

    @torch.inference_mode()
    def score(self, model: nn.Module) -> float:
        """mIoU over all ranks."""
        model.eval()
        runtime, k = self.job.runtime, self.job.data.num_classes + 1
        form, total = label_format(k - 1), torch.zeros(3, k, dtype=torch.int64)
        mine = shard(self.samples, runtime)
        for sample, image in zip(mine, ParallelMap(lambda s: read_image(s.image), mine)):
            seen = torch.from_numpy(image)[None].to(runtime.device)  # (1, H, W, 3)
            scores = predict(model, seen, self.config, image.shape[:2])[0]  # (K, H, W)
            truth = at_image_size(read_labels(sample.mask), sample)  # type: ignore[arg-type]
            total += tally(truth, form.tensor(scores.argmax(0)).cpu().numpy(), k)
        return scores_of(sum_over_ranks(total.to(runtime.device)).cpu()).miou

    def describe(self) -> str:
        """For the scores: a checkpoint chosen where it is scored flatters them."""
        if self.highest < 0:
            return NO_SELECTION
        return f"best mIoU on split '{self.split}', {100 * self.highest:.1f} at one scale"
