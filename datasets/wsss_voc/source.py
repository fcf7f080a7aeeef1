"""Where VOC is read from: a devkit on disk, or archives (given, kept or downloaded) that are unpacked into one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wsss_cli.downloads.archive import unpack
from wsss_cli.downloads.download import digest_of, downloads, fetch
from wsss_cli.errors import WsssError
from wsss_voc.archives import SBD, VOC, contents, describe, place, place_mask
from wsss_voc.config import Options
from wsss_voc.devkit import ANNOTATIONS, IMAGES, LISTS, MASKS, choose_masks, find_devkit
from wsss_voc.sbd import build_masks

AUG, CLASS = MASKS
BY_HAND = "pass it with --archive FILE"

Archive = tuple[Path, str]
"""An archive and the digest of its bytes."""


@dataclass(frozen=True)
class Source:
    """A devkit, and the folder of SegmentationClassAug masks outside of it if one was given or made.

    told  for people: where it came from; bad  the images whose mask could not be made
    unpacked  the devkit comes from archives, so it should be the whole of VOC
    """

    devkit: Path
    told: str
    unpacked: bool
    aug: Path | None = None
    bad: Mapping[str, WsssError] = field(default_factory=dict)


def find_source(options: Options, folder: Path) -> Source:
    """Get hold of VOC, making in `folder` what has to be made.  Raises WsssError; what is missing is fetched first."""
    if options.aug is not None and not options.aug.exists():
        raise WsssError(f"there is no folder or archive {options.aug}", "give the masks' folder with --aug")
    archives = _archives(options, folder)
    made = folder / "VOC2012"
    if archives:
        unpack([path for path, _ in archives], made, place)
    devkit = find_devkit(options.root).absolute() if options.root else _whole(made, archives)
    aug, bad = (_given(options.aug.absolute(), folder), {}) if options.aug else _masks(made, devkit)
    told = [
        f"VOC devkit {devkit}" if options.root else "",
        describe(archives) if archives else "",
        f"masks {options.aug.absolute()}" if options.aug else "",
    ]
    return Source(devkit, ", ".join(filter(None, told)), not options.root, aug, bad)


def _archives(options: Options, folder: Path) -> list[Archive]:
    """The archives that are needed; without --root those that are not given are fetched."""
    held = {path: contents(path) for path in options.archive}
    have = set().union(*held.values())
    if options.root and "voc" in have:
        raise WsssError(f"--root {options.root} and --archive both give a devkit", "give one of them")
    needs_sbd = options.sbd and options.aug is None and "aug" not in have
    given = [(path, digest_of(path)) for path, kinds in held.items() if needs_sbd or kinds != {"sbd"}]
    if options.root:
        return given
    missing = ([] if "voc" in have else [VOC]) + ([SBD] if needs_sbd and "sbd" not in have else [])
    return given + [(fetch(remote, downloads(folder), BY_HAND), remote.digest) for remote in missing]


def _whole(devkit: Path, archives: list[Archive]) -> Path:
    """The unpacked devkit, none of whose folders may be missing."""
    missing = [sub for sub in (IMAGES, ANNOTATIONS, LISTS, CLASS) if not (devkit / sub).is_dir()]
    if missing:
        names = " and ".join(str(path) for path, _ in archives)
        raise WsssError(f"{names}: no VOC devkit, there is no {', no '.join(missing)} in it", f"give {VOC.name}")
    return devkit


def _masks(made: Path, devkit: Path) -> tuple[Path | None, dict[str, WsssError]]:
    """SegmentationClassAug as it was unpacked, or made of SBD; None if there was neither."""
    aug, sbd = made / AUG, made / "sbd"
    bad: dict[str, WsssError] = {}
    if not aug.is_dir() and sbd.is_dir():
        bad = build_masks(choose_masks(CLASS, devkit), sbd, aug)
    shutil.rmtree(sbd, ignore_errors=True)
    return (aug if aug.is_dir() else None), bad


def _given(aug: Path, folder: Path) -> Path:
    """The masks of --aug: in that folder, in SegmentationClassAug in it, or in that archive."""
    if aug.is_dir():
        candidates = [aug, aug / AUG]
    else:
        unpack([aug], folder / AUG, place_mask)
        candidates = [folder / AUG]
    for candidate in candidates:
        if next(candidate.glob("*.png"), None):
            return candidate
    raise WsssError(f"{aug} holds no mask <id>.png", "give the SegmentationClassAug masks with --aug")
