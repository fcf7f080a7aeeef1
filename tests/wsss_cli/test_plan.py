"""What a plan finds out before anything runs: mistakes, missing results, replaced files."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from processes import Wsss
from wsss_cli.config import as_dict, parse_set
from wsss_cli.context import Context
from wsss_cli.data.prepared import Box, DatasetInfo, Prepared, Sample
from wsss_cli.errors import WsssError
from wsss_cli.plan import Step, plan
from wsss_cli.plugins import method
from wsss_cli.promises import absent, lacking, told
from wsss_cli.running.pretrained import pretrained_settings
from wsss_cli.runs import Run, Settings, write_record

RUN = Path("runs/dots/toy/default")


@pytest.fixture
def data(tmp_path: Path) -> Prepared:
    """64 images with tags, boxes and masks, none of which is there."""
    samples = tuple(
        Sample(
            f"i{i:02d}", tmp_path / "x.png", 64, 64, (1,), (Box(1, 0, 0, 9, 9),), tmp_path / "m.png", ("train", "val")
        )
        for i in range(64)
    )
    splits = {"train": "train", "val": "val", "seeds": "train"}
    return Prepared(tmp_path, DatasetInfo("none", "none", ("thing",), splits, "made up", hash="1"), samples)


def without(data: Prepared, **fields: Any) -> Prepared:
    return replace(data, samples=tuple(replace(s, **fields) for s in data.samples))


def fresh(name: str) -> Settings:
    """Nothing asked, but that PPMG's networks, whose weights nobody may fetch, begin from none."""
    found = method(name)
    return Settings(None, pretrained_settings(found, Settings(), "", ["none"]) if name == "ppmg" else None)


def planned(data: Prepared, name: str, *settings: str, target: str = "evaluate", ranks: int = 1) -> list[str]:
    asked = fresh(name)
    for setting in settings:
        asked = asked.updated(None, parse_set(setting))
    run = Run(data.folder / "runs", "none", name, "default")
    return [step.key for step in plan(run, method(name), target, data, asked, ranks=ranks)]


