"""Failures that a user can mend, each with the exit code of the contract."""


class EdgefaceError(Exception):
    """One line that names the thing, what is wrong and what to do."""

    exit_code = 70


class InferenceError(EdgefaceError):
    """The model fails again and again."""


class UsageError(EdgefaceError):
    """A command line that cannot be meant."""

    exit_code = 2


class DataError(EdgefaceError):
    """Damaged audio or a damaged bundle."""

    exit_code = 65


class MissingInputError(EdgefaceError):
    """An input file that is not there."""

    exit_code = 66


class UnavailableError(EdgefaceError):
    """A device, provider or shared memory that was demanded is not to be had."""

    exit_code = 69


class ConfigurationError(EdgefaceError):
    """A configuration that is not understood."""

    exit_code = 78
