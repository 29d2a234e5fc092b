#!/bin/sh
# test-python.sh VERSION: the tests of what the daemon imports, in .venv-VERSION; prints all at their
# end. With RESULTS=FOLDER it leaves FOLDER/VERSION when they pass.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'cat "$log"; rm "$log"' EXIT
echo "== the daemon's parts, $(".venv-$1/bin/python" --version)" >"$log"
# against the sources: the installed copy only brought the dependencies
PYTHONPATH=. ".venv-$1/bin/python" -m pytest -q -m "not system and not slow and not gpu" \
  -p no:cacheprovider >>"$log" 2>&1
[ -z "${RESULTS:-}" ] || touch "$RESULTS/$1"
