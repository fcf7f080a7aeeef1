"""Names that others wrote: which of them may become a path, and how they are shown.

Ids of images, splits, runs, data sets and members of archives all go through `fault`.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from wsss_cli.errors import WsssError

LONGEST_PART = 230  # bytes between two "/"; a file system takes 255, and endings and temporary names come on top
LONGEST = 1000  # bytes of the whole; the system takes 4096, with the folder that it lies in
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # lines end at some, surrogates are no text
TURNING = "\u202a-\u202e\u2066-\u2069"  # the direction of writing: what is shown is not what is there
UNSEEN = re.compile(rf"(?![\n\t])[{CONTROL.pattern[1:-1]}{TURNING}]")
WINDOWS = os.name == "nt"
RESERVED = re.compile(r'(con|prn|aux|nul|com\d|lpt\d)(\.|$)|[<>:"|?*]|\.$', re.IGNORECASE)  # there


def fault(name: str) -> str:
    """Why a name is no path below a folder: "has '..' in its path"; "" if it is one.

    It is relative, "/" between its parts, and none of them empty, "." or ".."; without control characters or spaces at
    the ends of parts; of bounded length.
    """
    parts = name.split("/")
    if CONTROL.search(name):
        return "holds a control character"
    if name.startswith(("/", "\\")) or re.match("[A-Za-z]:[/\\\\]", name):
        return "has an absolute path"
    if ".." in parts:
        return "has '..' in its path"
    if "" in parts or "." in parts:
        return "is empty or has an empty part"
    if any(part != part.strip() for part in parts):
        return "begins or ends with a space"
    if max(map(_bytes, parts)) > LONGEST_PART or _bytes(name) > LONGEST:
        return f"is too long: more than {LONGEST_PART} bytes"
    if "\\" in name or (WINDOWS and any(RESERVED.search(part) for part in parts)):
        return "is no name that every system can write"
    return ""


def require_path(name: str, what: str, remedy: str) -> str:
    """The name.  Raises WsssError "<what> '../x' has '..' in its path" if it cannot be a path below a folder."""
    if not isinstance(name, str):  # of a plugin, which no type checker has seen
        raise WsssError(f"{what} {name!r} is no text", "a plugin gives it as a str: mend the plugin")
    if wrong := fault(name):
        raise WsssError(f"{what} {shown(name)} {wrong}", remedy)
    return name


def require_visible(path: Path, what: str) -> None:
    """Raises WsssError for control characters: lists of paths, and XML, cannot hold them."""
    if CONTROL.search(str(path)):
        raise WsssError(f"{what} {shown(str(path))} holds a control character", "rename the file or its folder")


def inside(root: Path, name: str, what: str, remedy: str) -> Path:
    """`root / name`, which is below root.  Raises WsssError as `require_path`."""
    return root / require_path(name, what, remedy)


@cache
def require_part(name: str, what: str, remedy: str) -> str:
    """As `require_path`, of a name that may have no "/"; remembered, for there are few."""
    if "/" in require_path(name, what, remedy):
        raise WsssError(f"{what} {shown(name)} has a '/' in it", remedy)
    return name


def require_folder_name(name: str) -> str:
    """The name of a run or a data set.  Raises WsssError."""
    if not re.fullmatch(r"\w[\w.+-]*", name) or fault(name):
        raise WsssError(f"{shown(name)} cannot name a folder", "use letters, digits and the signs _ . + -")
    return name


def one_line(text: str) -> str:
    """The text without control characters; those and spaces around them become one space."""
    return re.sub(rf"\s*{CONTROL.pattern}[{CONTROL.pattern[1:-1]}\s]*", " ", text).strip()


def shown(name: str) -> str:
    """A name in a message: in quotes, short, with control characters spelled out."""
    return repr(name if len(name) <= 80 else name[:77] + "...")


def visible(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters other than line breaks and tabs spelled out."""
    return UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def _bytes(text: str) -> int:
    return len(text.encode())
