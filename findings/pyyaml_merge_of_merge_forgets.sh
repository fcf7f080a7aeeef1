#!/usr/bin/env bash
# PyYAML 6.0.4 forgets the override of a key of one letter when a mapping that merges another is merged in turn.
# One would expect, as YAML's merge key says and PyYAML 6.0.3 does, that a mapping's own value goes before what it merges,
# wherever the mapping is merged: c is 3, 3, since b overrides both keys of a with 3.
# Seen: b is read right, but in c the one-letter key is that of a, 1, and the longer one b's 3; no warning. (It tells keys
# apart by the identity of Python's strings, of which those of one letter are shared.)
# `wsss` reads YAML with a loader that keeps of each key the value that counts before it is merged on.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
cat > "$here/boxes.yaml" <<'YAML'
a: &a {x: 1, width: 1}
b: &b {<<: *a, x: 3, width: 3}
c: {<<: *b}
YAML
read_with() {
  "$here/venv/bin/python" -m pip install --quiet "pyyaml==$1" 2>"$here/pip.log" || { tail -3 "$here/pip.log"; exit 1; }
  (cd "$here" && venv/bin/python -c 'import yaml; d = yaml.safe_load(open("boxes.yaml")); print(*d["b"].values(), *d["c"].values())')
}
before=$(read_with 6.0.3) now=$(read_with 6.0.4)
echo "pyyaml 6.0.3: x and width of b and c expected 3 3 3 3, seen $before"
echo "pyyaml 6.0.4: x and width of b and c expected 3 3 3 3, seen $now"
[ "$before" = "3 3 3 3" ] && [ "$now" = "3 3 1 3" ]
