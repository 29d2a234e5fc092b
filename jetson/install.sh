#!/bin/bash
# install.sh [--dry-run] [--gpu] [--offline DIR] [--mirror URL] [--sha256 HASH]: installs edgeface on a Jetson.
#
# Prints its plan, then does it: packages, the service (systemd/install.sh), and with --gpu a build
# of ONNX Runtime for this JetPack, from wheels.tsv and only if its SHA-256 matches. The default model
# needs no GPU: a step takes a fraction of a millisecond on one core, and CUDA alone takes a gigabyte.
#   --offline DIR   take wheels (setuptools too) from this folder, and nothing from the network
#   --mirror URL    fetch URL/FILE in place of the table's address
#   --sha256 HASH   the hash of the wheel, where the table has none
#   --root DIR      look at another file system (for --dry-run)
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
from_here() { case $1 in /*) echo "$1" ;; *) echo "$here/$1" ;; esac; }
dry="" gpu="" offline="" mirror="" hash="" root=/
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=1 ;;
    --gpu) gpu=1 ;;
    --offline) offline=$(realpath "$(from_here "$2")"); shift ;;
    --mirror) mirror=${2%/}; shift ;;
    --sha256) hash=$2; shift ;;
    --root) root=$(from_here "$2"); shift ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done
fail() { echo "install: $*" >&2; exit 69; }

# names are compared, never evaluated: the values come from files of the system that is looked at
board_model="" board_name="" board_l4t="" board_jetpack="" board_tensorrt=""
while IFS='=' read -r name value; do
  case $name in
    model) board_model=$value ;;
    name) board_name=$value ;;
    l4t) board_l4t=$value ;;
    jetpack) board_jetpack=$value ;;
    tensorrt) board_tensorrt=$value ;;
  esac
done < <(python3 -I edgeface/core/board.py "$root")
python=${PYTHON:-/usr/bin/python3}
case $board_jetpack in  # Python of that JetPack, not of this machine, when --root is given
  4.*) tag=cp36 ;; 5.*) tag=cp38 ;; 6.*) tag=cp310 ;; 7.*) tag=cp312 ;;
  *) tag=$("$python" -I -c 'import sys; print("cp%d%d" % sys.version_info[:2])') ;;
esac
echo "board      ${board_model:-no Jetson} (${board_name:-unknown})"
echo "system     L4T ${board_l4t:--}, JetPack ${board_jetpack:--}, TensorRT ${board_tensorrt:--}, Python $tag"

file="" address="" known=""
if [ -n "$gpu" ]; then
  [ -n "$board_jetpack" ] || fail "--gpu: no JetPack is known here; install a GPU build of onnxruntime by hand"
  while IFS=$'\t' read -r jetpack python_tag wheel url sum; do
    case $jetpack in '#'*) continue ;; esac
    if [[ $board_jetpack == "$jetpack"* && $python_tag == "$tag" ]]; then file=$wheel address=$url known=$sum; fi
  done < jetson/wheels.tsv
  [ -n "$file" ] || fail "--gpu: no build for JetPack $board_jetpack is known; without --gpu the CPU computes"
  [ "$known" != - ] || known=$hash
  [ -n "$known" ] || fail "--gpu: no SHA-256 of $file is known; fetch it from $address, check it, and give --sha256"
  [ -z "$mirror" ] || address=$mirror/$file
  [ -z "$offline" ] || address=$offline/$file
  echo "runtime    $file"
  echo "           from $address, SHA-256 $known"
else
  echo "runtime    onnxruntime for the CPU"
fi
echo "service    $(sed -n 's/^# install.sh: //p' systemd/install.sh)"
memory_mb=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
swap_mb=$(awk '/^SwapTotal/ {print int($2 / 1024)}' /proc/meminfo)
case $board_name in
  nano | nano-2gb) echo "power      nvpmodel -m 0 (10 W, four cores) if the supply gives 5 V 4 A at the barrel; -m 1 is 5 W, two cores" ;;
  "") ;;
  *) echo "power      nvpmodel -q shows the mode, jetson_clocks fixes its highest clocks until the next boot" ;;
esac
[ -z "$gpu" ] || [ $((memory_mb + swap_mb)) -ge 6000 ] || [ -z "$board_name" ] ||
  echo "memory     $memory_mb MB and $swap_mb MB swap: add zram or a swap file before \`edgeface model prepare\`"
[ -z "$dry" ] || exit 0
[ "$(id -u)" = 0 ] || fail "run as root: sudo $0"

wheel=""
if [ -n "$file" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  if [ -n "$offline" ]; then
    [ -e "$address" ] || fail "$address: missing"
    cp "$address" "$folder/$file"
  else
    curl -fsSL --retry 3 -o "$folder/$file" "$address" ||
      fail "$address: cannot be fetched; give --mirror or --offline"
  fi
  echo "$known  $folder/$file" | sha256sum -c --quiet - || fail "$file: its SHA-256 is not $known"
  wheel=$folder/$file
fi
if [ -n "$offline" ]; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=$offline; else scripts/apt-install.sh python3-venv libportaudio2; fi
systemd/install.sh
if [ -n "$wheel" ]; then
  venv=${PREFIX:-/usr/local}/lib/edgeface/venv/bin/python
  "$venv" -I -m pip uninstall -q -y onnxruntime  # both builds are imported by the same name
  "$venv" -I -m pip install -q --disable-pip-version-check --no-deps "$wheel"
  systemctl restart edgeface
fi
edgeface doctor || true
