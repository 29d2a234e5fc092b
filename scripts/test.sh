#!/bin/sh
# test.sh: the whole suite on the development Python, the daemon's parts on every other supported one.
# One that fails does not keep the others from being tested; the end names all that failed.
# A supported Python that is not on this machine is named; in CI that is a failure.
set -eu
cd "$(dirname "$0")/.."
failed=""

# find_python VERSION: prints its interpreter, from pyenv or the PATH; fails where there is none
find_python() {
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python "$(command -v "python$1")"; do
    [ ! -x "$candidate" ] || { echo "$candidate"; return; }
  done
  return 1
}

# make_environment PYTHON VERSION: .venv-VERSION with what the tests need, unless it is up to date
make_environment() {
  venv=.venv-$2
  [ ! -e "$venv/ready" ] || [ setup.cfg -nt "$venv/ready" ] || return 0
  "$1" -m venv "$venv" || return 1
  if [ "$2" = 3.6 ]; then
    "$venv/bin/pip" install -q --disable-pip-version-check "pip==21.3.1" || return 1
  fi
  "$venv/bin/pip" install -q --disable-pip-version-check ".[test]" || return 1
  touch "$venv/ready"
}

missing="" ready=""
for version in 3.6 3.8 3.10 3.12; do
  if ! python=$(find_python "$version"); then
    missing="$missing $version"
  elif make_environment "$python" "$version"; then
    ready="$ready $version"
  else
    failed="$failed $version-environment"
  fi
done

# the others two at a time beside the whole suite: tests mostly wait
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
trap 'trap - TERM; kill 0' INT TERM  # Ctrl-C does not reach what runs in the background
echo "$ready" | RESULTS=$results xargs -r -n 1 -P 2 scripts/test-python.sh &
others=$!
echo "== all tests, $(.venv/bin/python --version); beside them, the daemon's parts on$ready"
.venv/bin/python -m pytest -q --durations=8 || failed="$failed development-Python"
wait "$others" || true
for version in $ready; do
  [ -e "$results/$version" ] || failed="$failed $version"
done

# releases of ONNX Runtime between those: the same frames from each
for release in 1.16.3 1.17.3; do
  [ -e .venv-3.8/ready ] || break
  site=.venv-3.8/onnxruntime-$release
  [ -e "$site" ] ||
    .venv-3.8/bin/pip install -q --disable-pip-version-check --no-deps --target "$site" \
      "onnxruntime==$release" || rm -rf "$site"
  echo "== the same frames from ONNX Runtime $release"
  PYTHONPATH=$site:. .venv-3.8/bin/python -m pytest -q -p no:cacheprovider tests/test_pipeline.py \
    -k reference || failed="$failed onnxruntime-$release"
done

if [ -n "$missing" ]; then
  echo "not tested, no such Python here:$missing"
  [ -z "${CI:-}" ] || failed="$failed missing:$(echo $missing | tr ' ' ,)"
fi
if [ -n "$failed" ]; then
  echo "FAILED: $failed"
  exit 1
fi
