"""Lazily imported functions and classes: what "package.module:name" means."""

from __future__ import annotations

from typing import Any

from wsss_cli.errors import WsssError


def load_object(path: str) -> Any:
    """The object that "package.module:name" names.  Raises WsssError if it is not there, or if its module fails."""
    import importlib

    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever a plugin does wrong at import
        said = error if isinstance(error, ImportError | AttributeError) else repr(error)
        raise WsssError(f"{path} cannot be loaded: {said}", "put that package right; --debug shows where") from error


def load_class(path: str, base: str, what: str) -> Any:
    """The class that `path` names.  Raises WsssError if it is none below that of `base`, as `what` is to be."""
    found = load_object(path)
    if not (isinstance(found, type) and issubclass(found, load_object(base))):
        raise WsssError(f"{path} is no {base.partition(':')[2]}", f"{what} is one, of {base}: mend the plugin")
    return found
