"""Failures that a user can fix, each with its exit code (`docs/contract.md`, section 1)."""

from typing import Optional


class EdgefaceError(Exception):
    """One line that names the thing, what is wrong and what to do."""

    exit_code = 70


class InferenceError(EdgefaceError):
    """The model keeps failing."""


class UsageError(EdgefaceError):
    """The command line is invalid."""

    exit_code = 2


class DataError(EdgefaceError):
    """Damaged audio or a damaged bundle."""

    exit_code = 65


class MissingInputError(EdgefaceError):
    """An input file is missing."""

    exit_code = 66


class UnavailableError(EdgefaceError):
    """A required device, provider or shared memory is unavailable."""

    exit_code = 69


class ConfigurationError(EdgefaceError):
    """The configuration is invalid."""

    exit_code = 78


class InstallationError(ConfigurationError):
    """A library that edgeface cannot do without cannot be imported: no restart mends that."""


def one_line(error: object, limit: Optional[int] = None) -> str:
    """The text of an error without line breaks, for a message that must be one line.

    :param error: an exception, or a text such as the end of a log
    :param limit: at most so many characters: the first ones, or the last ones where it is negative
    :return: `str(error)` with every run of white space as one space; may be empty
    """
    text = " ".join(str(error).split())
    if limit is None:
        return text
    return text[limit:] if limit < 0 else text[:limit]
