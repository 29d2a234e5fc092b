"""Text from outside: paths and names in any encoding, and what may be printed of them."""

import codecs
import contextlib
import os
import sys
from typing import Iterator, Tuple, Union

_HANDLER = "edgeface.printable"


def path_of(text: str) -> str:
    """A path as the operating system takes it: a text that is not ASCII is UTF-8 in any locale.

    On Python 3.6 with LANG=C, a path from a YAML file could not be opened otherwise.

    :raises ValueError: no file can have this name
    """
    _refuse_nul(text)
    try:
        os.fsencode(text)
        return text
    except UnicodeEncodeError:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def name_of(text: str) -> str:
    """The name of a device as its library gives it: UTF-8, also from the command line in LANG=C.

    :raises ValueError: no device can have this name
    """
    _refuse_nul(text)
    try:
        return text.encode("utf-8").decode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")


@contextlib.contextmanager
def utf8_path(path: str) -> Iterator[str]:
    """A path of the same file for a library that takes UTF-8 alone; valid inside of the block."""
    try:
        name = name_of(path)
    except UnicodeDecodeError:
        pass
    else:
        yield name
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def _refuse_nul(text: str) -> None:
    if "\0" in text:
        raise ValueError("a NUL character")


def printable(text: str) -> str:
    """A text on one line: line breaks, control characters and undecodable bytes are escaped."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def print_any_text() -> None:
    """Lets standard output take any text, whatever the locale can encode."""
    codecs.register_error(_HANDLER, _encode_anyhow)
    stream = sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=_HANDLER)
    elif hasattr(stream, "detach"):  # Python 3.6
        buffering = stream.line_buffering
        encoding = stream.encoding
        sys.stdout = open(
            stream.detach().fileno(),
            "w",
            1 if buffering else -1,
            encoding=encoding,
            errors=_HANDLER,
            closefd=False,
        )


def _encode_anyhow(error: UnicodeError) -> Tuple[Union[str, bytes], int]:
    """Bytes of an undecodable file name as they were; escapes for what the locale has not."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    start = error.start
    first = UnicodeEncodeError(error.encoding, error.object, start, start + 1, error.reason)
    try:
        return codecs.lookup_error("surrogateescape")(first)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(first)