@pytest.mark.parametrize(
    ("name", "settings", "ranks", "message"),
    [
        # the batch of every stage and every phase, over the ranks that there will be
        ("irn", ("seeds.training.loop.batch=9",), 2, "seeds.training.loop.batch 9 cannot be split over 2 ranks"),
        ("irn", ("pseudo.training.loop.accumulate=5",), 1, "pseudo.training.loop.batch 32 cannot be split"),
        ("irn", ("train.loop.batch=65",), 1, "the batch of 65 is larger than the 64 training images"),
        ("bcm", ("train.fr.loop.batch=16",), 1, "train.fr.loop.batch 16 cannot be split over 1 ranks x accumulate 3"),
        ("ppmg", ("seeds.rough.training.loop.accumulate=5",), 1, "seeds.rough.training.loop.batch 24 cannot be split"),
        # even shares
        ("beco", ("train.loop.accumulate=16",), 1, "loop.batch 16 gives 1 ranks x accumulate 16 no pairs"),
        # sizes
        ("puf", ("train.masking.block=60",), 1, "views.size 448 is no multiple of masking.block 60"),
        ("toco", ("train.local.size=447",), 1, "local.size 447 leaves no room for 8 crops"),
        ("toco", ("train.views.crop=12",), 1, "train.views.crop 12 holds no patch of 16 pixels"),
        ("locbe", ("train.windows.side=20",), 1, "windows.side 20: half of it"),
        ("irn", ("infer.window=32", "infer.window_stride=40"), 1, "'infer.window_stride' = 40: leaves gaps"),
        # a segmentation that would never be trained
        ("toco", ("train.loop.iterations=2001",), 1, "losses.segmentation_from 2001: the segmentation learns from"),
        ("toco", ("train.loop.iterations=2001",), 1, "2001 on, which never comes with train.loop.iterations 2001"),
        ("puf", ("train.loop.epochs=0.5",), 1, "2000 on, which never comes with train.loop.epochs 0.5, which is 4"),
        ("locbe", ("train.loop.iterations=2001",), 1, "train.phases.0.until 2000: the segmentation learns from iterat"),
        # files and folders
        ("irn", ("train.net.pretrained=gone.pth",), 1, "train.net.pretrained: there is no file gone.pth"),
        ("irn", ("seeds.net.pretrained=gone.pth",), 1, "seeds.net.pretrained: there is no file gone.pth"),
        ("ppmg", ("train.checkpoint=gone.pth",), 1, "train.checkpoint: there is no file gone.pth"),
        ("puf", ("train.teacher_checkpoint=gone.pth",), 1, "train.teacher_checkpoint alone trains nothing"),
        ("irn", ("train.labels=gone",), 1, "labels=gone: there is no folder gone"),
        ("beco", ("train.confidence=gone",), 1, "train.confidence: there is no folder gone"),
        ("bcm", ("train.boxes=gone",), 1, "train.boxes: there is no folder gone"),
        ("bcm", ("seeds.from=import",), 1, "seeds.from=import needs the folder of label maps"),
        ("bcm", ("train.base.enabled=false", "train.bcm.enabled=false", "train.fr.enabled=false"), 1, "all disabled"),
        # splits
        ("irn", ("seeds.split=other",), 1, "has no image in split 'other'"),
        ("toco", ("infer.split=other",), 1, "has no image in split 'other'"),
    ],
)  # fmt: skip
def test_what_cannot_go_well_is_said_in_the_plan(
    data: Prepared, name: str, settings: tuple[str, ...], ranks: int, message: str
) -> None:
    assert planned(data, name)[-1] == "evaluate"
    with pytest.raises(WsssError) as error:
        planned(data, name, *settings, ranks=ranks)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("toco", ("train.loop.iterations=2002",)),
        ("puf", ("train.loop.iterations=2001",)),
        ("locbe", ("train.loop.iterations=2002",)),
        ("weclip", ("train.loop.iterations=1",)),
        *((name, ("train.loop.iterations=5", "train.losses.segmentation=0")) for name in ("toco", "puf")),
        ("locbe", ("train.loop.iterations=5", "train.phases=[{until: 9}, {energy: 1}]")),
    ],
)
def test_a_segmentation_that_begins_in_time_or_is_not_wanted(data: Prepared, name: str, settings: tuple[str]) -> None:
    assert planned(data, name, *settings)[-1] == "evaluate"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("irn", {"tags": ()}, "has no tags in split 'train'"),
        ("toco", {"tags": ()}, "has no tags in split 'train'"),
        ("bcm", {"boxes": ()}, "has no boxes in split 'train'"),
        ("irn", {"splits": ("val",)}, "has no image in split 'train'"),
    ],
)
def test_data_without_what_a_method_learns_from(
    data: Prepared, name: str, change: dict[str, Any], message: str
) -> None:
    for target in ("evaluate", "pseudo"):
        with pytest.raises(WsssError, match=message):
            planned(without(data, **change), name, target=target)


def test_masks_are_asked_for_where_they_are_learnt_or_scored(data: Prepared) -> None:
    bare = without(data, mask=None)
    for name, setting in (("irn", "train.labels=masks"), ("ppmg", "train.selection.checkpoint=best")):
        with pytest.raises(WsssError, match="has no masks"):
            planned(bare, name, setting, target="train")
    with pytest.raises(WsssError, match="has no masks to score against"):
        planned(bare, "irn", target="evaluate-pseudo")
    assert planned(bare, "irn", target="train") == ["seeds", "pseudo", "train"]
    assert planned(bare, "irn", target="evaluate")[-1] == "evaluate"  # judged by tags and boxes
    with pytest.raises(WsssError, match="neither masks nor tags nor boxes to judge by"):
        planned(without(bare, tags=(), boxes=()), "bcm", target="evaluate")


@pytest.mark.parametrize(("name", "more"), [("irn", ("pseudo.instances.enabled=false",)), ("ppmg", ())])
def test_instances_are_asked_of_a_stage_that_leaves_some(data: Prepared, name: str, more: tuple[str, ...]) -> None:
    with pytest.raises(WsssError, match=r"no instance labels .*\n.*in a method that has instances \(bcm, irn\)"):
        planned(data, name, "evaluate.instances=true", *more, target="evaluate-pseudo")
    asked = ("evaluate.instances=true", "pseudo.instances.enabled=true")
    with pytest.raises(WsssError, match="names no true objects to score instances against"):
        planned(data, "irn", *asked, target="evaluate-pseudo")
    named = replace(data, info=replace(data.info, instances=(data.folder,)))
    assert planned(named, "irn", *asked, target="evaluate-pseudo")[-1] == "evaluate-pseudo"


