"""YAML as people write it, which is YAML 1.2: `off` and `no` are words (amp: off), 1e-4 is a number, keys are unique.

pyyaml reads YAML 1.1, in which they are False and a text, and of two values for one key takes the last; 010 is eight
there, and 1:30 ninety.  Here they are texts, and so names of classes; a setting that is a number takes 010 for ten.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from wsss_cli.names import shown

MERGE = "tag:yaml.org,2002:merge"


class _Once(yaml.SafeLoader):
    """A SafeLoader that takes no key twice in one mapping; what `<<` merges may be overridden."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)  # before merges: those repeat keys by right
        first: dict[tuple[str, str], yaml.Node] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != MERGE):
            before = first.setdefault((key.tag, key.value), key)
            if before is not key:
                lines = f"{before.start_mark.line + 1} and {key.start_mark.line + 1}"
                raise yaml.YAMLError(f"key {shown(key.value)} is given twice, in lines {lines}")
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)  # what is merged stands before what is given, and the last one counts
        named = {(k.tag, k.value) if isinstance(k, yaml.ScalarNode) else id(k): (k, v) for k, v in node.value}
        node.value = list(named.values())  # merged in turn, 6.0.4 takes the first of one-letter keys


class _Yaml(_Once):
    """Without pyyaml's idea of switches and numbers."""

    yaml_implicit_resolvers = {  # noqa: RUF012  by first character, as pyyaml keeps them
        first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":bool", ":int", ":float", ":timestamp"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Yaml.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789"))
_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"([-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(inf|Inf|INF))|\.(nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def load(text: str) -> Any:
    """The plain data that a YAML text holds. Raises yaml.YAMLError, also for a key that is given twice."""
    return yaml.load(text, _Yaml)


class _Texts(_Once):
    """Every scalar but null is a text."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in pairs if tag.endswith((":null", ":merge"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_texts(text: str) -> Any:
    """The same, but numbers and switches are the texts that stand there: the class 1.10 is not 1.1."""
    return yaml.load(text, _Texts)


def load_dumped(text: str) -> Any:
    """The same of what yaml.safe_dump wrote, which is YAML 1.1."""
    return yaml.load(text, _Once)
