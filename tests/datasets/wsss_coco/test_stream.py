"""A JSON read element by element says what json.loads says, whatever the chunks; damage is found and placed."""

import json
from pathlib import Path
from typing import Any

import pytest

from wsss_cli.errors import WsssError
from wsss_coco import stream
from wsss_coco.stream import elements, read_spans

CONTENT: dict[str, Any] = {
    "info": {"year": 2014, "url": 'a]b}c\\"', "nested": [[1, 2], {}]},
    "empty": [],
    "numbers": [1, -23.5, 1e5, 0],
    "none": None,
    "名前": [{"名": "車 é", "n": 12}, {}, [], "x"],
    "last": 123,
}


def read(path: Path) -> tuple[list[stream.Element], bytes]:
    seen: list[bytes] = []
    return list(elements(path, seen.append)), b"".join(seen)


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize("indent", [None, 2])
def test_as_json_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None) -> None:
    monkeypatch.setattr(stream, "CHUNK", chunk)
    path = tmp_path / "a.json"
    path.write_text("\n " + json.dumps(CONTENT, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
    found, seen = read(path)
    assert seen == path.read_bytes()
    values = read_spans(path, [(e.start, e.stop) for e in found])
    told: dict[str, Any] = {}
    for element, value in zip(found, values, strict=True):
        key = element.key.encode("latin-1").decode()
        if element.listed:
            told.setdefault(key, []).append(value)
        else:
            told[key] = value
    assert told == {k: v for k, v in CONTENT.items() if v != []}


def test_a_byte_order_mark_and_an_empty_object(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [5]}')
    assert read(path)[0] == [stream.Element("a", True, 5, 10, 11)]
    path.write_text("{}")
    assert read(path)[0] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "after byte 0: { is missing"),
        ("[1]", "after byte 0: { is missing"),
        ('{"a": [{"b": 1}, {"b": ', "after byte 17: Expecting value"),
        ('{"a": [{"b": 1}, ', "after byte 17: Expecting value"),
        ('{"a": [1, 2] "b": 3}', "after byte 13: , or } is missing"),
        ('{"a": [1 2]}', "after byte 9: , or ] is missing"),
        ('{"a": [{"b": nul}]}', "after byte 7: Expecting value"),
        ('{"a": "x', "after byte 6: Unterminated string starting at"),
        ('{"a": 1} {', "after byte 9: more follows its end"),
        ('{"a": ' + "[" * 100_000, "after byte 7"),
        ("PK\x03\x04", "after byte 0"),
    ],
)
def test_damage_is_placed(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(WsssError, match=f"a.json is damaged or cut short {says}") as caught:
        read(path)
    assert caught.value.remedy


def test_damage_does_not_take_the_whole_file_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 10)
    monkeypatch.setattr(stream, "LONGEST", 100)
    taken: list[bytes] = []
    path = tmp_path / "a.json"
    path.write_text('{"a": ["' + "x" * 100_000)
    with pytest.raises(WsssError, match="after byte 7"):
        list(elements(path, taken.append))
    assert len(b"".join(taken)) < 1000


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(WsssError, match=r"nowhere\.json is missing"):
        read(tmp_path / "nowhere.json")
    with pytest.raises(WsssError, match="is a folder, not a file"):
        read(tmp_path)
    (tmp_path / "a.json").write_bytes(b'{"a": ["\xff"]}')
    with pytest.raises(WsssError, match=r"a\.json is damaged after byte 7"):
        read_spans(tmp_path / "a.json", [(7, 10)])
