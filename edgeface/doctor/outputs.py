"""Shared memory and log."""

import grp
import os
import pwd
import shutil
from typing import Iterator

from ..config import Settings
from ..shm import layout
from ..shm.reader import Reader
from .finding import BAD, OK, WARN, Finding

_ROOM = 4 * layout.SEGMENT_SIZE


def shared_memory(settings: Settings) -> Iterator[Finding]:
    """That there is room in /dev/shm, and that the segment can be read."""
    if shutil.disk_usage(layout.FOLDER).free < _ROOM:
        yield Finding("shared memory", BAD, f"{layout.FOLDER} is full", "remove files there")
        return
    path = layout.segment_path(settings.output.shm)
    with Reader(settings.output.shm) as reader:
        header = reader.header()
    if header is not None:
        state = layout.state_name(header["state"])
        yield Finding("shared memory", OK, f"{path}: {state}, written by process {header['pid']}")
    elif os.path.exists(path) and not os.access(path, os.R_OK):
        group = grp.getgrgid(os.stat(path).st_gid).gr_name
        user = pwd.getpwuid(os.geteuid()).pw_name
        fix = f"usermod -aG {group} {user}, and log in again"
        yield Finding("shared memory", BAD, f"{path}: no permission", fix)
    else:
        yield Finding("shared memory", OK, f"{path}: no writer at present")


def log(settings: Settings) -> Iterator[Finding]:
    """That the log can be read, and has room."""
    folder = settings.telemetry.log
    if not folder:
        yield Finding("log", OK, "none; telemetry.log names a folder")
        return
    if not os.path.isdir(folder) or not os.access(folder, os.R_OK):
        yield Finding("log", WARN, f"{folder}: you cannot read it", "try again with sudo")
        return
    free_bytes = shutil.disk_usage(folder).free
    found = f"{folder}, {free_bytes / 1e6:.0f} MB free"
    if free_bytes < 1000 * settings.telemetry.total_kb:
        yield Finding("log", WARN, found, "make room, or lower telemetry.total_kb")
    else:
        yield Finding("log", OK, found)
