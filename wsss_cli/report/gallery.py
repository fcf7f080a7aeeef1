"""Which images the report shows: of each scored split the best, median and worst, and some that were learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_cli.data.labels import label_path
from wsss_cli.data.prepared import Prepared, Sample
from wsss_cli.plugins import methods
from wsss_cli.promises import files_of
from wsss_cli.report.certainty import HOW as HOW_CERTAIN
from wsss_cli.report.certainty import certainties, least_certain
from wsss_cli.report.markup import EMPTY, Html, el, join
from wsss_cli.report.read import Record, outdated, per_image
from wsss_cli.report.sheet import FileOf, Pick, pick, sheet, spread
from wsss_cli.runs import Run

EACH = 3  # best, median and worst images of the predictions
EACH_TRAIN = 2  # and of the pseudo-labels
LEARNT_FROM = (("seeds", "cam", ".npz"), ("seeds", "labels", ".png"), ("pseudo", "labels", ".png"))
HOW = (
    "CAMs are drawn in the colour of the strongest class, the more opaque the higher; label maps in the colours of "
    "their classes, with white lines where two meet."
)


def pictures_section(
    run: Run, records: Mapping[str, Record], scored: Mapping[str, Mapping[str, Any]], data: Prepared
) -> Html:
    """A sheet of scored predictions and one of the images that have CAMs or pseudo-labels."""
    sheets = join([_predicted(run, records, scored, data), _learnt_from(run, records, scored, data)])
    return join([el("p", HOW, cls="note"), sheets]) if sheets else EMPTY


def columns(run: Run, records: Mapping[str, Record], infer: str | None) -> dict[str, FileOf]:
    """Where each kind of label map of an image lies; infer, the folder of the predictions, if there are any."""
    found: dict[str, FileOf] = {}
    if "seeds" in records:
        found |= {"CAM": _in(run.stage("seeds") / "cam", ".npz"), "seed": _in(run.stage("seeds") / "labels")}
    if "pseudo" in records:
        found["pseudo-label"] = _in(run.stage("pseudo") / "labels")
    if infer is not None and infer in records:
        found["prediction"] = _in(run.stage(infer) / "labels")
        if records[infer]["config"].get("crf"):
            found["prediction + CRF"] = _in(run.stage(infer) / "labels_crf")
    return found | {"ground truth": lambda sample: sample.mask}


def _predicted(
    run: Run, records: Mapping[str, Record], scored: Mapping[str, Mapping[str, Any]], data: Prepared
) -> Html | None:
    """Of the first scored predictions: `evaluate`, or that of another split if there is no other."""
    key = min((k for k, report in scored.items() if report["stage"] == "infer" and report["scores"]), default=None)
    if key is None:
        return _unscored(run, records, data)
    split, kind = scored[key]["split"], scored[key]["scores"][-1]["name"]
    picks = pick(data.samples, per_image(run.stage(key)), EACH)
    files = columns(run, records, key.replace("evaluate", "infer"))
    return sheet(f"Predictions, split {split}", _intro(picks, kind), picks, files, data, has_boxes(run, data))


def _unscored(run: Run, records: Mapping[str, Record], data: Prepared) -> Html | None:
    """Without a score the least certain of the first predictions."""
    key = min((k for k in records if k.partition("-")[0] == "infer"), default=None)
    if key is None:
        return None
    picks = least_certain(data.samples, certainties(run, {key: records[key]}), 3 * EACH)
    split = (records[key].get("metrics") or {}).get("split", "")
    files = columns(run, records, key)
    return (
        sheet(f"Predictions, split {split}", HOW_CERTAIN, picks, files, data, has_boxes(run, data)) if picks else None
    )


def has_boxes(run: Run, data: Prepared) -> bool:
    """Whether boxes are to be seen: they were learnt from, or there are no masks to show instead."""
    method = methods().get(run.method)
    return not any(s.mask for s in data.samples) or (method is not None and method.supervision == "boxes")


def _learnt_from(
    run: Run, records: Mapping[str, Record], scored: Mapping[str, Mapping[str, Any]], data: Prepared
) -> Html | None:
    """Images that have a CAM, a seed or a pseudo-label, with predictions of the network that there is now."""
    mious = per_image(run.stage("evaluate-pseudo")) if "evaluate-pseudo" in scored else {}
    made = [] if mious else _with_files(run, records, data)
    current = {key: record for key, record in records.items() if not outdated(key, records, None)}
    sure = certainties(run, current) if made and not any(sample.mask for sample in made) else {}
    picks = pick(data.samples, mious, EACH_TRAIN) or least_certain(made, sure, 3 * EACH_TRAIN)
    picks = picks or spread(made, 3 * EACH_TRAIN)
    infer = next((k for k in current if k.startswith("infer") and _holds(run.stage(k), picks)), None)
    title = "CAMs and pseudo-labels" + (f", split {scored['evaluate-pseudo']['split']}" if mious else "")
    intro, files = _intro(picks, "the pseudo-label"), columns(run, records, infer)
    return sheet(title, intro, picks, files, data, has_boxes(run, data)) if picks else None


def _intro(picks: Sequence[Pick], kind: str) -> str:
    if any(p.certainty is not None for p in picks):
        return HOW_CERTAIN
    if all(p.rank for p in picks):
        return f"The best, those around the median, and the worst by the mIoU of {kind} within the image, in %."
    return ""


def _with_files(run: Run, records: Mapping[str, Record], data: Prepared) -> list[Sample]:
    kinds = [(run.stage(key) / below, end) for key, below, end in LEARNT_FROM if key in records]
    made = {id for folder, end in kinds for id in files_of(folder, end)}
    return [s for s in data.samples if s.id in made]


def _holds(folder: Path, picks: Sequence[Pick]) -> bool:
    return any(label_path(folder, p.sample).exists() for p in picks)


def _in(folder: Path, suffix: str = ".png") -> FileOf:
    return lambda sample: folder / f"{sample.id}{suffix}"
