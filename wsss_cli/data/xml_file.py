"""XML files, whole or a message that names the file and the place in it; without document types."""

from __future__ import annotations

import codecs
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from wsss_cli.errors import WsssError
from wsss_cli.sound import read_bytes


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file.  Raises WsssError with line and column; refuses a DTD, which can hold entity bombs."""
    try:
        parser = ElementTree.XMLParser(target=_Plain(path))
        parser.feed(_xml_text(path))
        return parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise WsssError(f"{path} is no XML: {error}", "export, copy or download it again") from error
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror}", "check the path and its rights") from error


def _xml_text(path: Path) -> str | bytes:
    """Decoded where the XML declares an encoding of several bytes, which the parser does not know: GB2312, say.

    Raises WsssError for one that is not in the encoding that it declares, which is UTF-8 where it declares none.
    """
    data = read_bytes(path)
    declared = re.match(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding=[\"']([\w.-]+)", data)
    name = declared[1].decode().lower() if declared else "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or name == "iso-8859-1":
        return data
    if name in ("utf-16", "utf-8", "us-ascii"):  # what a declaration in single bytes says of UTF-16 is not so
        name = "utf-8-sig"
    try:
        return data.decode("gb18030" if name in ("gb2312", "gbk") else name)
    except UnicodeDecodeError as error:
        said = (
            f"{name.removesuffix('-sig')}, as it declares" if declared else "UTF-8, and it declares no other encoding"
        )
        what = f"{path} is no XML: byte {error.start} is none of {said}"
        raise WsssError(
            what, 'save it as UTF-8, or declare what it is: <?xml version="1.0" encoding="gbk"?>'
        ) from error


class _Plain(ElementTree.TreeBuilder):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise WsssError(f"{self.path} declares a document type, which no annotation needs", "remove its <!DOCTYPE ...>")
