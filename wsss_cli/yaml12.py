"""YAML as people write it, which is YAML 1.2: `off` and `no` are words (amp: off), 1e-4 is a number.

pyyaml reads YAML 1.1, in which they are False and a text.
"""

from __future__ import annotations

import re
from typing import Any

import yaml


class _Yaml(yaml.SafeLoader):
    """A SafeLoader without pyyaml's idea of switches and numbers."""

    yaml_implicit_resolvers = {  # noqa: RUF012  by first character, as pyyaml keeps them
        first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":bool", ":float"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
    list("-+0123456789."),
)


def load(text: str) -> Any:
    """The plain data that a YAML text holds. Raises yaml.YAMLError."""
    return yaml.load(text, _Yaml)
