"""Shared memory, log and metrics: whether they can be written and read."""

import errno
import grp
import os
import pwd
import tempfile
from typing import Iterator, Optional, Tuple

from ..config import Settings
from ..core.advice import as_root
from ..shm import layout
from ..shm.reader import Reader
from .finding import BAD, OK, WARN, Finding

_ROOM = 4 * layout.SEGMENT_SIZE


def shared_memory(settings: Settings) -> Iterator[Finding]:
    """That a segment can be created in /dev/shm, and that the one that is there can be read."""
    problem = _not_writable(layout.FOLDER)
    if problem:
        yield Finding("shared memory", BAD, *problem)
        return
    path = layout.segment_path(settings.output.shm)
    with Reader(settings.output.shm) as reader:
        header = reader.header()
    if header is not None:
        state = layout.state_name(header["state"])
        yield Finding("shared memory", OK, f"{path}: {state}, written by process {header['pid']}")
    elif os.path.exists(path) and not os.access(path, os.R_OK):
        command = f"usermod -aG {_group_of(path)} {_user_name()}"
        fix = f"{as_root(command)}, and log in again"
        yield Finding("shared memory", BAD, f"{path}: no permission", fix)
    else:
        yield Finding("shared memory", OK, f"{path}: no writer at present")


def _not_writable(folder: str) -> Optional[Tuple[str, str]]:
    """What keeps this user from creating a segment, and its fix; None where nothing does."""
    try:
        with tempfile.TemporaryFile(prefix=".edgeface-", dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, _ROOM)
        return None
    except OSError as error:
        if error.errno == errno.EROFS:
            return f"{folder} is read-only", as_root(f"mount -o remount,rw {folder}")
        if error.errno in (errno.EACCES, errno.EPERM):
            return f"{folder}: you may not create files", as_root(f"chmod 1777 {folder}")
        if error.errno != errno.ENOSPC:
            return f"{folder}: {error.strerror}", as_root("mount -t tmpfs tmpfs /dev/shm")
    status = os.statvfs(folder)
    if status.f_files and not status.f_favail:
        return f"{folder} has no room for another file (inodes)", f"remove files in {folder}"
    return f"{folder} is full", f"remove files in {folder}, or give it more memory"


def _group_of(path: str) -> str:
    number = os.stat(path).st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def log(settings: Settings) -> Iterator[Finding]:
    """That the log can be read, and has room."""
    folder = settings.telemetry.log
    if not folder:
        yield Finding("log", OK, "none; telemetry.log names a folder")
        return
    if not os.path.exists(folder):
        yield Finding("log", OK, f"{folder}: not there yet; the daemon creates it")
    elif not os.path.isdir(folder):
        fix = "remove it, or choose another telemetry.log"
        yield Finding("log", BAD, f"{folder}: not a folder", fix)
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield Finding("log", WARN, f"{folder}: you cannot read it", as_root("edgeface doctor"))
    else:
        yield _room("log", folder, 1000 * settings.telemetry.total_kb)


def _room(check: str, folder: str, wanted_bytes: int) -> Finding:
    """Whether the file system of a folder takes so many bytes in new files."""
    status = os.statvfs(folder)
    free_bytes = status.f_bavail * status.f_frsize
    found = f"{folder}, {free_bytes / 1e6:.0f} MB free"
    if status.f_flag & os.ST_RDONLY:
        fix = as_root("mount -o remount,rw") + f" its file system ({_mount_point(folder)})"
        return Finding(check, BAD, f"{folder}: on a read-only file system", fix)
    if status.f_files and not status.f_favail:
        return Finding(check, WARN, f"{folder}: no room for another file (inodes)", "remove files")
    if free_bytes < wanted_bytes:
        return Finding(check, WARN, found, "make room, or lower telemetry.total_kb")
    return Finding(check, OK, found)


def _mount_point(path: str) -> str:
    path = os.path.realpath(path)
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def metrics(settings: Settings) -> Iterator[Finding]:
    """That the text file for node_exporter has a place."""
    path = settings.telemetry.prometheus
    if not path:
        return
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        yield Finding("metrics", BAD, f"{path}: a folder", "telemetry.prometheus names a file")
    elif not os.path.isdir(folder):
        fix = f"create {folder}, or choose another telemetry.prometheus"
        yield Finding("metrics", BAD, f"{folder}: missing", fix)
    else:
        yield _room("metrics", folder, 0)._replace(found=path)