def test_a_stage_that_leaves_nothing_to_score_is_not_scored(data: Prepared, tmp_path: Path) -> None:
    bare = replace(method("irn"), stages=tuple(replace(s, writes=()) for s in method("irn").stages))
    run = Run(tmp_path, "shapes", "irn", "default")
    with pytest.raises(WsssError, match="stage 'seeds' of method 'irn' leaves neither label maps nor CAMs to score"):
        plan(run, bare, "evaluate-seeds", data, Settings())


def test_every_problem_is_told_at_once(data: Prepared) -> None:
    with pytest.raises(WsssError) as error:
        planned(data, "irn", "seeds.training.loop.batch=9", "train.net.pretrained=gone.pth", ranks=2)
    assert "seeds.training.loop.batch 9" in str(error.value) and "no file gone.pth" in str(error.value)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("bcm", ("train.base.enabled=false", "train.base.loop.batch=7")),  # a phase that is left out
        ("bcm", ("train.fr.checkpoint=w.pth", "train.base.loop.batch=7", "train.fr.loop.batch=7")),  # stands for all
        ("ppmg", ("seeds.samples=random_crop", "seeds.rough.training.loop.accumulate=7")),  # no rough masks
        ("irn", ("seeds.training.checkpoint=w.pth", "seeds.training.loop.accumulate=7")),
        ("toco", ("train.checkpoint=w.pth", "train.loop.accumulate=7", "train.views.crop=3")),
    ],
)
def test_what_is_not_run_is_not_checked(
    data: Prepared, name: str, settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.folder)
    Path("w.pth").touch()
    assert planned(data, name, *settings)[-1] == "evaluate"


def test_ready_made_label_maps_are_counted(data: Prepared) -> None:
    (data.folder / "maps").mkdir()
    (data.folder / "maps/i00.PNG").touch()
    wanted = r"no label map for 64 images, first i00\.png\n  label maps are named <id>\.png; there is i00\.PNG"
    with pytest.raises(WsssError, match=wanted):
        planned(data, "irn", f"train.labels={data.folder / 'maps'}")


def test_ranks_are_counted_before_they_start(wsss: Wsss) -> None:
    for words in (("--procs", 3), ("--procs", 3, "--dry-run")):
        result = wsss("train", "toy", *words)
        assert result.code == 2 and "train.loop.batch 4 cannot be split over 3 ranks x accumulate 1" in result.err
    assert not (wsss.folder / "runs").exists()


def test_missing_files_are_found_in_folders_of_folders(tmp_path: Path) -> None:
    for name in ("a.png", "b/c.png"):
        (tmp_path / "labels" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "labels" / name).touch()
    promises = {"labels": ["a.png", "b/c.png", "b/d.png", "e/f.png"], "": ["checkpoint.pt"]}
    missing = lacking(tmp_path, promises)
    assert missing == {"labels": ["b/d.png", "e/f.png"], "": ["checkpoint.pt"]}
    assert told(missing, promises) == ("2 of 4 files of labels/ are missing, first b/d.png; checkpoint.pt is missing")
    assert absent(tmp_path / "nowhere", ["x"]) == ["x"]


@pytest.mark.parametrize(
    ("name", "stage", "settings", "wanted"),
    [
        ("irn", "seeds", {}, {"cam_net": ("checkpoint.pt",)}),  # pseudo asks what the network is made of
        ("beco", "seeds", {}, {"cam_net": ("checkpoint.pt",)}),
        ("ppmg", "train", {"selection": {"checkpoint": "best", "every": 3}}, {"": ("checkpoint.pt", "best.pt")}),
        ("ppmg", "train", {"selection": {"checkpoint": "best", "every": 31}}, {"": ("checkpoint.pt",)}),  # never looked
        ("ppmg", "train", {}, {"": ("checkpoint.pt",)}),
    ],
)
def test_a_stage_promises_the_weights_that_others_read(
    data: Prepared, name: str, stage: str, settings: dict[str, Any], wanted: dict[str, Any]
) -> None:
    config = method(name).stage(stage).config_class()(**settings)  # type: ignore[union-attr]
    promised = config.promises(
        Context(
            data, promised={"pseudo": {"labels": [f"{s.id}.png" for s in data.samples]}}, inputs={"pseudo": data.folder}
        )
    )
    assert promised.items() >= wanted.items()


