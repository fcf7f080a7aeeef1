"""Official lists of state dict keys, `tests/reference/<folder>/<name>_keys.txt`: key, shape and dtype per line."""

import ast

from reference_vectors import COMMITTED


def keys(what: str) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of `what` ("beco/beco_state_dict") by its official name, in the official order."""
    lines = (COMMITTED / f"{what}_keys.txt").read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines if not line.startswith("#")]
    return {key: ast.literal_eval(shape) for key, shape, *_ in fields}
