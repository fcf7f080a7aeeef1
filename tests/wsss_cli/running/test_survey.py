"""Settings chosen for a run on one's own images: when, and that it keeps them."""

from dataclasses import replace
from pathlib import Path

import pytest

from drawn_folder import changed, drawn_folder
from wsss_cli.choices.choice import Proposal
from wsss_cli.choices.fingerprint import Fingerprint
from wsss_cli.data.prepared import Prepared
from wsss_cli.errors import WsssError
from wsss_cli.plan import recipe_of
from wsss_cli.plugins import method
from wsss_cli.report.chosen import grouped
from wsss_cli.running.survey import WeightsInReach, proposals_for, survey, with_choices
from wsss_cli.runs import Run, Settings, write_record

NONE = ("cpu", ("none",))


@pytest.fixture
def own(tmp_path: Path) -> Prepared:
    data = drawn_folder(tmp_path / "data", lambda samples: changed(samples, 0, tags=(), boxes=(), mask=None))
    return replace(data, info=replace(data.info, kind="folder"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "runs", "mine", "irn", "default")


def test_what_is_counted(own: Prepared) -> None:
    fp = survey(own, *NONE)
    assert (fp.images, fp.tagged, fp.boxed, fp.masked, fp.scored, fp.classes) == (6, 5, 5, 5, 3, 2)
    assert (fp.width, fp.height, fp.longest, fp.gpu, fp.begin, fp.alike) == (20, 16, 20, 0.0, "none", False)


def test_a_run_on_own_images_takes_what_is_chosen_and_keeps_it(own: Prepared, run: Run) -> None:
    settings = with_choices(Settings(), run, method("irn"), own, *NONE).updated(None, {"train": {"seed": 3}})
    recipe = recipe_of(method("irn"), settings, "folder")
    assert recipe["train"]["augment"]["crop"] == 129 and recipe["seeds"]["net"]["pretrained"] == "none"
    run.save_settings(settings)
    kept = run.settings()
    assert kept == settings and kept.overrides == {"train": {"seed": 3}}
    assert with_choices(kept, run, method("irn"), own, "cpu") == kept
    asked = kept.updated("mobile", {})
    assert asked.chosen == () and recipe_of(method("irn"), asked, "folder")["train"]["augment"]["crop"] == 193


def test_other_data_a_recipe_and_a_run_that_is_begun_choose_nothing(own: Prepared, run: Run) -> None:
    other, irn = replace(own, info=replace(own.info, kind="voc")), method("irn")
    assert with_choices(Settings(), run, irn, other, *NONE) == Settings()
    assert with_choices(Settings("mobile"), run, irn, own, *NONE) == Settings("mobile")
    write_record(run.stage("seeds"), {"status": "interrupted", "config": {}, "data_hash": "", "inputs": {}})
    (run.stage("seeds") / "cam").mkdir()
    (run.stage("seeds") / "cam/a.npz").write_bytes(b"1")
    assert with_choices(Settings(), run, irn, own, *NONE) == Settings()


def raising(fp: Fingerprint) -> Proposal:
    raise KeyError("gpu")


def silent(fp: Fingerprint) -> None:
    return None


@pytest.mark.parametrize(
    ("propose", "says"),
    [
        (f"{__name__}:raising", f"{__name__}:raising: KeyError('gpu')"),
        (f"{__name__}:silent", f"{__name__}:silent returned NoneType"),
        ("not_there:x", "not_there:x: not_there:x cannot be loaded: No module named 'not_there'"),
    ],
)
def test_others_propose_where_a_plugin_fails(
    own: Prepared, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, propose: str, says: str
) -> None:
    mine = replace(method("irn"), name="mine", propose=propose)
    every = {"irn": method("irn"), "mine": mine, "none": replace(mine, propose=""), "toco": method("toco")}
    monkeypatch.setattr("wsss_cli.running.survey.methods", lambda: every)
    assert list(proposals_for(survey(own, *NONE))) == ["irn", "toco"]
    assert caplog.messages == [f"method 'mine' cannot propose settings: {says}"]
    with pytest.raises(WsssError, match="method 'mine' cannot propose settings") as caught:  # it is asked for
        with_choices(Settings(), run, mine, own, *NONE)
    assert "mend the plugin, or give the method a recipe" in caught.value.remedy
    assert with_choices(Settings("mobile"), run, mine, own, *NONE) == Settings("mobile")


def test_weights_that_are_given_are_in_reach() -> None:
    weights = WeightsInReach(["resnet50d=my.pth", "resnet18.a1_in1k=other.pth"])
    assert weights.get("resnet50d", "") == weights.get("resnet50d.a1_in1k", "") == "installed"
    assert weights.get("resnet18.a1_in1k", "") == "installed"


def test_settings_of_one_reason_stand_together(own: Prepared, run: Run) -> None:
    rows = grouped(with_choices(Settings(), run, method("irn"), own, *NONE).chosen)
    assert ["train", "loop.batch=5", "5 images to learn from"] in rows
    assert len({(stage, reason) for stage, _, reason in rows}) == len(rows)
