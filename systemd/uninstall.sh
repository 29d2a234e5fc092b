#!/bin/sh
# uninstall.sh: removes all that install.sh and the services have made: configuration, logs and user too.
set -eu
prefix=${PREFIX:-/usr/local} root=${DESTDIR:-}
units=$root$prefix/lib/systemd
if [ -z "$root" ] && [ -d /run/systemd/system ] && [ -e "$units/system/edgeface.service" ]; then
  systemctl -q disable --now edgeface-view edgeface
fi
rm -rf "$root$prefix/lib/edgeface" "$root$prefix/share/doc/edgeface" "$root/etc/edgeface" \
  "$units/system/edgeface.service.d" "$root/var/log/edgeface" "$root/var/cache/edgeface"
rm -f "$root$prefix/bin/edgeface" "$root$prefix/include/edgeface.h" "$units/system/edgeface.service" \
  "$units/system/edgeface-view.service" "$units/user/edgeface-kiosk.service"
for folder in "$units/system" "$units/user" "$units" "$root$prefix/share/doc"; do
  [ ! -d "$folder" ] || rmdir --ignore-fail-on-non-empty "$folder"
done
[ -z "$root" ] || exit 0
! getent passwd edgeface >/dev/null || userdel edgeface
[ ! -d /run/systemd/system ] || systemctl daemon-reload
