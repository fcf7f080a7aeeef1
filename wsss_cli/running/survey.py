"""Settings of a run on one's own images: what is known of data and machine, and what the method makes of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from statistics import median

from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.data.prepared import Prepared
from wsss_cli.method import Method
from wsss_cli.plugins import datasets
from wsss_cli.runs import Run, Settings
from wsss_cli.seals import holds_artefacts


def with_choices(
    settings: Settings, run: Run, method: Method, data: Prepared, device: str = "auto", pretrained: Sequence[str] = ()
) -> Settings:
    """The settings of a run with those that its method chooses for it.

    As they are if a recipe was asked for, if the data set is nobody's own, and once they were chosen or something was
    made: a run keeps what it began with.
    """
    if settings.recipe is not None or settings.chosen or not is_own(data) or is_begun(run):
        return settings
    proposal = method.proposal(survey(data, device, pretrained))
    return settings if proposal is None else replace(settings, chosen=proposal.choices)


def is_own(data: Prepared) -> bool:
    """Whether it was prepared from images of the user's own."""
    plugin = datasets().get(data.info.kind)
    return plugin is not None and bool(plugin.own)


def is_begun(run: Run) -> bool:
    """Whether a stage of the run has left anything."""
    return any(holds_artefacts(record.parent) for record in run.folder.glob("*/stage.json"))


def survey(data: Prepared, device: str = "auto", pretrained: Sequence[str] = ()) -> Fingerprint:
    """Count the data set, and look at the machine; what is asked for its device and as `--pretrained`."""
    from wsss_cli.ranks.cores import cores

    return replace(
        counted(data),
        gpu=gpu_memory(device),
        cores=cores(),
        weights=WeightsInReach(pretrained),
        begin="none" if "none" in pretrained else "published",
    )


def counted(data: Prepared) -> Fingerprint:
    """What there is to learn from, for no machine: without a GPU, no weights in reach."""
    train = data.split(data.split_for("train"))
    scored = [s for s in data.samples if data.split_for("val") in s.splits and s.mask is not None]
    tags = [s.tags for s in train if s.tags]
    return Fingerprint(
        images=len(train),
        tagged=len(tags),
        boxed=sum(bool(s.boxes) for s in train),
        masked=sum(s.mask is not None for s in train),
        scored=len(scored),
        classes=data.num_classes,
        alike=len(set(tags)) == 1,
        width=round(median(s.width for s in data.samples)),
        height=round(median(s.height for s in data.samples)),
        longest=max(max(s.width, s.height) for s in data.samples),
        gpu=0.0,
        cores=1,
    )


def gpu_memory(device: str) -> float:
    """GiB of the GPU that will be used where that device is asked for; 0 if none will be."""
    import torch

    from wsss_cli.ranks.distributed import choose_device

    found = choose_device(device)
    return torch.cuda.get_device_properties(found).total_memory / 2**30 if found.type == "cuda" else 0.0


class WeightsInReach(Mapping[str, str]):
    """Where the published weights of a network are, looked up when somebody asks."""

    def __init__(self, asked: Sequence[str] = ()) -> None:
        """asked: of --pretrained; NETWORK=FILE is as good as installed."""
        self._given = {word.partition("=")[0] for word in asked if "=" in word}

    def __getitem__(self, network: str) -> str:
        return "installed" if {network, network.partition(".")[0]} & self._given else _whereabouts(network)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@cache
def _whereabouts(network: str) -> str:
    from wsss_cli.nets.weights.fetching import hub_file, is_cached, packaged

    if packaged(network) is not None:
        return "installed"
    source = hub_file(network)
    if not source:
        return ""
    if is_cached(source):
        return "downloaded"
    return "hub" if _answers(source) else ""


@cache
def _answers(source: str) -> bool:
    from huggingface_hub import constants

    from wsss_cli.downloads.network import unreachable
    from wsss_cli.nets.weights.fetching import address

    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return False
    return not unreachable([address(source, constants.ENDPOINT)])[0]
