#!/bin/bash
# arm64.sh DIR: unpacks an ARM64 Debian Python 3.11 and aarch64 wheels into DIR; no chroot, no binfmt. Then
#   PYTHONPATH=DIR/site PYTHONHOME=DIR/usr qemu-aarch64-static -cpu cortex-a57 -L DIR DIR/usr/bin/python3.11 ...
# WHEELS: packages for DIR/site. Needs qemu-user-static, apt-get, dpkg-deb, pip.
set -euo pipefail
tree=$(realpath -m "$1") apt=$(realpath -m "$1").apt
[ ! -e "$tree/ready" ] || exit 0
mkdir -p "$tree" "$apt"/{state/lists/partial,cache/archives/partial,debs/partial}
touch "$apt/status"
options="-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State=$apt/state -o Dir::State::status=$apt/status
  -o Dir::Cache=$apt/cache -o Debug::NoLocking=1 -o Acquire::Languages=none"
# shellcheck disable=SC2086  # a list of options
{
  apt-get -q $options update
  apt-get -q $options --no-install-recommends -y -o Dir::Cache::archives="$apt/debs/" -d install python3.11 libstdc++6
} >/dev/null
for package in "$apt"/debs/*.deb; do dpkg-deb -x "$package" "$tree"; done
[ -e "$tree/lib/ld-linux-aarch64.so.1" ] || {
  mkdir -p "$tree/lib"
  ln -s ../usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1 "$tree/lib/"
}
# shellcheck disable=SC2086  # a list of names
"${PYTHON:-python3}" -m pip install -q --disable-pip-version-check --target "$tree/site" --implementation cp \
  --python-version 3.11 --only-binary :all: --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
  --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 --platform any $WHEELS
# ONNX Runtime's cpuinfo library crashes on the host's x86 /proc/cpuinfo; qemu -L looks here first. 0xd07: Cortex-A57
mkdir -p "$tree/proc" "$tree/sys/devices/system/cpu"
for i in 0 1 2 3; do
  printf 'processor\t: %d\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32\nCPU implementer\t: 0x41\n' "$i"
  printf 'CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd07\nCPU revision\t: 1\n\n'
done > "$tree/proc/cpuinfo"
for file in possible present; do echo 0-3 > "$tree/sys/devices/system/cpu/$file"; done
rm -rf "$apt"
touch "$tree/ready"
