"""A JSON file of any size, read one element of its lists at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from wsss_cli.errors import WsssError
from wsss_cli.sound import open_file

CHUNK = 1 << 20
LONGEST = 1 << 26  # bytes of one element; whatever is longer is damage, not worth reading the whole file for
SPACE = re.compile(r"[ \t\n\r]*")
ENDS = frozenset(" \t\n\r,:]}")
BOM = b"\xef\xbb\xbf"
COPY = "copy or download it again"


class Element(NamedTuple):
    """One element of the list `key` of the top-level object (or, not `listed`, the value of `key` itself).

    start, stop  its bytes in the file. The strings in `value` are not decoded: `read_spans` gives those.
    """

    key: str
    listed: bool
    value: Any
    start: int
    stop: int


def elements(path: Path, see: Callable[[bytes], object]) -> Iterator[Element]:
    """The elements of every top-level list of a JSON object in the order of the file; memory stays flat.

    see  called with each chunk of bytes.  Raises WsssError naming the file and the byte where it is damaged.
    """
    with opened(path) as file:
        text = _Text(path, file, see)
        for _ in text.separated("{", "}"):
            key = text.value()[0]
            text.take(":")
            if text.peek() != "[":
                yield Element(key, False, *text.value())
                continue
            for _ in text.separated("[", "]"):
                yield Element(key, True, *text.value())
        if text.peek():
            raise text.damaged("more follows its end")


def read_spans(path: Path, spans: list[tuple[int, int]]) -> list[Any]:
    """The values that stand between the given bytes of a JSON file.  Raises WsssError."""
    values = []
    with opened(path) as file:
        for start, stop in spans:
            file.seek(start)
            try:
                values.append(json.loads(file.read(stop - start)))
            except ValueError as error:  # not UTF-8, or changed since it was scanned
                raise WsssError(f"{path} is damaged after byte {start}: {error}", COPY) from error
    return values


def opened(path: Path) -> BinaryIO:
    """The file, open for reading.  Raises WsssError."""
    try:
        return open_file(path)
    except FileNotFoundError as error:
        raise WsssError(f"{path} is missing", "check the path") from error
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "give a file that can be read") from error


class _Text:
    """A window that moves over the file, as Latin-1: there a character is a byte, so places are places in the file."""

    def __init__(self, path: Path, file: BinaryIO, see: Callable[[bytes], object]) -> None:
        self.path, self.file, self.see = path, file, see
        self.decode = json.JSONDecoder().raw_decode
        self.text, self.at, self.before, self.whole = "", 0, 0, False
        while len(self.text) < len(BOM) and not self.whole:
            self._more()
        self.at = len(BOM) if self.text.startswith(BOM.decode("latin-1")) else 0

    def peek(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            self.at = SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text) or self.whole:
                return self.text[self.at : self.at + 1]
            self._more()

    def take(self, among: str) -> str:
        """The next character, which must be one of `among`."""
        found = self.peek()
        if not found or found not in among:
            raise self.damaged(f"{' or '.join(among)} is missing")
        self.at += 1
        return found

    def separated(self, first: str, last: str) -> Iterator[None]:
        """Once for each item between the brackets, which is to be read then."""
        self.take(first)
        if self.peek() == last:
            self.take(last)
            return
        while True:
            yield
            if self.take("," + last) == last:
                return

    def value(self) -> tuple[Any, int, int]:
        """The next value, its first byte and the one after its last."""
        self.peek()
        while True:
            try:
                value, stop = self.decode(self.text, self.at)
            except (ValueError, RecursionError) as error:  # incomplete, or damaged
                if self._no_more():
                    raise self.damaged(str(error).partition(":")[0]) from error
            else:
                if self._no_more() or self.text[stop : stop + 1] in ENDS:  # else it may go on, as 12 of 12.5 does
                    start, self.at = self.at, stop
                    return value, self.before + start, self.before + stop
            self._more()

    def damaged(self, how: str) -> WsssError:
        return WsssError(f"{self.path} is damaged or cut short after byte {self.before + self.at}: {how}", COPY)

    def _no_more(self) -> bool:
        return self.whole or len(self.text) - self.at > LONGEST

    def _more(self) -> None:
        try:
            chunk = self.file.read(max(CHUNK, len(self.text) - self.at))
        except OSError as error:
            raise WsssError(f"{self.path} cannot be read: {error.strerror}", COPY) from error
        self.see(chunk)
        self.text, self.before, self.at = self.text[self.at :] + chunk.decode("latin-1"), self.before + self.at, 0
        self.whole = not chunk
