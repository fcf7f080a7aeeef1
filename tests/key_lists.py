"""Official lists of state dict keys, `tests/reference/<folder>/<name>_keys.txt`: key, shape and dtype per line."""

import ast

from reference_vectors import COMMITTED


def keys(what: str) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of `what` ("beco/beco_state_dict") by its official name, in the official order."""
    return {key: shape for section in sections(what).values() for key, shape in section.items()}


def sections(what: str) -> dict[str, dict[str, tuple[int, ...]]]:
    """The same of a list of several networks: those after each "# name ..." by its name."""
    lines = (COMMITTED / f"{what}_keys.txt").read_text(encoding="utf-8").splitlines()
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    section = found.setdefault("", {})
    for line in lines:
        if line.startswith("# "):
            section = found.setdefault(line.split()[1], {})
        elif not line.startswith("#"):
            key, shape, *_ = line.split("\t")
            section[key] = ast.literal_eval(shape)
    return found
