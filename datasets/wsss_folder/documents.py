"""Text, JSON and YAML files, whole or a message that names the file and the place in it."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from wsss_cli import yaml12
from wsss_cli.data.magic import HEAD, what_is
from wsss_cli.errors import WsssError
from wsss_cli.sound import open_file, read_bytes

AGAIN = "export or copy it again"


MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """The file as text: UTF-8, or UTF-16 or UTF-32 where its first bytes tell (Excel's).  Raises WsssError."""
    try:
        data = read_bytes(path)
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error
    try:
        text = data.decode(_encoding(data[:HEAD]))
        if "\0" not in text:
            return "\n".join(text.replace("\r\n", "\n").split("\r"))
    except UnicodeDecodeError as error:
        raise _no_text(path, data, error.start) from error
    raise _no_text(path, data, data.index(0))


def read_head(path: Path, size: int) -> str:
    """The first `size` bytes as text, what cannot be decoded replaced; "" if the file cannot be read."""
    try:
        with open_file(path) as file:
            data = file.read(size)
    except (OSError, WsssError):  # a pipe, for one
        return ""
    return data.decode(_encoding(data), errors="replace")


def _encoding(head: bytes) -> str:
    """By the mark at the beginning or, of UTF-16 without one, by every other byte being 0."""
    marked = next((name for mark, name in MARKS if head.startswith(mark)), None)
    if marked:
        return marked
    zeros = [head[start : len(head) // 2 * 2 : 2].count(0) for start in (0, 1)]
    wide = max(zeros) > len(head) // 4 and min(zeros) == 0 and not what_is(head)
    return ("utf-16-be" if zeros[0] else "utf-16-le") if wide else "utf-8-sig"


def _no_text(path: Path, data: bytes, at: int) -> WsssError:
    """Why a file is no text, and of one in the encoding of some country, which that may be."""
    what = what_is(data[:HEAD])
    if what:
        return WsssError(f"{path} is {what}, not text", "tags are read from a CSV: save it as one")
    if 0 in data:
        return WsssError(f"{path} is no text (byte {data.index(0)} is 0)", "give the file as text")
    start, stop = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
    line, number = data[start : stop if stop >= 0 else None], data.count(b"\n", 0, at) + 1
    shown = [f"in {name} line {number} is '{text[:60]}'" for name, text in _readings(line.strip())]
    remedy = "save it as UTF-8 (Excel: 'CSV UTF-8'; iconv -f ENCODING -t UTF-8)"
    return WsssError("; ".join([f"{path} is no UTF-8 text (byte {at})", *shown]), remedy)


def _readings(line: bytes) -> Iterator[tuple[str, str]]:
    """A line in the commonest encodings of before UTF-8, where it can be."""
    for name, codec in (("Windows-1252", "cp1252"), ("GBK", "gb18030")):
        with suppress(UnicodeDecodeError):
            text = line.decode(codec)
            if text.isprintable():
                yield name, text


def read_json(path: Path) -> Any:
    """The content of a JSON file.  Raises WsssError with line and column."""
    try:
        return json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise WsssError(f"{path} is no JSON: {error}", AGAIN) from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, its scalars as texts: they are names, paths, counts.  Raises WsssError."""
    try:
        return yaml12.load_texts(read_text(path))
    except yaml.YAMLError as error:
        raise WsssError(f"{path} is no YAML: {' '.join(str(error).split())}", "correct it") from error
