#!/usr/bin/env bash
# run.sh [pytest's options]: the tests of this folder, in a venv with the programs of requirements.txt
# Its own packages come first and .venv's (torch, pytest, wsss) behind them, so that nothing is installed twice and
# .venv stays as it is: some of these programs want older libraries. The venv is removed afterwards; it takes 2 GB.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
packages() { "$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
.venv/bin/python -m venv "$here/venv"
echo "import site; site.addsitedir('$(packages .venv/bin/python)')" >"$(packages "$here/venv/bin/python")/behind.pth"
"$here/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/interop/requirements.txt
YOLO_CONFIG_DIR=$here "$here/venv/bin/python" -m pytest -p no:cacheprovider -m interop tests/interop "$@"
