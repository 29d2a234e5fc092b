#!/bin/sh
# uninstall.sh: removes all that install.sh and the services have made: configuration, logs, user and groups too.
set -eu
prefix=${PREFIX:-/usr/local} root=${DESTDIR:-}
units=$root$prefix/lib/systemd
if [ -z "$root" ] && [ -d /run/systemd/system ] && [ -e "$units/system/edgeface.service" ]; then
  systemctl stop 'edgeface-bridge@*'
  systemctl -q disable edgeface-bridge@.service  # all of its instances
  systemctl -q disable --now edgeface-view.socket edgeface-view edgeface
  systemctl reset-failed edgeface-view edgeface 'edgeface-bridge@*' 2>/dev/null || true
fi
rm -rf "$root$prefix/lib/edgeface" "$root$prefix/share/doc/edgeface" "$root/etc/edgeface" \
  "$units/system/edgeface.service.d" "$units/system/edgeface-view.service.d" \
  "$units/system/edgeface-bridge@.service.d" "$root/var/log/edgeface" "$root/var/cache/edgeface"
rm -f "$root$prefix/bin/edgeface" "$root$prefix/include/edgeface.h" "$units/system/edgeface.service" \
  "$units/system/edgeface-view.service" "$units/system/edgeface-view.socket" \
  "$units/system/edgeface-bridge@.service" "$units/user/edgeface-kiosk.service" \
  "$root$prefix/lib/sysusers.d/edgeface.conf" "$root$prefix/lib/tmpfiles.d/edgeface.conf"
for folder in "$units/system" "$units/user" "$units" "$root$prefix/share/doc" \
  "$root$prefix/lib/sysusers.d" "$root$prefix/lib/tmpfiles.d"; do
  [ ! -d "$folder" ] || rmdir --ignore-fail-on-non-empty "$folder"
done
[ -z "$root" ] || exit 0
rm -rf /run/edgeface /run/edgeface-bridge /dev/shm/edgeface
! getent passwd edgeface >/dev/null || userdel edgeface ||
  echo "uninstall: the user edgeface stays as long as its processes run; then: userdel edgeface" >&2
for group in edgeface edgeface-voice; do  # whoever else is a member of them
  ! getent group $group >/dev/null || groupdel $group ||
    echo "uninstall: the group $group stays; it is somebody's first group" >&2
done
[ ! -d /run/systemd/system ] || systemctl daemon-reload
