"""Settings of a run on one's own images: what is known of data and machine, and what the method makes of it."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from statistics import median

from wsss_cli.choices.choice import Proposal
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.console import warn
from wsss_cli.data.prepared import DatasetInfo, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.method import Method
from wsss_cli.plugins import datasets, methods
from wsss_cli.runs import Run, Settings
from wsss_cli.seals import holds_artefacts


def with_choices(
    settings: Settings, run: Run, method: Method, data: Prepared, device: str = "auto", pretrained: Sequence[str] = ()
) -> Settings:
    """The settings of a run with those that its method chooses for it: `choosing`.

    As they are once something was made: a run keeps what it began with.
    """
    return settings if is_begun(run) else choosing(settings, method, data, device, pretrained)


def choosing(
    settings: Settings, method: Method, data: Prepared, device: str = "auto", pretrained: Sequence[str] = ()
) -> Settings:
    """The settings with those that a method chooses for data and machine.

    As they are if a recipe was asked for, if the data set is nobody's own, and once they were chosen.
    """
    if settings.recipe is not None or settings.chosen or not is_own(data):
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

    census = Census(data.info)
    for sample in data.samples:
        census.add(sample)
    return replace(
        census.fingerprint(),
        gpu=gpu_memory(device),
        cores=cores(),
        weights=WeightsInReach(pretrained),
        begin="none" if "none" in pretrained else "published",
    )


def proposals_for(fp: Fingerprint) -> dict[str, Proposal]:
    """What each method that says so offers, by its name; a plugin that fails at it is a warning, and left out."""
    found: dict[str, Proposal] = {}
    for name, method in methods().items():
        try:
            offered = method.proposal(fp)
        except WsssError as error:
            warn(error.what)
        else:
            if offered is not None:
                found[name] = offered
    return found


class Census:
    """What there is to learn from, counted image by image, in the memory of a few numbers for each."""

    def __init__(self, info: DatasetInfo) -> None:
        self._info, self._counts, self._tags = info, Counter[str](), set[tuple[int, ...]]()
        self._widths, self._heights = array("i"), array("i")

    def add(self, sample: Sample) -> None:
        self._widths.append(sample.width)
        self._heights.append(sample.height)
        self._counts["scored"] += self._info.splits.get("val") in sample.splits and sample.mask is not None
        if self._info.splits.get("train") in sample.splits:
            self._counts.update(images=1, tagged=bool(sample.tags), boxed=bool(sample.boxes))
            self._counts["masked"] += sample.mask is not None
            if sample.tags and len(self._tags) < 2:
                self._tags.add(sample.tags)

    def fingerprint(self) -> Fingerprint:
        """For no machine: without a GPU, no weights in reach."""
        counts = self._counts
        return Fingerprint(
            images=counts["images"],
            tagged=counts["tagged"],
            boxed=counts["boxed"],
            masked=counts["masked"],
            scored=counts["scored"],
            classes=len(self._info.classes),
            alike=len(self._tags) == 1,
            width=round(median(self._widths)),
            height=round(median(self._heights)),
            longest=max(*self._widths, *self._heights),
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
