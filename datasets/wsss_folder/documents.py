"""Text, JSON, YAML and XML files, whole or a message that names the file and the place in it."""

from __future__ import annotations

import codecs
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import yaml

from wsss_cli import yaml12
from wsss_cli.data.magic import HEAD, what_is
from wsss_cli.errors import WsssError

AGAIN = "export or copy it again"


def read_text(path: Path) -> str:
    """The file as UTF-8 text, or as UTF-16 if it begins with its byte order mark (Excel's).  Raises WsssError."""
    try:
        with path.open("rb") as file:
            begins = file.read(2)
        wide = begins in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        return path.read_text(encoding="utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        with path.open("rb") as file:
            what = what_is(file.read(HEAD))
        if what:
            raise WsssError(f"{path} is {what}, not text", "tags are read from a CSV: save it as one") from error
        raise WsssError(f"{path} is no UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file.  Raises WsssError with line and column."""
    try:
        return json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise WsssError(f"{path} is no JSON: {error}", AGAIN) from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.  Raises WsssError."""
    try:
        return yaml12.load(read_text(path))
    except yaml.YAMLError as error:
        raise WsssError(f"{path} is no YAML: {' '.join(str(error).split())}", "correct it") from error


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file.  Raises WsssError with line and column; refuses a DTD, which can hold entity bombs."""
    try:
        parser = ElementTree.XMLParser(target=_Plain(path))
        parser.feed(_xml_text(path.read_bytes()))
        return parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise WsssError(f"{path} is no XML: {error}", AGAIN) from error
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error


def _xml_text(data: bytes) -> str | bytes:
    """Decoded where the XML declares an encoding of several bytes, which the parser does not know: GB2312, say."""
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)", data)
    name = declared[1].decode().lower() if declared else "utf-8"
    if name in ("utf-8", "utf-16", "us-ascii", "iso-8859-1"):
        return data
    return data.decode("gb18030" if name in ("gb2312", "gbk") else name)


class _Plain(ElementTree.TreeBuilder):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise WsssError(f"{self.path} declares a document type, which no annotation needs", "remove its <!DOCTYPE ...>")
