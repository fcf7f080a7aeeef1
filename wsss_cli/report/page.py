"""`wsss report`: a run in one HTML file: scores, curves, pictures, settings; nothing fetched, no script but ours."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from wsss_cli.data.prepared import Prepared
from wsss_cli.files import write_text
from wsss_cli.report.agreement import agreement_section
from wsss_cli.report.bars import bars_section
from wsss_cli.report.browser import MOST, browser_section, script
from wsss_cli.report.calibration import calibration_section
from wsss_cli.report.chosen import chosen_section
from wsss_cli.report.confusion import confusion_section
from wsss_cli.report.curves import sweep_section, training_section
from wsss_cli.report.differences import differences_section
from wsss_cli.report.gallery import pictures_section
from wsss_cli.report.instances import instances_section
from wsss_cli.report.markup import Html, el, join
from wsss_cli.report.read import (
    all_outdated,
    evaluations,
    is_of_these_classes,
    is_of_what_lies_there,
    journals,
    label,
    rows,
    rows_of,
    sorted_rows,
    stage_records,
)
from wsss_cli.report.scores import scores_section
from wsss_cli.report.stages import origin_section, stages_section
from wsss_cli.runs import Run
from wsss_cli.version import __version__

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser is to allow: the pictures and styles within the file; nothing from anywhere, no script but ours."""
STYLES = ("style.css", "browser.css")


def write_report(run: Run, others: Sequence[Run], data: Prepared, path: Path, pictures: int = MOST) -> Path:
    """Write the report of `run`, with the scores of `others` beside its own, to `path`; returns `path`.

    pictures  how many images of the browser are shown as pictures

    Stages that were not run are left out. Raises WsssError if the run has no stage at all, if one of `others` has no
    score, and for damaged files.
    """
    records = stage_records(run)
    scored = evaluations(run, records)
    drawn = {key: record for key, record in records.items() if is_of_these_classes(record, data)}
    shown = {k: report for k, report in scored.items() if k in drawn and is_of_what_lies_there(k, records)}
    whys = all_outdated(records, data)
    own = rows(run, scored, whys)
    every = sorted_rows([own, *(rows_of(other, data) for other in others)])
    sections = {
        "Scores": scores_section(every),
        "Without masks": agreement_section(scored, whys),
        "IoU per class": bars_section(every, data),
        "Instances": instances_section(every),
        "Confusion": confusion_section(run, scored, whys, data),
        "Calibration": calibration_section(scored, whys),
        "CAM threshold": sweep_section(every),
        "Training": training_section(journals(run, records)),
        "Pictures": pictures_section(run, drawn, shown, data),
        "Images": browser_section(run, drawn, shown, data, pictures),
        "Settings that differ": differences_section(
            {label(run): records, **{label(other): stage_records(other) for other in others}}
        ),
        "Chosen settings": chosen_section(run),
        "Stages": stages_section(run, records, whys),
        "Software and data": origin_section(records, data),
    }
    filled = {title: body for title, body in sections.items() if body}
    code = script() if "Images" in filled else ""
    write_text(path, page(f"{label(run)} on {data.info.name}", _heading(run, data), filled, code))
    return path


def page(title: str, heading: Sequence[Html], sections: Mapping[str, Html], script: str = "") -> Html:
    """A whole file: heading, links to the sections, the sections by their titles; a script, which may be our own."""
    links = [el("a", name, attrs={"href": f"#{_anchor(name)}"}) for name in sections]
    parts = [el("section", el("h2", name), body, attrs={"id": _anchor(name)}) for name, body in sections.items()]
    style = "".join(files("wsss_cli.report").joinpath(name).read_text(encoding="utf-8") for name in STYLES)
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = el(
        "head",
        el("meta", attrs={"charset": "utf-8"}),
        el("meta", attrs={"http-equiv": "Content-Security-Policy", "content": policy(script)}),
        el("meta", attrs={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        el("meta", attrs={"name": "color-scheme", "content": "light dark"}),
        el("title", title),
        el("style", Html(style)),
    )
    body = el(
        "body",
        el("header", *heading, el("nav", *links, attrs={"aria-label": "Sections"})),
        el("main", *parts),
        el("footer", f"Written {written} by wsss {__version__}."),
        el("script", Html(script)) if script else None,
    )
    return join([Html("<!doctype html>\n"), el("html", head, body, attrs={"lang": "en"})])


def policy(script: str) -> str:
    """What a browser is to allow a page with that script, by its digest: no other one runs, whatever a name holds."""
    if not script:
        return POLICY
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{POLICY}; script-src 'sha256-{digest}'"


def _heading(run: Run, data: Prepared) -> list[Html]:
    about = f"run {run.name} · {data.num_classes} classes · {len(data.samples):,} images"
    return [el("h1", run.method, el("span", " on "), data.info.name), el("p", about, cls="lead")]


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
