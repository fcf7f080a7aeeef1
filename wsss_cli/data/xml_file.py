"""XML files, whole or a message that names the file and the place in it; without document types."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_cli.sound import read_bytes


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file.  Raises WsssError with line and column; refuses a DTD, which can hold entity bombs."""
    try:
        parser = ElementTree.XMLParser(target=_Plain(path))
        parser.feed(_xml_text(read_bytes(path)))
        return parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise WsssError(f"{path} is no XML: {error}", "export, copy or download it again") from error
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
