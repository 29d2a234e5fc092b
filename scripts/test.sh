#!/bin/sh
# test.sh: the whole suite on the development Python, the daemon's parts on every other supported one.
# A supported Python that is not on this machine is named; in CI that is a failure.
set -eu
cd "$(dirname "$0")/.."
echo "== all tests, $(.venv/bin/python --version)"
.venv/bin/python -m pytest -q --durations=8
missing="" ready=""
for version in 3.6 3.8 3.10 3.12; do
  python=""
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python "$(command -v "python$version" || true)"; do
    [ -x "$candidate" ] && python=$candidate && break
  done
  if [ -z "$python" ]; then
    missing="$missing $version"
    continue
  fi
  venv=.venv-$version
  if [ ! -e "$venv/ready" ] || [ setup.py -nt "$venv/ready" ]; then
    "$python" -m venv "$venv"
    [ "$version" != 3.6 ] || "$venv/bin/pip" install -q --disable-pip-version-check "pip==21.3.1"
    "$venv/bin/pip" install -q --disable-pip-version-check ".[test]"
    touch "$venv/ready"
  fi
  ready="$ready $version"
done
# two at a time: they mostly wait
echo "== the daemon's parts,$ready"
echo "$ready" | xargs -r -n 1 -P 2 scripts/test-python.sh
# releases of ONNX Runtime between those: the same frames from each
for release in 1.16.3 1.17.3; do
  [ -e .venv-3.8/ready ] || break
  site=.venv-3.8/onnxruntime-$release
  [ -e "$site" ] || .venv-3.8/bin/pip install -q --disable-pip-version-check --no-deps --target "$site" "onnxruntime==$release"
  echo "== the same frames from ONNX Runtime $release"
  PYTHONPATH=$site:. .venv-3.8/bin/python -m pytest -q -p no:cacheprovider tests/test_pipeline.py -k reference
done
if [ -n "$missing" ]; then
  echo "not tested, no such Python here:$missing"
  [ -z "${CI:-}" ] || exit 1
fi
