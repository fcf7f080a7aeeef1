"""The true objects of images, for scoring instance labels: from COCO JSONs or VOC's object maps."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from pycocotools import mask as rle

from wsss_cli import console
from wsss_cli.data.coco_entries import is_crowd, note_name, plain_id, whole
from wsss_cli.data.instances import run_length_mask
from wsss_cli.data.label_format import format_of
from wsss_cli.data.labels import read_labels
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.data.run_lengths import uncompressed
from wsss_cli.data.segmentation import outline_of, require_near
from wsss_cli.data.unchanged import require_same_objects
from wsss_cli.errors import WsssError
from wsss_cli.names import one_line, shown
from wsss_cli.sound import read_text

SHOWN = 5  # names in a message

Objects = list[dict[str, Any]]
"""COCO annotations of one image, without ids: category_id (1..C), segmentation (run lengths), area, bbox, iscrowd."""


def true_objects(data: Prepared, samples: Sequence[Sample], given: str | None = None) -> dict[str, Objects]:
    """The objects of those of the images that have them, by sample id.

    given  a COCO JSON or a folder of object maps, instead of what the data set names
    Raises WsssError if there is no ground truth of objects for any of the images, or a file cannot be read.
    """
    if given is None:
        require_same_objects(data.info)
    samples, every = ([sample.full for sample in some] for some in (samples, data.samples))
    paths = (Path(given),) if given is not None else data.info.instances
    found: dict[str, Objects] = {}
    for path in paths:
        found |= from_maps(path, samples) if path.is_dir() else from_json(path, samples, every, data.info.classes)
    if not found:
        tried = ", ".join(map(str, paths)) or "the data set names none"
        raise WsssError(
            f"data set '{data.info.name}' has no true instances for these images ({tried})",
            "give a COCO JSON or a folder of VOC object maps: --set evaluate.true_instances=PATH",
        )
    return found


def from_maps(folder: Path, samples: Sequence[Sample]) -> dict[str, Objects]:
    """Object maps `<id>.png` as VOC's SegmentationObject: 0 none, 255 ignored, else an object's number.

    An object's class is the smallest one that the mask has under it.
    """
    return {s.id: _of_map(folder / f"{s.id}.png", s) for s in samples if s.mask and (folder / f"{s.id}.png").exists()}


def _of_map(path: Path, sample: Sample) -> Objects:
    assert sample.mask is not None
    numbers, classes = read_labels(path), read_labels(sample.mask)
    if numbers.shape != classes.shape:
        raise WsssError(f"{path} and {sample.mask} are not of one size", "give object maps that belong to the masks")
    rows = []
    for number in np.unique(numbers).tolist():
        mask = numbers == number
        under = classes[mask & (classes != 0) & (classes != format_of(classes).ignore)]
        if number not in (0, format_of(numbers).ignore) and under.size:
            rows.append(annotation(run_length_mask(mask), int(under.min())))
    return rows


def from_json(
    path: Path, samples: Sequence[Sample], every: Sequence[Sample], classes: Sequence[str]
) -> dict[str, Objects]:
    """The annotations of a COCO JSON of the samples, `matched`; those of categories that are no class are left out, and
    counted for the user.

    every  all samples of the data set
    Raises WsssError naming the file, and the annotation or image that does not fit.
    """
    try:
        content = json.loads(read_text(path))
        labels = {name: label for label, name in enumerate(classes, 1)}
        named = ((c["id"], one_line(str(c["name"]))) for c in content["categories"])  # as classes are
        names = _by_id("categories", named, path)
        files = _by_id("images", ((i["id"], i["file_name"]) for i in content["images"]), path)
        images = matched(files, samples, every)
        for entry in content["images"]:
            if (sample := images.get(plain_id(entry["id"]))) is not None:
                _require_size(entry, sample, path)
        found: dict[str, Objects] = {sample.id: [] for sample in images.values()}
        rows = content["annotations"]
        crowds_count = not all(map(is_crowd, rows))  # where every object is marked as one, they are objects
        left_out: Counter[str] = Counter()
        for row in rows:
            image, category = plain_id(row["image_id"]), plain_id(row["category_id"])
            if image not in images:
                continue
            name = names.get(category, f"category {category}")
            if name not in labels:
                left_out[name] += 1
                continue
            crowd = int(crowds_count and is_crowd(row))
            found[images[image].id].append(annotation(_outline(row, images[image], path), labels[name], crowd))
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WsssError(
            f"{path} is no instances JSON: {error!r}", "give a file as COCO's instances_val2014.json"
        ) from error
    if left_out:
        console.warn(_without(path, left_out))
    return found


def _by_id(kind: str, pairs: Iterable[tuple[Any, str]], path: Path) -> dict[int | str, str]:
    """The names of ids.  Raises WsssError if one has two."""
    names: dict[int | str, str] = {}
    for id, name in pairs:
        note_name(names, plain_id(id), name, kind, path)
    return names


def _require_size(entry: Mapping[str, Any], sample: Sample, path: Path) -> None:
    """Raises WsssError if an image of the file is of another size than the sample; 0 or nothing is not known."""
    width, height = whole(entry.get("width")), whole(entry.get("height"))
    if width and height and (width, height) != (sample.width, sample.height):
        what = f"{path}: image {shown(entry['file_name'])} is {width} x {height} pixels"
        raise WsssError(
            f"{what}, but {sample.image} has {sample.width} x {sample.height}", "give the objects of this very image"
        )


def _outline(row: Mapping[str, Any], sample: Sample, path: Path) -> dict[str, Any]:
    """Its run lengths.  Raises WsssError naming the annotation."""
    try:
        return as_run_lengths(row["segmentation"], sample.height, sample.width)
    except ValueError as error:
        what = f"{path}, annotation {row.get('id')}: {error}"
        raise WsssError(what, "correct it, or give the objects of this very image") from error


def _without(path: Path, left_out: Counter[str]) -> str:
    """What to say of objects, counted by the names of their categories, that are of no class."""
    names = ", ".join(f"{shown(name)} ({count})" for name, count in left_out.most_common(SHOWN))
    more = f" and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else ""
    what = f"{path}: {left_out.total()} object(s) are left out"
    return f"{what}, for these are no classes of the data set: {names}{more}"


def annotation(coded: dict[str, Any], label: int, crowd: int = 0) -> dict[str, Any]:
    """One object, its mask as run lengths."""
    box = rle.toBbox(coded).tolist()
    return {"category_id": label, "segmentation": coded, "area": int(rle.area(coded)), "bbox": box, "iscrowd": crowd}


def as_run_lengths(segmentation: Any, height: int, width: int) -> dict[str, Any]:
    """Polygons, or run lengths of either kind -> compressed run lengths, as pycocotools draws them.

    Raises ValueError telling what is wrong; run lengths of an image of another size are.
    """
    outline = outline_of(segmentation)
    if not outline:
        raise ValueError("an object has no outline")
    for points in outline.polygons:
        require_near(points, width, height)
    for run in outline.runs:
        _require_whole(run, height, width)
    parts = rle.frPyObjects(outline.polygons, height, width) if outline.polygons else []
    parts += [rle.frPyObjects(r, height, width) if isinstance(r["counts"], list) else r for r in outline.runs]
    return parts[0] if len(parts) == 1 else rle.merge(parts)


def _require_whole(run: Mapping[str, Any], height: int, width: int) -> None:
    """Raises ValueError for run lengths of another size, with which pycocotools finds no overlap and says nothing."""
    size, counts = run.get("size"), run["counts"]
    if size != [height, width]:
        raise ValueError(f"its run lengths are of size {size}, not [{height}, {width}] as the image")
    lengths = uncompressed(counts.encode()).tolist() if isinstance(counts, str) else counts
    if min(lengths) < 0 or sum(lengths) != height * width:
        raise ValueError(f"its run lengths do not cover {width} x {height} pixels")


def matched(names: Mapping[Any, str], samples: Sequence[Sample], every: Sequence[Sample]) -> dict[Any, Sample]:
    """Which of the samples the images of a COCO JSON are, by the keys of their `file_name`s.

    every  all samples of the data set: 0001.jpg of one folder is not that of another, whichever split it is in
    By id or the end of the path; else by the name alone, of an image whose name no other one of the data set has, or
    that itself names no folder and is the only one of the samples.  One that several could be is none of them.
    """
    stems: dict[str, list[Sample]] = defaultdict(list)
    for sample in every:
        stems[sample.image.stem].append(sample)
    ids, wanted = {s.id: s for s in every}, {s.id for s in samples}
    paths = {key: PurePosixPath(name).with_suffix("") for key, name in names.items()}
    sure = {key: s for key, path in paths.items() if (s := ids.get(path.as_posix()) or _ends_in(path, stems))}
    alone = {
        key: s for key, path in paths.items() if key not in sure and (s := _by_name_alone(path, stems, ids, wanted))
    }
    count = Counter(s.id for s in (*sure.values(), *alone.values()))
    alone = {key: s for key, s in alone.items() if count[s.id] == 1}
    return {key: s for key, s in {**sure, **alone}.items() if s.id in wanted}


def _ends_in(path: PurePosixPath, stems: Mapping[str, Sequence[Sample]]) -> Sample | None:
    """The only sample whose image's path ends so."""
    end = f"/{path.as_posix().lstrip('/')}"
    found = [s for s in stems.get(path.name, ()) if s.image.with_suffix("").as_posix().endswith(end)]
    return found[0] if len(found) == 1 else None


def _by_name_alone(
    path: PurePosixPath, stems: Mapping[str, Sequence[Sample]], ids: Mapping[str, Sample], wanted: Container[str]
) -> Sample | None:
    alike = stems.get(path.name) or [ids[name] for name in (path.name,) if name in ids]
    if len(path.parts) == 1:
        alike = [s for s in alike if s.id in wanted]
    return alike[0] if len(alike) == 1 else None
