"""The command line of bridges, as it is typed and as the configuration holds it."""

import argparse
import shlex
from typing import Callable, NoReturn

from ..core.errors import UsageError
from . import kinds


def add_kinds(
    parser: argparse.ArgumentParser,
    add_shared: Callable[[argparse.ArgumentParser], None] = lambda parser: None,
) -> None:
    """Adds a sub-command for each kind; `kind` becomes its name, or None.

    :param add_shared: adds options that may stand before the kind, where they are added already,
        and behind it
    """
    choices = parser.add_subparsers(dest="kind", metavar="KIND", parser_class=type(parser))
    for name, kind in kinds.KINDS.items():
        # SUPPRESS: an option that stands before the kind is not overwritten by a default behind it
        sub = choices.add_parser(
            name,
            help=kind.text,
            description=f"{kind.text}.",
            formatter_class=parser.formatter_class,
            argument_default=argparse.SUPPRESS,
        )
        kind.add_arguments(sub)
        add_shared(sub)


def parse(text: str) -> argparse.Namespace:
    """The options of `KIND [TARGET] ...`, as the configuration holds them.

    :raises UsageError: it is no such command line
    """
    parser = _Parser(add_help=False)
    add_kinds(parser)
    try:
        options = parser.parse_args(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{text}: {error}") from None
    if options.kind is None:
        raise UsageError(f"no kind; one of {', '.join(kinds.KINDS)}")
    return options


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong, instead of writing it and ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)

    def print_help(self, file: object = None) -> NoReturn:
        raise UsageError("--help has no place here")
