"""Text, JSON and YAML files, whole or a message that names the file and the place in it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import yaml

from wsss_cli import yaml12
from wsss_cli.data.magic import HEAD, what_is
from wsss_cli.errors import WsssError
from wsss_cli.sound import open_file, open_text

AGAIN = "export or copy it again"


def read_text(path: Path) -> str:
    """The file as UTF-8 text, or as UTF-16 if it begins with its byte order mark (Excel's).  Raises WsssError."""
    try:
        with open_file(path) as raw:
            wide = raw.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        with open_text(path, "utf-16" if wide else "utf-8-sig") as file:
            return file.read()
    except UnicodeDecodeError as error:
        with open_file(path) as raw:
            what = what_is(raw.read(HEAD))
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
