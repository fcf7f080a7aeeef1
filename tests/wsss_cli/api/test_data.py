"""Data sets from Python."""

from pathlib import Path

import pytest

import wsss_cli as wsss


def test_prepared_and_opened(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = wsss.prepare("shapes", {"train": 6, "val": 6, "size": 64}, name="few", data_root=tmp_path)
    assert made.folder == tmp_path / "few" and len(made.split("train")) == 6 and len(made.info.classes) == 6
    assert wsss.open_data("few", data_root=str(tmp_path)) == made
    assert capfd.readouterr().out == ""
    with pytest.raises(wsss.WsssError, match="exists with other content"):
        wsss.prepare("shapes", {"train": 7, "val": 6, "size": 64}, name="few", data_root=tmp_path)
    with pytest.raises(wsss.WsssError, match=r"no prepared data set 'fwe' in .*; did you mean 'few'"):
        wsss.open_data("fwe", data_root=tmp_path)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("shape", {}, "unknown source 'shape'; did you mean 'shapes'"),
        ("shapes", {"trian": 6}, "did you mean 'train'"),
        ("shapes", {"train": 1}, "'shapes.train' = 1: input should be greater than or equal to 6"),
    ],
)
def test_mistakes(tmp_path: Path, source: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(wsss.WsssError, match=message):
        wsss.prepare(source, options, data_root=tmp_path)
    assert list(tmp_path.iterdir()) == []
