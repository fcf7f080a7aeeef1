"""docs/tour.ipynb runs, from its first cell to its last, and is kept without outputs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tour.ipynb"


def test_the_tour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    torch.set_num_threads(1)
    names: dict[str, Any] = {}
    for cell in _code():
        exec(compile("".join(cell["source"]), f"{NOTEBOOK.name}, {cell['id']}", "exec"), names)
    said = capsys.readouterr().out
    assert "('disc', 'square') 16 photos" in said and "iterations/s" not in said
    assert names["cam"].class_ids.tolist() == [1, 2] and len(names["pseudo_labels"]) == len(names["cams"]) == 12
    assert set(names["found"].labels.ravel()) <= {0, 1, 2} and names["found"].image.shape == (64, 80, 3)


def test_it_is_kept_without_outputs() -> None:
    cells = _code()
    assert len(cells) > 5 and all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


def _code() -> list[dict[str, Any]]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
