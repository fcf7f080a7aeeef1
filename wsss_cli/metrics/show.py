"""Scores as a table on the console."""

from __future__ import annotations

from typing import Any

from wsss_cli import console


def show(report: dict[str, Any]) -> None:
    """The rows of scores.json side by side, per class, with what a reader needs to compare them."""
    rows = report["scores"]
    classes = [name for name in rows[0]["iou"] if any(r["iou"][name] is not None for r in rows)]
    body = [[name, *(_percent(r["iou"][name]) for r in rows)] for name in classes]
    body += [
        ["mIoU", *(_percent(r["miou"]) for r in rows)],
        ["pixel accuracy", *(_percent(r["pixel_accuracy"]) for r in rows)],
        ["mean accuracy", *(_percent(r["mean_accuracy"]) for r in rows)],
    ]
    title = (
        f"{report['method']}/{report['run']} on {report['data']}, split {report['split']} ({report['images']} images)"
    )
    console.table(title, ["IoU, %", *(r["name"] for r in rows)], body)
    for row in rows:
        if row.get("ignored"):
            console.say(f"{row['name']}: {_percent(row['ignored'])} % of the pixels are ignored by it and not scored")
    if "instances" in report:
        show_instances(report["instances"])
    console.say(f"ground truth: {report['ground_truth'] or 'unnamed'}; {describe(report)}")


def show_instances(found: dict[str, Any]) -> None:
    """AP and best overlap of instance labels, per class and in the mean."""
    columns = list(found["means"])
    body = [[name, *(_percent(row[c]) for c in columns), str(row["objects"])] for name, row in found["classes"].items()]
    body.append(["mean", *(_percent(found["means"][c]) for c in columns), str(found["objects"])])
    title = f"instance labels: {found['instances']} of {found['objects']} true objects, {found['images']} images"
    console.table(title, ["%", *columns, "objects"], body)
    console.say(f"true objects: {found['ground_truth']}")
    if found["without"]:
        console.say(f"{found['without']} image(s) without instance labels or true objects are not scored")


def describe(report: dict[str, Any]) -> str:
    """The protocol in one line."""
    p = report["protocol"]
    if report["stage"] == "seeds" and report["sweep"]:
        row = report["scores"][0]
        return f"background score {row['threshold']} chosen on this split (best of {len(report['sweep'])})"
    if report["stage"] != "infer":
        return f"{'pseudo-labels' if report['stage'] == 'pseudo' else 'seeds'} at the images' own size"
    scales = ", ".join(f"{s:g}" for s in p["scales"])
    crf = "with and without CRF" if p["crf"] else "no CRF"
    size = f"resized to {p['resize']}" if p["resize"] else "own size"
    size = f"short side {p['short_side']}" if p.get("short_side") else size
    size = f"long side {p['long_side']}" if p.get("long_side") else size
    size += f", windows of {p['window']}" if p.get("window") else ""
    flip = " + flip" if p["flip"] else ""
    flip += f", network {p['member']}" if p.get("member") not in (None, "both") else ""
    flip += f", {p['weights']}" if p.get("weights") else ""
    return (
        f"{size}, scales {scales}{flip}, {crf}; trained on {p['labels']}, "
        f"effective batch {p['effective_batch']}; checkpoint selection: {p['selection']}"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None or value != value else f"{100 * value:.1f}"
