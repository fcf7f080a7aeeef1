"""Arguments of other types: each is told by its name, before anything is read or written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import wsss_cli as wsss
from wsss_cli.api.arguments import plain
from wsss_cli.errors import WsssError

CALLABLES = [getattr(wsss, name) for name in wsss.__all__ if name[0].islower() and callable(getattr(wsss, name))]


@pytest.mark.parametrize("function", CALLABLES, ids=lambda function: function.__name__)
def test_every_public_function_asks_what_it_is_given(function: Any, tmp_path: Path) -> None:
    """Of an object that is of no type that any of them takes."""
    arguments: dict[str, Any] = {"runs_root": object()} if function is wsss.list_runs else {}
    wanted = {"prepare": 1, "open_data": 1, "run_stage": 3}.get(function.__name__, 0 if arguments else 1)
    with pytest.raises(WsssError, match=rf"= <object object .*\n  help\(wsss.{function.__name__}\) says what it takes"):
        function(*[object()] * wanted, **arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wsss.read_cams("irn/default"), "run = 'irn/default': input should be an instance of Run"),  # type: ignore[arg-type]
        (lambda: wsss.open_data(None), "name = None: input should be a valid string"),  # type: ignore[arg-type]
        (lambda: wsss.run_stage("seeds", "irn", None), "data = None: .* string, or .* an instance of Prepared"),  # type: ignore[arg-type]
        (lambda: wsss.run_stage("seeds", "irn", "toy", workers=-1), "workers = -1: .* greater than or equal to 0"),
        (lambda: wsss.run_stage("seeds", "irn", "toy", settings=["a"]), r"settings = \['a'\]: .* valid dictionary"),  # type: ignore[arg-type]
        (lambda: wsss.load_model("x", settings={5: 1}), r"settings = \{5: 1\}: its key 5: .* valid string"),  # type: ignore[dict-item]
        (lambda: wsss.prepare("shapes", ["a"]), r"options = \['a'\]: .* valid dictionary"),  # type: ignore[arg-type]
    ],
)
def test_what_is_said(call: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WsssError, match=message):
        call()
    assert not list(tmp_path.iterdir())


def test_a_long_value_is_cut_short() -> None:
    with pytest.raises(WsssError) as error:
        wsss.open_data([0] * 1000)  # type: ignore[arg-type]
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(2), 2),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        ({"scales": [np.float64(1), np.array([0.5, 2])]}, {"scales": [1.0, [0.5, 2.0]]}),
        (torch.tensor(3), 3),
        (Path("a/b"), "a/b"),
    ],
)
def test_settings_of_numpys_numbers(value: Any, expected: Any) -> None:
    assert plain(value, "x") == expected and type(plain(value, "x")) is type(expected)


@pytest.mark.parametrize("value", [object(), [object()], b"\xff"])
def test_what_no_setting_is_made_of(value: Any) -> None:
    with pytest.raises(WsssError, match=r"loop.epochs = .* is of a type that no setting has"):
        plain(value, "loop.epochs")
