"""The systemd service, and what it can hear."""

import glob
import grp
import os
import pwd
import subprocess
from typing import Iterator

from ..config import Settings
from ..core.advice import as_root
from .finding import BAD, OK, WARN, Finding

_USER = "edgeface"
_PROPERTIES = "LoadState,ActiveState,UnitFileState,StatusText"
_TIMEOUT_S = 10.0


def service(_settings: Settings) -> Iterator[Finding]:
    """Whether edgeface.service runs."""
    if not os.path.isdir("/run/systemd/system"):
        yield Finding("service", OK, "no systemd runs here")
        return
    try:
        answer = subprocess.run(
            ["systemctl", "show", "edgeface", "-p", _PROPERTIES],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            universal_newlines=True,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding("service", WARN, f"systemctl does not answer: {error}", as_root("reboot"))
        return
    values = {}
    for line in answer.stdout.splitlines():
        name, _, value = line.partition("=")
        values[name] = value
    if values.get("LoadState") != "loaded":
        yield Finding("service", OK, f"not installed; `{as_root('make install')}` does that")
    elif values.get("ActiveState") == "active":
        yield Finding("service", OK, values.get("StatusText") or "active")
    else:
        fix = f"journalctl -u edgeface -n 20; then {as_root('systemctl restart edgeface')}"
        yield Finding("service", BAD, values.get("ActiveState", "?"), fix)


def service_sound(_settings: Settings) -> Iterator[Finding]:
    """A desktop's sound server is its user's: the service cannot hear through it."""
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        return
    groups = {group.gr_name for group in grp.getgrall() if _USER in group.gr_mem}
    if "audio" not in groups:
        fix = as_root(f"usermod -aG audio {_USER}")
        yield Finding("group audio", BAD, f"user {_USER} is not a member", fix)
    servers = glob.glob("/run/user/*/pulse/native")
    if servers:
        yield Finding(
            "sound server",
            WARN,
            f"{servers[0]} belongs to a user; the service cannot use it",
            "see 'A desktop's sound server' in docs/service.md,"
            " or let the service have a card of its own",
        )
