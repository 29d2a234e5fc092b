#!/bin/sh
# install.sh: installs edgeface and its services for all users; again: upgrades, and keeps the configuration.
# PREFIX (/usr/local), DESTDIR (none; with it, files only), PYTHON (/usr/bin/python3)
set -eu
umask 022
cd "$(dirname "$0")/.."
prefix=${PREFIX:-/usr/local} root=${DESTDIR:-} python=${PYTHON:-/usr/bin/python3}
home=$root$prefix/lib/edgeface units=$root$prefix/lib/systemd
documents=$root$prefix/share/doc/edgeface
venv=$home/venv

case $("$python" -I -c 'import os, sys; print(os.path.realpath(sys.executable))') in
  /home/* | /root/*) echo "install: $python is in a home folder, which services cannot read; set PYTHON" >&2; exit 69 ;;
esac

# an earlier installation may have been made under a umask that kept services out
for folder in "$root$prefix" "$root$prefix/bin" "$root$prefix/include" "$root$prefix/lib" "$home" \
  "$root$prefix/share" "$root$prefix/share/doc" "$documents" "$root/etc/edgeface" \
  "$root$prefix/lib/sysusers.d" "$root$prefix/lib/tmpfiles.d" "$units" "$units/user" "$units/system" \
  "$units/system/edgeface.service.d" "$units/system/edgeface-view.service.d" \
  "$units/system/edgeface-bridge@.service.d"; do
  mkdir -p "$folder"
  chmod a+rx "$folder"
done

# from a copy: what earlier builds left beside the sources is not installed, nor is anything written there
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for file in setup.py setup.cfg pyproject.toml README.md LICENSE NOTICE edgeface; do
  [ ! -e "$file" ] || cp -R "$file" "$copy/"
done
find "$copy" \( -name __pycache__ -o -name node_modules \) -prune -exec rm -rf {} +

install_packages() { "$venv/bin/python" -I -m pip install -q --disable-pip-version-check "$@"; }
"$python" -I -m venv "$venv"
# pip of Ubuntu 18.04 knows no wheels for manylinux2014; 21.3.1 is the last one for Python 3.6
if "$python" -I -c 'import sys; sys.exit(sys.version_info >= (3, 7))'; then
  install_packages "pip==21.3.1"
fi
install_packages --upgrade "$copy"
# scripts and papers that name the folder in which they were made
find "$venv/bin" ! -type d ! -name 'python*' -delete
find "$venv/lib" -path '*/edgeface-*.dist-info/direct_url.json' -delete
sed -i '/^command = /d' "$venv/pyvenv.cfg"
if [ -n "$root" ]; then  # and compiled modules
  find "$venv" -name __pycache__ -prune -exec rm -rf {} +
  "$python" -I -m compileall -qq -d "$prefix/lib/edgeface/venv/lib" "$venv/lib" || true
fi
chmod -R u+rwX,go+rX,go-w "$home"

# -I: no module of the current folder or of the caller's environment, which may be a stranger's
printf '#!/bin/sh\nexec %s/lib/edgeface/venv/bin/python -I -m edgeface "$@"\n' "$prefix" > "$copy/edgeface.sh"
install -m 755 "$copy/edgeface.sh" "$root$prefix/bin/edgeface"
install -m 644 edgeface/shm/edgeface.h "$root$prefix/include/edgeface.h"
rm -rf "$documents"
"$python" -I systemd/documents.py "$documents"
install -m 755 systemd/kiosk systemd/reserve "$home/"
install -m 644 systemd/sysusers.conf "$root$prefix/lib/sysusers.d/edgeface.conf"
install -m 644 systemd/tmpfiles.conf "$root$prefix/lib/tmpfiles.d/edgeface.conf"
install_unit() {
  sed "s|@PREFIX@|$prefix|g" "systemd/$1" > "$copy/unit"
  install -m 644 "$copy/unit" "$units/$2/$1"
}
install_unit edgeface.service system
install_unit edgeface-view.service system
install_unit edgeface-view.socket system
install_unit edgeface-bridge@.service system
install_unit edgeface-kiosk.service user
version=$(systemctl --version 2>/dev/null | sed -n '1s/systemd \([0-9]*\).*/\1/p')
for unit in edgeface edgeface-view edgeface-bridge@; do
  newer=$units/system/$unit.service.d/50-newer-systemd.conf
  rm -f "$newer"
  [ "${version:-0}" -lt 247 ] || install -m 644 systemd/50-newer-systemd.conf "$newer"
done
config=$root/etc/edgeface/edgeface.yaml
[ -e "$config" ] || install -m 644 systemd/edgeface.yaml "$config"
[ -z "$root" ] || exit 0

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers "$prefix/lib/sysusers.d/edgeface.conf"
else
  for group in edgeface edgeface-voice; do
    getent group $group >/dev/null || groupadd --system $group
  done
  getent passwd edgeface >/dev/null ||
    useradd --system --gid edgeface --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin edgeface
  for group in edgeface-voice audio video render; do
    ! getent group $group >/dev/null || usermod -aG $group edgeface
  done
fi
# a configuration that was installed under another umask
runuser -u edgeface -- test -r "$config" || { chgrp edgeface "$config"; chmod g+r "$config"; }
{
  echo "[Service]"
  for node in /dev/nvmap /dev/nvhost-* /dev/nvgpu/*/* /dev/nvidia* /dev/dri/render* /dev/host1x-fence; do
    [ ! -c "$node" ] || echo "DeviceAllow=$node rw"
  done
} > "$units/system/edgeface.service.d/10-devices.conf"
chmod 644 "$units/system/edgeface.service.d/10-devices.conf"
[ -d /run/systemd/system ] || { echo "install: no systemd runs here; start \`edgeface run\` by other means"; exit 0; }
systemctl daemon-reload
systemctl -q enable edgeface edgeface-view.socket edgeface-view
systemctl stop edgeface-view 2>/dev/null || true  # an earlier release, which holds the port itself
systemctl restart edgeface
# one whose entry is gone from the configuration is no reason to stop here
systemctl try-restart 'edgeface-bridge@*' ||
  echo "a bridge did not start again; see: systemctl status 'edgeface-bridge@*'" >&2
systemctl start edgeface-view.socket edgeface-view ||
  echo "install: port 8068 is taken by another program: ss -lptn 'sport = :8068'; the page comes with the next boot" >&2