@pytest.fixture
def trained(wsss: Wsss) -> Wsss:
    assert wsss("evaluate", "toy", "--train", "--workers", 0).code == 0
    return wsss


def record(wsss: Wsss, stage: str) -> dict[str, Any]:
    return json.loads((wsss.folder / RUN / stage / "stage.json").read_text())


def test_a_missing_pseudo_label_is_made_again_before_anything_learns(trained: Wsss) -> None:
    labels = trained.folder / RUN / "pseudo" / "labels"
    gone, before = labels / "dot03.png", record(trained, "pseudo")
    content = gone.read_bytes()
    assert before["promised"] == {"labels": {"files": 10}}
    gone.unlink()
    shown = trained("train", "--dry-run", "--force")
    assert "pseudo: would run (1 of 10 files of labels/ are missing, first dot03.png)" in shown.out
    again = trained("train", "--force", "--workers", 0)
    assert again.code == 0 and "pseudo: 1 of 10 files of labels/ are missing" in again.out
    assert gone.read_bytes() == content and record(trained, "pseudo")["made"] == before["made"]
    assert "train: finished" in trained("train", "--dry-run").out


def test_a_run_outlives_the_file_of_its_recipe(wsss: Wsss) -> None:
    recipe = wsss.folder / "r.yaml"
    recipe.write_text("train: {lr: 0.02}\n")
    assert wsss("train", "toy", "--recipe", "r.yaml", "--workers", 0).code == 0
    recipe.rename(wsss.folder / "moved.yaml")
    assert "train: finished" in wsss("train", "--dry-run").out
    assert wsss("infer", "--workers", 0).code == 0 and record(wsss, "train")["config"]["lr"] == 0.02
    recipe.write_text("train: {lr: 0.03}\n")
    assert "lr: 0.02 -> 0.03" in wsss("train", "--dry-run").out
    wrong = wsss("train", "--recipe", "gone.yaml")
    assert wrong.code == 2 and "--recipe gone.yaml: there is no such file" in wrong.text


def test_what_nothing_needs_any_more_may_be_gone(trained: Wsss) -> None:
    for path in (trained.folder / RUN / "seeds" / "cam").iterdir():
        path.unlink()
    shown = trained("evaluate", "--dry-run")
    assert "seeds: finished (10 of 10 files of cam/ are missing, first dot00.npy, which nothing needs now)" in shown.out
    (trained.folder / RUN / "infer/labels/dot12.png").unlink()
    said = trained("evaluate").out
    assert "evaluate: finished already" in said and "seeds" not in said
    assert "infer: 1 of 5 files of labels/ are missing, first dot12.png, which nothing needs now" in said
    assert trained("seeds", "--workers", 0).code == 0
    assert len(list((trained.folder / RUN / "seeds" / "cam").iterdir())) == 10


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("pseudo/labels/dot01.png", ("evaluate", "--stage", "pseudo")),
        ("pseudo/labels/dot01.png", ("export", "labels", "--format", "png", "--out", "out")),
        ("infer/labels/dot12.png", ("export", "labels", "--format", "png", "--out", "out", "--stage", "infer")),
        ("infer/labels/dot12.png", ("infer",)),
        ("evaluate/scores.json", ("evaluate",)),
        ("train/checkpoint.pt", ("infer", "--split", "train")),
    ],
)
def test_whoever_reads_a_result_has_it_made_whole(trained: Wsss, gone: str, words: tuple[str, ...]) -> None:
    (trained.folder / RUN / gone).unlink()
    result = trained(*words, "--workers", 0)
    assert result.code == 0, result.text
    assert (trained.folder / RUN / gone).exists() and "no label map" not in result.text
    if "out" in words:
        assert len(list((trained.folder / "out").rglob("*.png"))) == (10 if "infer" not in words else 5)


def test_a_stage_that_does_not_leave_what_it_promises_is_not_finished(wsss: Wsss) -> None:
    def forgetful() -> None:
        from wsss_cli.job import Job

        Job.todo = lambda self, samples, output: list(samples)[1:]  # type: ignore[method-assign]
        wsss._main(["seeds", "toy", "--workers", "0"])

    from processes import Forked

    result = Forked(forgetful, wsss.folder, wsss.paths()).wait()
    assert result.code == 2 and "seeds: 1 of 10 files of cam/ are missing, first dot00.npy" in result.err
    assert record(wsss, "seeds")["status"] == "failed"
    assert wsss("seeds", "--workers", 0).code == 0


