"""The command line: one verb per module of `edgeface.commands`."""

import argparse
import contextlib
import importlib
import os
import sys
import threading
from typing import NoReturn, Optional, Sequence

from . import __version__
from .core.chatter import quiet_stderr
from .core.errors import EdgefaceError, InstallationError, UsageError, one_line
from .core.stdio import LineWriter, open_standard_files
from .core.text import path_of, print_any_text, printable
from .daemon.signals import Signals

# verbs, as `edgeface --help` lists them, and what they do
VERBS = (
    ("run", "the daemon in the foreground: sound in, face frames into shared memory"),
    ("motion", "sound files to files of frames, for players and other tools"),
    ("render", "a picture or a film of the face that speaks a sound file"),
    ("view", "a page on 127.0.0.1 that shows the face in shared memory"),
    ("bridge", "the frames in a protocol that renderers speak, to other programs and machines"),
    ("calibrate", "a page that fits the motion to an avatar, and saves it"),
    ("read", "print the frames in shared memory"),
    ("voice", "say a sentence or a sound file through a running daemon, or stop what speaks"),
    ("devices", "sources that sound can come from, and outputs that can play it"),
    ("doctor", "what works here and what does not, each with its fix"),
    ("model", "what a bundle is, whether it is undamaged, and its accelerator engines"),
    ("import", "checkpoints of the original networks to a bundle"),
    ("bench", "cost of a frame, start-up time, memory, latency and power on this machine"),
    ("plan", "whether a model fits a board: operations, memory, estimates"),
    ("report", "the telemetry logs as a table, and as a page with plots"),
    ("top", "live figures, from shared memory and the newest line of the log"),
)

_LONGEST_REASON = 200  # characters: numpy's has dozens of lines


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults and keeps the examples' lines."""


def _parser(chosen: Optional[str], debug: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edgeface",
        description="Live sound in, face frames in shared memory out, on this machine.",
    )
    parser.add_argument("--version", action="version", version=f"edgeface {__version__}")
    parser.add_argument(
        "--debug", action="store_true", help="show a traceback when something fails"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    for name, text in VERBS:
        verb = verbs.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", formatter_class=_Help
        )
        verb.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        if name == chosen:  # the others' modules stay unloaded: `read` needs no model
            with contextlib.ExitStack() as stack:
                if not debug:  # numpy prints pages about a library that it was not built for
                    stack.enter_context(quiet_stderr())
                module = importlib.import_module(f".commands.{name}", __package__)
            verb.epilog = module.EXAMPLE
            module.add_arguments(verb)
            verb.set_defaults(execute=module.execute)
    return parser


def entry() -> NoReturn:
    """The process: runs its command line and ends with the exit code."""
    open_standard_files()
    print_any_text()
    code = main(sys.argv[1:])
    sys.stdout.flush()
    with contextlib.suppress(OSError):  # its reader is gone, which is no failure of ours
        sys.stderr.flush()
    if threading.active_count() > 1:
        # a thread that is still inside a driver or a model's library would be torn down under it
        os._exit(code)
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Runs a command line; returns the exit code."""
    verb = next((word for word in arguments if not word.startswith("-")), None)
    # before the imports, which take a while: a signal then is not lost
    signals = Signals().install() if verb == "run" else None
    debug = "--debug" in arguments
    try:
        _check(arguments)
        parser = _parser(verb, debug)
        options = parser.parse_args(arguments)
        if options.verb is None:
            parser.print_help(sys.stderr)
            return 2
        options.signals = signals
        return options.execute(options) or 0
    except EdgefaceError as error:
        return _fail(str(error), error.exit_code, debug)
    except ImportError as error:
        reason = one_line(error, _LONGEST_REASON)
        message = f"a library cannot be imported: {reason}; see `edgeface doctor`"
        return _fail(message, InstallationError.exit_code, debug)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # such as `edgeface read | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last resort: one line instead of a traceback
        return _fail(
            f"internal error: {type(error).__name__}: {one_line(error)};"
            " run again with --debug and report it",
            EdgefaceError.exit_code,
            debug,
        )


def _check(arguments: Sequence[str]) -> None:
    """Refuses what no path and no name can hold; whatever an option does with it is safe then."""
    for argument in arguments:
        try:
            path_of(argument)
        except ValueError as error:  # UnicodeEncodeError is one
            reason = "a lone surrogate" if isinstance(error, UnicodeError) else error
            raise UsageError(f"argument {argument!a}: contains {reason}; remove it") from None


def _fail(message: str, code: int, debug: bool) -> int:
    stderr = LineWriter()  # a pipe that nobody reads must not keep the process alive
    if debug:
        import traceback

        stderr.write(traceback.format_exc())
    stderr.write(f"edgeface: {printable(message)}\n")
    stderr.flush()
    return code
