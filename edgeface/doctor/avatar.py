"""What the page can do with an avatar's file, and what the file lacks."""

from typing import Iterator

from ..core.errors import EdgefaceError
from ..view.avatar import Avatar, read_avatar
from ..view.packages import check_packages
from ..view.staging import read_staging, staging_file
from .finding import BAD, OK, WARN, Finding


def examine_avatar(path: str) -> Iterator[Finding]:
    """Looks into a GLB or VRM file and what belongs to it; nothing is raised.

    :param path: of the avatar
    """
    try:
        avatar = read_avatar(path)
    except EdgefaceError as error:
        yield _problem("avatar", error)
    else:
        yield Finding("avatar", OK, f"{path}: {avatar.kind}")
        yield _shapes(avatar)
        yield from _parts(avatar)
    yield _staging(path)
    try:
        check_packages()
    except EdgefaceError as error:
        yield _problem("three.js", error)
    else:
        yield Finding("three.js", OK, "installed")


def _problem(check: str, error: EdgefaceError) -> Finding:
    found, _, fix = str(error).rpartition("; ")
    return Finding(check, BAD, found or fix, fix if found else "")


def _shapes(avatar: Avatar) -> Finding:
    have, missing = len(avatar.shapes), avatar.missing
    found = f"{have} of {have + len(missing)} blendshapes"
    if avatar.speaks_by_vowels:
        return Finding("shapes", OK, f"{found}; speaks with {', '.join(avatar.vowels)}")
    if not missing:
        return Finding("shapes", OK, found)
    names = ", ".join(missing)
    fix = "they rest; add them as shape keys, and export the file again"
    return Finding("shapes", WARN, f"{found}; missing: {names}", fix)


def _parts(avatar: Avatar) -> Iterator[Finding]:
    if "head" in avatar.parts:
        yield Finding("head", OK, "turns")
    else:
        fix = "call the head's bone Head"
        yield Finding("head", WARN, "no bone of the head: everything turns about the neck", fix)
    if any(name.startswith("eyeLook") for name in avatar.shapes):
        yield Finding("gaze", OK, "by eyeLook shapes")
    elif {"left eye", "right eye"} <= set(avatar.parts):
        yield Finding("gaze", OK, "by its eyes")
    else:
        fix = "add the eyeLook shapes, or call the eyes' bones LeftEye and RightEye"
        yield Finding("gaze", WARN, "the eyes do not move", fix)


def _staging(path: str) -> Finding:
    try:
        staging = read_staging(path)
    except EdgefaceError as error:
        return _problem("settings", error)
    file = staging_file(path)
    default = type(staging)()
    changed = [name for name in vars(staging) if getattr(staging, name) != getattr(default, name)]
    found = f"{file}: {', '.join(changed)}" if changed else f"the defaults; {file} changes them"
    return Finding("settings", OK, found)
