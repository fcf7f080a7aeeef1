"""Exported models on the Hugging Face Hub, named hf://OWNER/NAME."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi, constants, hf_hub_download

from wsss_cli.downloads.network import unreachable
from wsss_cli.engine.checkpoint import CARD
from wsss_cli.errors import WsssError, in_one_line
from wsss_cli.models.folder import WEIGHTS

SCHEME = "hf://"


def repository(address: str) -> str:
    """OWNER/NAME of hf://OWNER/NAME.  Raises WsssError if it is none."""
    name = address.removeprefix(SCHEME).strip("/")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise WsssError(f"{address} names no model of the hub", "write hf://OWNER/NAME")
    return name


def pull(address: str) -> Path:
    """The folder of a model, its files downloaded unless they are here.  Raises WsssError if it cannot be had."""
    name = repository(address)
    silent = "" if constants.HF_HUB_OFFLINE else unreachable([constants.ENDPOINT])[0]  # the library tries for a minute
    what = f"{address} could not be downloaded{f' ({constants.ENDPOINT}: {silent})' if silent else ''}"
    with in_one_line(what, "check the name; `hf auth login` if it is private"):
        files = [hf_hub_download(name, file, local_files_only=bool(silent)) for file in (CARD, WEIGHTS)]
    return Path(files[0]).parent


@contextmanager
def pushed(address: str) -> Iterator[Path]:
    """A folder to write a model into, which is uploaded at the end.  Raises WsssError as `push`."""
    repository(address)
    with TemporaryDirectory() as folder:
        yield Path(folder)
        push(Path(folder), address)


def push(folder: Path, address: str) -> str:
    """Upload the folder of a model into a repository, which is made if it is not there; returns the commit's address.

    Raises WsssError if it cannot be.
    """
    name = repository(address)
    api = HfApi(endpoint=constants.ENDPOINT)
    with in_one_line(f"{folder} could not be uploaded to {address}", "log in with `hf auth login`, then run it again"):
        if silent := unreachable([constants.ENDPOINT])[0]:
            raise OSError(f"{constants.ENDPOINT}: {silent}")
        api.create_repo(name, exist_ok=True)
        return str(api.upload_folder(repo_id=name, folder_path=folder, commit_message="Upload by wsss").commit_url)
