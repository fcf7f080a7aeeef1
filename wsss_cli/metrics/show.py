"""Scores as a table on the console."""

from __future__ import annotations

from typing import Any

from wsss_cli import console
from wsss_cli.protocol import FEW, Protocol


def show(report: dict[str, Any]) -> None:
    """What scores.json holds, with what a reader needs to compare it."""
    if report["scores"]:
        show_scores(report)
    if "agreement" in report:
        show_agreement(report)


def show_agreement(report: dict[str, Any]) -> None:
    """What was judged without masks, per class, and what each measure says."""
    rows = report["agreement"]
    classes = dict.fromkeys(name for row in rows for name, value in row["classes"].items() if value is not None)
    body = [[name, *(_percent(row["classes"].get(name)) for row in rows)] for name in classes]
    body.append(["all", *(_percent(row["value"]) for row in rows)])
    title = f"{report['method']}/{report['run']} on {report['data']}, split {report['split']}: without masks"
    console.table(title, ["%", *(f"{row['name']} ({row['of']})" for row in rows)], body)
    for row in {row["name"]: row for row in rows}.values():
        console.say(f"{row['name']}: {row['says']}; {row['images']} images")
    console.say(Protocol.read(report).made())


def show_scores(report: dict[str, Any]) -> None:
    """The scores against masks side by side, per class."""
    rows = report["scores"]
    classes = [name for name in rows[0]["iou"] if any(r["iou"][name] is not None for r in rows)]
    body = [[name, *(_percent(r["iou"][name]) for r in rows)] for name in classes]
    body += [
        ["mIoU", *(_percent(r["miou"]) for r in rows)],
        *([["95 % of draws", *map(_between, rows)]] if any(r.get("interval") for r in rows) else []),
        ["pixel accuracy", *(_percent(r["pixel_accuracy"]) for r in rows)],
        ["mean accuracy", *(_percent(r["mean_accuracy"]) for r in rows)],
    ]
    title = (
        f"{report['method']}/{report['run']} on {report['data']}, split {report['split']} ({report['images']} images)"
    )
    console.table(title, ["IoU, %", *(r["name"] for r in rows)], body)
    if outside := report.get("not_made"):
        of = f"split {report['split']} are not among those that {report['stage']} were made of"
        console.warn(f"{outside} image(s) of {of}: not scored")
    if report["images"] < FEW:
        console.warn(f"{report['images']} image(s) are few: others of the same kind may well give another mIoU")
    if "calibration" in report:
        error = _percent(report["calibration"]["ece"])
        console.say(f"calibration: certainty and the share of right pixels differ by {error} % in the mean (ECE)")
    for row in rows:
        if row.get("ignored"):
            console.say(f"{row['name']}: {_percent(row['ignored'])} % of the pixels are ignored by it and not scored")
    if "instances" in report:
        show_instances(report["instances"])
    if report.get("background"):
        show_background(report["background"], report)
    threshold = next((f"background score {row['threshold']}: " for row in rows if "threshold" in row), "")
    console.say(f"ground truth: {report['ground_truth'] or 'unnamed'}; {threshold}{Protocol.read(report).describe()}")


def show_background(found: dict[str, Any], report: dict[str, Any]) -> None:
    """The best background score, the setting that it is, and how it is set."""
    best = f"best background score on split {report['split']}: {found['best']:g}, mIoU {_percent(found['miou'])} %"
    if found["setting"] is None:
        where = " ".join(f"wsss evaluate --stage {stage}" for stage in found["elsewhere"])
        console.say(f"{best}; no setting of {report['method']} is this score{where and f', but see: {where}'}")
        return
    now = "" if found["now"] is None else f", which is {found['now']:g} now"
    console.say(f"{best}; it is the setting {found['setting']}{now}")
    if found["command"] is None:
        console.say("predictions are scored on these images, too: choose it on others, with --split")
    elif found["now"] != found["best"]:
        console.say(f"to use what was chosen on split {report['split']}: {found['command']}")


def show_instances(found: dict[str, Any]) -> None:
    """AP and best overlap of instance labels, per class and in the mean."""
    columns = list(found["means"])
    body = [[name, *(_percent(row[c]) for c in columns), str(row["objects"])] for name, row in found["classes"].items()]
    body.append(["mean", *(_percent(found["means"][c]) for c in columns), str(found["objects"])])
    counts = f"{found['instances']} found, {found['objects']} true objects in {found['images']} images"
    console.table(f"instance labels: {counts}", ["%", *columns, "objects"], body)
    console.say(f"true objects: {found['ground_truth']}")
    if found["without"]:
        console.say(f"{found['without']} image(s) without instance labels or true objects are not scored")


def _between(row: dict[str, Any]) -> str:
    """Where the mIoU of 95 % of other draws of the images lies."""
    return " to ".join(map(_percent, row["interval"])) if row.get("interval") else "-"


def _percent(value: float | None) -> str:
    return "-" if value is None or value != value else f"{100 * value:.1f}"
