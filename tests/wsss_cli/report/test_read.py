from dataclasses import replace

import pytest

from made_run import reseal
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.report.read import (
    all_outdated,
    evaluations,
    journals,
    outdated,
    per_image,
    read_lines,
    rows,
    sorted_rows,
    stage_records,
)
from wsss_cli.runs import Run, read_record, write_record


def test_stages_stand_in_the_order_of_their_starts_without_previous_ones(run: Run) -> None:
    run.stage("train").with_name("train.previous").mkdir()
    write_record(run.stage("train.previous"), read_record(run.stage("train")) or {})
    found = list(stage_records(run))
    assert set(found) == {"seeds", "pseudo", "train", "infer", "evaluate-seeds", "evaluate-pseudo", "evaluate"}
    assert [key for key in found if "-" not in key] == ["seeds", "pseudo", "train", "infer", "evaluate"]


def test_nothing_is_outdated_in_a_finished_run(run: Run, data: Prepared) -> None:
    records = stage_records(run)
    assert {key: outdated(key, records, data) for key in records} == dict.fromkeys(records, "")


def test_what_was_made_before_a_stage_ran_again_is_outdated(run: Run, data: Prepared) -> None:
    later = "2999-01-02T04:00:00+00:00"
    write_record(run.stage("train"), (read_record(run.stage("train")) or {}) | {"started": later, "made": later})
    records = stage_records(run)
    late = {key for key in records if outdated(key, records, data)}
    assert late == {"infer", "evaluate"}
    assert outdated("evaluate", records, data) == "train has run again since"


def test_what_was_made_from_a_stage_that_was_made_whole_is_not_outdated(run: Run, data: Prepared) -> None:
    """Its lost files were made again, and it stayed the same result, as a plan has it."""
    whole = (read_record(run.stage("infer")) or {}) | {"started": "2999-01-02T04:00:00+00:00"}
    write_record(run.stage("infer"), whole)
    records = stage_records(run)
    assert not any(outdated(key, records, data) for key in records)
    older = {key: {name: value for name, value in r.items() if name != "inputs_made"} for key, r in records.items()}
    assert outdated("evaluate", older, data) == "infer has run again since"


def test_everything_is_outdated_for_other_data(run: Run, data: Prepared) -> None:
    records, other = stage_records(run), replace(data, info=replace(data.info, hash="other"))
    assert {outdated(key, records, other) for key in records} == {"the data set has changed since"}
    known = {key: record | {"splits": {"train": data.mark("train")}} for key, record in records.items()}
    assert {outdated(key, known, other) for key in records} == {""}
    fewer = replace(other, samples=other.samples[1:])
    assert outdated("train", known, fewer) == "split 'train' of the data set has changed since"


def test_rows_are_grouped_by_kind_and_keep_their_colour(run: Run, data: Prepared) -> None:
    records = stage_records(run)
    own = rows(run, evaluations(run, records), all_outdated(records, data))
    together = sorted_rows([own, own])
    names = ["CAM", "pseudo-label", "prediction", "prediction + CRF"]
    assert [row.name for row in together] == [name for name in names for _ in range(2)]
    assert [row.series for row in together] == [0, 4, 1, 5, 2, 6, 3, 7]


def test_journals_are_found_below_the_stages(run: Run) -> None:
    found = journals(run, stage_records(run))
    assert list(found) == ["seeds/cam_net", "pseudo/irn", "train"]
    assert found["seeds/cam_net"][-1]["iteration"] == 600  # the line that a crash cut short is left out


def test_images_without_a_score_are_left_out(run: Run) -> None:
    path = run.stage("evaluate") / "per_image.jsonl"
    known = len(read_lines(path))
    path.write_text(path.read_text() + '{"id": "empty", "miou": NaN}\n{"id": "none", "miou": null}\n')
    assert len(per_image(path.parent)) == known


@pytest.mark.parametrize("content", ["", "[", "[]", "{}", "\0", '{"scores": 3}', "[" * 10_000])
@pytest.mark.parametrize("sealed", [True, False])
def test_a_damaged_file_is_named(run: Run, content: str, sealed: bool) -> None:
    (run.stage("evaluate") / "scores.json").write_text(content)
    if not sealed:  # as older versions left it
        reseal(run.stage("evaluate"))
    with pytest.raises(WsssError, match=r"evaluate/scores\.json is damaged"):
        evaluations(run, stage_records(run))


def test_a_score_that_somebody_changed_is_not_shown(run: Run) -> None:
    path = run.stage("evaluate") / "scores.json"
    path.write_text(path.read_text().replace('"miou": 0', '"miou": 1', 1))
    with pytest.raises(WsssError, match="is damaged: it is not what the stage wrote"):
        evaluations(run, stage_records(run))


def test_of_a_damaged_journal_is_shown_what_can_be_read(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    path = run.stage("train") / "metrics.jsonl"
    rows = len(read_lines(path))
    path.write_bytes(b'\xff\0[]\n3\n"x"\n' + path.read_bytes())
    records = stage_records(run)
    assert len(journals(run, records)["train"]) == rows
