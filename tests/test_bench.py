"""What benches share: the device's name, its clock and memory, rows, and the check that finds two devices mixed."""

import ast
import json
import pkgutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import bench
from bench import cams, edges, gate, gpu, labels, measure, of_run, scale, tags, thresholds, training, tune
from bench.__main__ import OWN, rows
from bench.cases import CASES
from bench.device import described
from bench.row import Row, markdown, table
from drawn_folder import HEIGHT, WIDTH, changed, drawn_folder
from on_one_device import OnOneDevice
from wsss_cli.cam.store import Cam, cam_path, write_cam
from wsss_cli.data.labels import read_labels, write_labels
from wsss_cli.data.prepared import Prepared

CPU = torch.device("cpu")
WITHOUT = {"coco", "crf_memory", "depthwise", "memory", "scale", "startup"}
"""Benches of what never runs on a GPU."""


def takes_a_device(path: Path) -> bool:
    """Of a bench's main, read from its text: some need libraries that are no one's but theirs."""
    parsed = ast.parse(path.read_text(encoding="utf-8"))
    main = next(node for node in parsed.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    return "device" in [argument.arg for argument in main.args.args]


def test_every_bench_has_rows_and_takes_a_device_if_it_has_tensors() -> None:
    paths = [path for path in Path(bench.__file__).parent.glob("*.py") if path.stem not in (*OWN, "__init__")]
    assert {path.stem for path in paths if not takes_a_device(path)} == WITHOUT
    assert rows(lambda device: [device], CPU) == [CPU] and rows(list, CPU) == []


def test_a_device_has_a_name_and_a_version() -> None:
    name = described(CPU)
    assert name.endswith(f"torch {torch.__version__}") and name.partition(",")[0].strip() and "model name" not in name


def test_runs_take_turns_and_the_least_counts() -> None:
    ran: list[str] = []
    now = iter([0, 3, 10, 11, 20, 21, 30, 35])
    found = measure.in_turns([lambda: ran.append("a"), lambda: ran.append("b")], 2, clock=lambda: next(now))
    assert ran == list("abab") and found == [1, 1]


def test_what_runs_alone_reports_seconds_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    measure.report(lambda: torch.ones(3_000_000).sum(), 1)
    said = json.loads(capsys.readouterr().out)
    assert said["seconds"] >= 0 and said["mb"] >= 0


def test_rows_are_a_table_for_terminals_and_for_pages() -> None:
    row = Row("a step, seconds", 0.5, 1.5, 3.0, "an example")
    assert table([row]).splitlines()[1].split() == ["a", "step,", "seconds", "0.5", "1.5", "3.0x", "an", "example"]
    assert markdown([row]).splitlines()[2] == "| a step, seconds | 0.5 | 1.5 | 3x | an example |"


def test_a_tensor_made_without_a_device_is_found(tmp_path: Path) -> None:
    """In code of that folder alone: others may know what they do."""
    code = "import torch\ndef bad(x):\n    return x + torch.zeros(1)\ndef good(x):\n    return x + x.new_zeros(1)\n"
    scope: dict[str, object] = {}
    exec(compile(code, f"{tmp_path}/released.py", "exec"), scope)
    with OnOneDevice(tmp_path):
        assert scope["good"](torch.ones(1)) == torch.ones(1)  # type: ignore[operator]
        with pytest.raises(AssertionError, match=r"released.py:3: zeros without a device"):
            scope["bad"](torch.ones(1))  # type: ignore[operator]


def test_a_training_step_is_timed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in every setting but the time; a case that fails is told and stops nobody."""
    monkeypatch.setattr(training, "SETTINGS", {"default": {}, "unknown": {"no_such": 1}, "broken": {"batch": 0}})
    found = training.measured("irn cam", CPU, tiny=True)
    step = training.Step(**found["steps"]["default"])
    assert found["steps"].keys() == {"default", "broken"} and "batch" in found["steps"]["broken"]["failed"]
    assert step.seconds > 0 and step.gb > 0 and 1e-4 < step.tflop < 1 and step.syncs is None
    done, failed = training.lines(CASES["irn cam"], found, None, peak=2 * step.tflop / step.seconds)
    assert "| 50.0% | - | - | - |" in done and "failed" in failed
    faster = {"steps": {"default": vars(step) | {"seconds": 2 * step.seconds}}}
    assert next(iter(training.lines(CASES["irn cam"], found, faster, 1.0))).endswith(" | 0.50 |")


@pytest.mark.parametrize(
    ("code", "patience", "shown", "fine"),
    [
        ("print('| a |\\n| b |')", 30, "| a |\n| b |", True),
        ("print('a row')", 30, "```\na row\n```", True),
        (
            "print('a row', flush=True); raise ValueError('broken')",
            30,
            "failed, exit code 1: ValueError: broken",
            False,
        ),
        ("import time; print('a row', flush=True); time.sleep(60)", 1, "stopped after 1 s", False),
    ],
)
def test_a_part_that_fails_keeps_its_rows(code: str, patience: float, shown: str, fine: bool) -> None:
    text, went_well = gpu.run([sys.executable, "-S", "-c", code], patience)
    assert shown in text and went_well == fine
    assert fine or "a row" in text


def test_parts_of_the_gpu_run_are_benches_of_this_folder() -> None:
    modules = {f"bench.{m.name}" for m in pkgutil.iter_modules(bench.__path__)}
    assert {part.words[0] for part in gpu.PARTS.values()} <= modules
    command = gpu.Options("cuda", "old", tiny=False).command(gpu.PARTS["train puf, compiled"])
    assert command[1:] == ["-m", "bench.training", "--device", "cuda", "--beside", "old", "--compiled", "puf"]


def test_a_stage_whose_time_is_known_to_be_too_long_is_not_begun() -> None:
    before = {n: {"seeds": scale.Cost(5 + 0.02 * n, 900.0)} for n in (100, 1000)}
    assert scale._forecast("seeds", 10_000, before) == pytest.approx(200)
    assert scale._forecast("seeds", 1000, {100: before[100]}) == 0 == scale._forecast("train", 10_000, before)
    row = scale._row("seeds", {n: costs["seeds"] for n, costs in before.items()})
    assert row.ours == pytest.approx(20) and row.ratio == 1 and "1,000 images: 25.0 s, 900 MB" in row.note


def test_a_search_takes_one_key_after_the_other_and_keeps_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fifth of six training images is held out, none of the two that are reported on; none of val is there."""
    held = tune.held_out(drawn_folder(tmp_path))
    ids = {name: [sample.id for sample in held.split(name)] for name in ("learnt", "scored", "held")}
    assert {name: len(found) for name, found in ids.items()} == {"learnt": 5, "scored": 3, "held": 1}
    assert not {"ä0", "ä1"} & {*ids["scored"], *ids["held"]} and len(held.samples) == 6
    reached = {(): 0.3, ("a=1",): 0.2, ("a=2",): 0.4, ("a=2", "b=1"): 0.35}
    first: list[bool] = []

    def trial(*asked: Any, **options: bool) -> tune.Trial:
        first.append(options["first"])
        return tune.Trial(asked[4], reached[asked[4]], 2.0, 0.43)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tune, "trial", trial)
    Path("runs", held.folder.name).mkdir(parents=True)
    text = tune.search(held, "irn", "pseudo", "mobile", ["a=1|2", "b=1"], []).read_text()
    assert "| nothing | 30.0 | 0.43 | 2 |" in text and "| a=2, b=1 | 35.0 | 0.43 | 2 |" in text
    assert text.endswith("Chosen: a=2.\n") and first == [True, False, False, False]