def older(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: path.write_text("other"), "stale"),
        (lambda path: path.write_text("NOTES"), "stale"),  # of the very same size
        (lambda path: (path.write_text("NOTES"), older(path)), "stale"),
        (older, "finished"),
        (lambda path: path.unlink(), "finished"),  # nobody can say that it changed
    ],
)
def test_a_file_that_a_setting_names_is_replaced(wsss: Wsss, change: Callable[[Path], Any], says: str) -> None:
    path = wsss.folder / "notes.txt"
    path.write_text("notes")
    assert wsss("pseudo", "toy", "seeds.notes=notes.txt", "--workers", 0).code == 0
    change(path)
    shown = wsss("pseudo", "--dry-run")
    if says == "stale":
        assert "seeds: would run (changed: notes: notes.txt is not what it was)" in shown.out
        assert "pseudo: would run" in shown.out
    else:
        assert shown.code == 0 and "would run" not in shown.out


def test_the_same_file_elsewhere_is_no_other(wsss: Wsss) -> None:
    for name in ("a.txt", "b.txt"):
        (wsss.folder / name).write_text("notes")
    assert wsss("pseudo", "toy", "seeds.notes=a.txt", "--workers", 0).code == 0
    assert "would run" not in wsss("pseudo", "--dry-run", "seeds.notes=b.txt").out
    (wsss.folder / "b.txt").write_text("others")
    assert "seeds: would run (changed: notes: a.txt -> b.txt)" in wsss("pseudo", "--dry-run", "seeds.notes=b.txt").out


def test_a_file_is_replaced_while_a_stage_is_unfinished(wsss: Wsss) -> None:
    path = wsss.folder / "notes.txt"
    path.write_text("notes")
    assert wsss("seeds", "toy", "seeds.notes=notes.txt", "--workers", 0, TOY_CRASH="3").code == 1
    assert "seeds: would run (goes on: it failed)" in wsss("seeds", "--dry-run").out
    path.write_text("other")
    assert "seeds: would run (changed: notes: notes.txt is not what it was)" in wsss("seeds", "--dry-run").out


def test_a_folder_that_a_setting_names_is_replaced(wsss: Wsss) -> None:
    folder = wsss.folder / "maps"
    (folder / "deep").mkdir(parents=True)
    for i in range(100):
        (folder / "deep" / f"{i}.png").write_text(f"map {i:04d}")
    assert wsss("seeds", "toy", "seeds.pictures=maps", "--workers", 0).code == 0
    older(folder / "deep" / "7.png")
    assert "would run" not in wsss("seeds", "--dry-run").out
    (folder / "deep" / "7.png").write_text("another map")
    assert "(changed: pictures: maps is not what it was)" in wsss("seeds", "--dry-run").out


def test_a_file_that_is_not_there_is_said_before_anything_runs(wsss: Wsss) -> None:
    result = wsss("train", "toy", "seeds.notes=gone.txt", "--dry-run")
    assert result.code == 2 and "seeds.notes: there is no file gone.txt" in result.err


def split_data(folder: Path, *more: Sample, **changed: Any) -> Prepared:
    """64 images to learn from and four to score on, `changed` the first; as `wsss prepare` would mark them."""
    first = {"tags": (1,), "boxes": (Box(1, 0, 0, 9, 9),)} | changed
    samples = [
        Sample(
            f"i{i:02d}", folder / "x.png", 64, 64, mask=folder / "m.png", splits=(split,), **(first if not i else FIRST)
        )
        for i, split in enumerate(["train"] * 64 + ["val"] * 4)
    ]
    splits = {"train": "train", "val": "val", "seeds": "train"}
    info = DatasetInfo("none", "none", ("thing",), splits, "made up", hash=str(hash((more, tuple(changed.items())))))
    return Prepared(folder, info, (*samples, *more))


FIRST: dict[str, Any] = {"tags": (1,), "boxes": (Box(1, 0, 0, 9, 9),)}
METHODS = ("irn", "beco", "ppmg", "toco", "locbe", "puf", "bcm", "clipes", "weclip")


def all_steps(data: Prepared, name: str, *settings: str) -> list[Step]:
    """What leads to the scores of predictions and of pseudo-labels."""
    asked = fresh(name)
    for setting in settings:
        asked = asked.updated(None, parse_set(setting))
    run = Run(data.folder / "runs", "none", name, "default")
    steps = [s for target in ("evaluate-pseudo", "evaluate") for s in plan(run, method(name), target, data, asked)]
    return list({step.key: step for step in steps}.values())


