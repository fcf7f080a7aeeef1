"""A data set, prepared and read."""

from typing import Any

from wsss_cli.data.prepared import Prepared, read_prepared
from wsss_cli.preparation import prepare as host


def prepare(*args: Any, **options: Any) -> Prepared:
    """The host's `prepare`, and what it made."""
    return read_prepared(host.prepare(*args, **options))