@pytest.fixture
def part_seen(tmp_path: Path) -> Prepared:
    """Two images: one whose CAM sees a part of its object, in the run's folder tmp_path, and one without tags."""
    data = drawn_folder(tmp_path, lambda samples: changed(samples, 1, tags=()))
    tagged, untagged = data.split("part")
    truth = np.zeros((HEIGHT * 4, WIDTH * 4), np.uint8)
    write_labels(untagged.mask, truth)  # type: ignore[arg-type]
    truth[12:52, 12:60] = tagged.tags[0]
    write_labels(tagged.mask, truth)  # type: ignore[arg-type]
    Image.fromarray(np.stack([truth] * 3, 2)).save(tagged.image)
    cam = np.zeros((1, HEIGHT, WIDTH), np.float32)
    cam[0, 5:9, 5:9] = 1
    cam_path(tmp_path / "seeds", tagged).parent.mkdir(parents=True)
    write_cam(cam_path(tmp_path / "seeds", tagged), Cam(np.array(tagged.tags), cam, truth.shape))
    return data


def best_mious(table: list[str]) -> dict[str, float]:
    return {name.strip(): float(miou) for _, name, miou, *_ in (row.split("|") for row in table)}


def test_true_edges_bound_what_a_walk_gives(
    tmp_path: Path, part_seen: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between true edges it fills the object, where nothing is an edge the image."""
    no_edges = (torch.full((2, 1, HEIGHT, WIDTH), -20.0), torch.zeros(2, 2, HEIGHT, WIDTH))
    monkeypatch.setattr(edges, "trained", lambda pseudo: (lambda x: no_edges, None))
    head, _, *rows = edges.main(part_seen, tmp_path).splitlines()
    found = best_mious(rows)
    assert head.startswith("| 2 images of mine |") and len(found) == 7
    assert found["walk between true edges, 256 steps"] > found["CAM"] + 20, found
    assert found["walk between learnt edges, 256 steps"] < found["walk between true edges, 256 steps"] - 10, found


def test_what_is_known_of_the_masks_bounds_what_cams_give(tmp_path: Path, part_seen: Prepared) -> None:
    """A CAM of a part of the only object lacks its extent: neither its class nor its background score."""
    rows, groups = (part.splitlines()[2:] for part in cams.main(part_seen, tmp_path).split("\n\n"))
    found = best_mious(rows)
    cam = found.pop("CAM")
    assert found.pop("the true extent of all objects together") == 100 > cam + 20
    assert found.pop("the right class wherever it finds an object") == cam
    assert found.pop("each image at its own best background score") == cam
    fine, *_, coarse = found.values()  # by ever larger cells
    assert list(found.values()) == sorted(found.values(), reverse=True) and 100 > fine > 95 > 70 > coarse
    tags = [k for sample in part_seen.split(part_seen.split_for("train")) for k in sample.tags]
    numbers = [row.split("|")[2].strip() for row in groups]
    assert numbers == [f"{n} to {n}" for n in sorted(map(tags.count, range(1, part_seen.num_classes + 1)))]


def test_a_folder_of_label_maps_is_scored(tmp_path: Path) -> None:
    """Of the split's images that it has: here the masks themselves, but for one that is all background."""
    data = drawn_folder(tmp_path)
    one, *others = data.split("train")
    for sample in others:
        write_labels(tmp_path / "maps" / f"{sample.id}.png", read_labels(sample.mask))  # type: ignore[arg-type]
    rows = dict(row.strip("| ").split(" | ", 1) for row in labels.main(data, tmp_path / "maps").splitlines()[2:])
    assert rows["train"] == f"{len(others)} | 100.0"
    empty = np.zeros_like(read_labels(one.mask))  # type: ignore[arg-type]
    write_labels(tmp_path / "maps" / f"{one.id}.png", empty)
    rows = dict(row.strip("| ").split(" | ", 1) for row in labels.main(data, tmp_path / "maps").splitlines()[2:])
    images, miou = rows["train"].split(" | ")
    assert images == str(len(others) + 1) and 20 < float(miou) < 95


def test_what_looks_into_runs_writes_a_page_that_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = drawn_folder(tmp_path)
    monkeypatch.setattr(of_run, "read_prepared", lambda folder: data)
    folders = [tmp_path / name for name in ("first", "second")]
    for sample in data.split("val"):
        write_labels(folders[1] / f"{sample.id}.png", read_labels(sample.mask))  # type: ignore[arg-type]
    words = ["mine", *map(str, folders)]
    of_run.command(labels.main, words)
    printed = capsys.readouterr().out
    of_run.command(labels.main, [*words, "--output", str(tmp_path / "new/page.md")])
    title, made, page = (tmp_path / "new/page.md").read_text().split("\n\n", 2)
    assert title == "# mIoU of a folder of label maps, such as those that a training made for itself"
    assert made.startswith(f"made by python -m bench.labels mine {folders[0]} {folders[1]} --output")
    assert f"ground truth: {data.info.masks}" in made and page == printed and not capsys.readouterr().out
    first, second = page.split(f"## {folders[1]}")
    assert "| val |" not in first and f"| val | {len(data.split('val'))} | 100.0 |" in second


def test_the_best_background_scores_stand_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of CAMs that are 0.4 on the object and 0.1 elsewhere, those between the two; a pair around 0.1 leaves it open."""
    data = drawn_folder(tmp_path)
    monkeypatch.setattr(thresholds, "PAIRS", [(0.2, 0.08), (0.3, 0.2), (0.6, 0.5)])
    monkeypatch.setattr(thresholds, "IMAGES", 2)
    for sample in data.split("train"):
        truth = read_labels(sample.mask)  # type: ignore[arg-type]
        high = np.where(truth == sample.tags[0], 0.4, 0.1).astype(np.float32)[None]
        cam_path(tmp_path / "seeds", sample).parent.mkdir(parents=True, exist_ok=True)
        write_cam(
            cam_path(tmp_path / "seeds", sample),
            Cam(np.array(sample.tags), high[:, ::4, ::4], truth.shape, high_res=high),
        )
    head, _, *rows = thresholds.main(data, tmp_path).splitlines()
    pairs, mious, opened = zip(*(row.strip("| ").split(" | ") for row in rows))
    assert head.startswith("| background scores, 2 images of mine |") and pairs[0] == "0.3, 0.2"
    open_ = dict(zip(pairs, (float(share.split()[0]) for share in opened)))
    assert float(mious[0]) > 60 > float(mious[1]) and open_["0.2, 0.08"] > 50 > 10 > open_["0.3, 0.2"]


def test_a_cell_is_an_edge_where_its_mask_changes_or_is_unknown() -> None:
    truth = torch.zeros(12, 16, dtype=torch.uint8)
    truth[:, 8:] = 1
    truth[8:, 12:] = 255
    expected = torch.tensor([[0, 1, 0, 0], [0, 1, 0, 1], [0, 1, 1, 1]])
    assert torch.equal(edges.edges_of(truth, (3, 4)), expected.float())


def mistaking(data: Prepared) -> SimpleNamespace:
    """A network that finds every object, and takes it for the class that the image does not show, by a little."""

    def predict(image: Path, scores: bool) -> SimpleNamespace:
        sample = next(s for s in data.samples if s.image == image)
        truth = read_labels(sample.mask).astype(int)  # type: ignore[arg-type]
        one_hot = np.eye(data.num_classes + 1, dtype=np.float32)[np.where(truth == 255, 0, truth)].transpose(2, 0, 1)
        absent = next(c for c in range(1, data.num_classes + 1) if c not in sample.tags)
        one_hot[absent] = 1.1 * one_hot[1:].max(0)
        return SimpleNamespace(scores=one_hot)

    return SimpleNamespace(predict=predict)


def test_a_network_that_mistakes_classes_gains_by_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = drawn_folder(tmp_path)
    monkeypatch.setattr(tags.wsss, "load_model", lambda run: mistaking(data))
    head, _, *rows = tags.main(data, tmp_path).splitlines()
    assert head == "| mIoU on mine | as it is | among the tags |" and len(rows) == 2
    for row in rows:
        as_it_is, among = (float(cell) for cell in row.split("|")[2:4])
        assert as_it_is < 60 and among == 100, rows


def test_a_gate_is_the_networks_own_and_the_tags_are_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = drawn_folder(tmp_path), []
    monkeypatch.setattr(gate.wsss, "load_model", lambda run, settings: asked.append(settings) or mistaking(data))
    head, _, row = gate.main(data, tmp_path / "runs/mine/toco/default").splitlines()
    assert head.startswith("| mIoU on 3 images of mine, by gate | none | 0.02 |")
    assert asked == [{"gate": g} for g in gate.GATES] and row.endswith("| 100.0 |")
    assert max(float(cell) for cell in row.split("|")[2:-2]) < 60