def finish(steps: list[Step], data: Prepared, **record: Any) -> None:
    """Leave of every stage what it leaves when it is done."""
    for step in steps:
        for below, names in step.promises.items():
            for name in names:
                (step.folder / below).mkdir(parents=True, exist_ok=True)
                (step.folder / below / name).touch()
        inputs = {need: next(s for s in steps if s.key == key).fingerprint for need, key in step.inputs.items()}
        known = {"status": "finished", "made": "now", "config": as_dict(step.config), "data_hash": data.info.hash}
        known |= {"inputs": inputs, "inputs_made": dict.fromkeys(inputs, "now"), "splits": step.splits}
        write_record(step.folder, known | {"fingerprint": step.fingerprint} | record)


def stale(data: Prepared, name: str, *settings: str) -> dict[str, str]:
    return {step.key: step.reason for step in all_steps(data, name, *settings) if step.runs}


NEW = Sample("new", Path("x.png"), 64, 64, (1,), (), Path("m.png"), ("val",))


@pytest.mark.parametrize("name", METHODS)
def test_images_of_another_split_make_nothing_stale_that_did_not_read_it(tmp_path: Path, name: str) -> None:
    data = split_data(tmp_path)
    finish(all_steps(data, name), data)
    assert stale(data, name) == {}
    assert stale(split_data(tmp_path, replace(NEW, splits=("test",))), name) == {}
    found = stale(split_data(tmp_path, NEW), name)
    assert found.keys() == {"infer", "evaluate"} and found["infer"] == "changed: split 'val' of the data set"
    for change in ({"tags": ()}, {"image_digest": "other"}, {"mask_digest": "other"}, {"boxes": (Box(1, 0, 0, 8, 8),)}):
        found = stale(split_data(tmp_path, **change), name)
        assert {"seeds", "pseudo", "train", "infer"} <= found.keys()
        assert "changed: split 'train' of the data set" in found.values()


def test_a_state_that_is_selected_on_a_split_depends_on_it(tmp_path: Path) -> None:
    data, asked = split_data(tmp_path), "train.selection.checkpoint=best"
    finish(all_steps(data, "ppmg", asked), data)
    found = stale(split_data(tmp_path, NEW), "ppmg", asked)
    assert found["train"] == "changed: split 'val' of the data set" and not {"seeds", "pseudo"} & found.keys()


def test_the_scored_images_are_those_of_the_split_now(tmp_path: Path) -> None:
    data = split_data(tmp_path)
    finish(all_steps(data, "irn"), data)
    more = split_data(tmp_path, NEW)
    infer, evaluate = all_steps(more, "irn")[-2:]
    assert infer.promises["labels"][-1] == "new.png" and evaluate.splits == {
        "": more.mark(),
        "val": more.mark("val"),
    }


def test_other_classes_make_everything_stale(tmp_path: Path) -> None:
    data = split_data(tmp_path)
    finish(all_steps(data, "irn"), data)
    renamed = replace(data, info=replace(data.info, classes=("thin",), hash="other"))
    assert stale(renamed, "irn")["seeds"].startswith("changed: the classes; split 'train'")


def test_a_record_of_an_older_version_depends_on_the_whole_data_set(tmp_path: Path) -> None:
    data = split_data(tmp_path)
    finish(all_steps(data, "irn"), data, splits=None)
    assert stale(data, "irn") == {}
    assert stale(split_data(tmp_path, NEW), "irn")["seeds"] == "changed: the data set"


def test_the_mark_of_a_split(tmp_path: Path) -> None:
    data = split_data(tmp_path)
    moved = replace(data, samples=tuple(replace(s, image=tmp_path / "elsewhere.png") for s in data.samples))
    assert data.mark("train") == moved.mark("train") != data.mark("val") != data.mark()
    assert data.mark("train") != replace(data, samples=data.samples[::-1]).mark("train")  # draws go by the order
    both = replace(data, samples=(replace(data.samples[0], splits=("train", "mini")), *data.samples[1:]))
    assert both.mark("train") == data.mark("train")
    assert both.covering(both.samples[:1]) == "train" and both.covering(both.samples[:1], "mini") == "mini"
    assert both.covering(both.samples) is None
