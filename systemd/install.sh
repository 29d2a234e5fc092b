#!/bin/sh
# install.sh: installs edgeface and its services for all users; again: upgrades, and keeps the configuration.
# PREFIX (/usr/local), DESTDIR (none; with it, files only), PYTHON (/usr/bin/python3)
set -eu
cd "$(dirname "$0")/.."
prefix=${PREFIX:-/usr/local} root=${DESTDIR:-} python=${PYTHON:-/usr/bin/python3}
home=$root$prefix/lib/edgeface units=$root$prefix/lib/systemd

case $("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))') in
  /home/* | /root/*) echo "install: $python is in a home folder, which services cannot read; set PYTHON" >&2; exit 69 ;;
esac
"$python" -m venv "$home/venv"
# pip of Ubuntu 18.04 knows no wheels for manylinux2014; 21.3.1 is the last one for Python 3.6
"$python" -c 'import sys; sys.exit(sys.version_info >= (3, 7))' &&
  "$home/venv/bin/python" -m pip install -q --disable-pip-version-check "pip==21.3.1"
"$home/venv/bin/python" -m pip install -q --disable-pip-version-check --upgrade .

mkdir -p "$root$prefix/bin" "$root$prefix/include" "$root$prefix/share/doc/edgeface" "$root/etc/edgeface" \
  "$units/system/edgeface.service.d" "$units/user"
# not pip's script, which names the folder that it was installed in
printf '#!/bin/sh\nexec %s/lib/edgeface/venv/bin/python -m edgeface "$@"\n' "$prefix" > "$root$prefix/bin/edgeface"
chmod 755 "$root$prefix/bin/edgeface"
cp edgeface/shm/edgeface.h "$root$prefix/include/"
cp README.md CHANGELOG.md LICENSE NOTICE "$root$prefix/share/doc/edgeface/"
install -m 755 systemd/kiosk "$home/kiosk"
for unit in edgeface edgeface-view; do
  sed "s|@PREFIX@|$prefix|" "systemd/$unit.service" > "$units/system/$unit.service"
done
sed "s|@PREFIX@|$prefix|" systemd/edgeface-kiosk.service > "$units/user/edgeface-kiosk.service"
rm -f "$units/system/edgeface.service.d/50-newer-systemd.conf"
version=$(systemctl --version 2>/dev/null | sed -n '1s/systemd \([0-9]*\).*/\1/p')
[ "${version:-0}" -lt 247 ] || cp systemd/50-newer-systemd.conf "$units/system/edgeface.service.d/"
[ -e "$root/etc/edgeface/edgeface.yaml" ] || cp systemd/edgeface.yaml "$root/etc/edgeface/edgeface.yaml"
[ -z "$root" ] || exit 0

getent passwd edgeface >/dev/null ||
  useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin edgeface
for group in audio video render; do  # a unit with a missing group does not start
  ! getent group "$group" >/dev/null || usermod -aG "$group" edgeface
done
{
  echo "[Service]"
  for node in /dev/nvmap /dev/nvhost-* /dev/nvgpu/*/* /dev/nvidia* /dev/dri/render* /dev/host1x-fence; do
    [ ! -c "$node" ] || echo "DeviceAllow=$node rw"
  done
} > "$units/system/edgeface.service.d/10-devices.conf"
[ -d /run/systemd/system ] || { echo "install: systemd is not running; start \`edgeface run\` by other means"; exit 0; }
systemctl daemon-reload
systemctl -q enable edgeface edgeface-view
systemctl restart edgeface edgeface-view
