"""`edgeface bridge`: frames in the protocols that renderers speak."""

import argparse
import signal
from typing import Callable

from ..bridge.command_line import add_kinds, parse
from ..bridge.kinds import open_bridge
from ..bridge.reporter import Reporter
from ..config import Settings
from ..core.errors import ConfigurationError, UsageError
from ..core.stdio import LineWriter
from ..daemon.journal import set_up_events
from ..daemon.notify import Notifier
from .common import add_segment_arguments, configured, print_progress, valid_segment

EXAMPLE = """examples:
  edgeface bridge livelink 192.168.1.20         Unreal Engine on another machine
  edgeface bridge vmc 192.168.1.20 --fps 60     VSeeFace, Warudo and others
  edgeface bridge osc localhost:9001            a robot, a show
  edgeface bridge ifacialmocap                  clients ask, as they would ask a phone
  edgeface bridge web                           pages of your own on this machine
  edgeface bridge --name desk                   as the configuration says below bridges.desk"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    add_segment_arguments(parser)
    parser.add_argument(
        "--name", metavar="NAME", help="a bridge of the configuration, in place of a kind"
    )
    add_kinds(parser, add_segment_arguments)


def execute(options: argparse.Namespace) -> None:
    """Runs the verb until SIGTERM, SIGINT or SIGHUP."""
    if (options.kind is None) == (options.name is None):
        raise UsageError("bridge: give either a kind and its target, or --name")
    settings = Settings()
    if options.shm is None or options.name is not None:
        settings = configured(options)
    shm = valid_segment(settings.output.shm if options.shm is None else options.shm)
    if options.name is None:
        _run(options, shm)
        return
    try:
        _run(_named(settings, options.name), shm)
    except UsageError as error:
        where = f"{options.config or 'configuration'}: bridges.{options.name}"
        raise ConfigurationError(f"{where}: {error}") from None


def _named(settings: Settings, name: str) -> argparse.Namespace:
    """The options of a bridge of the configuration."""
    bridges = dict(settings.bridges)
    if name not in bridges:
        raise UsageError(f"there is no such entry; there is {', '.join(bridges) or 'none at all'}")
    return parse(bridges[name].command)


def _run(options: argparse.Namespace, shm: str) -> None:
    bridge = open_bridge(options, shm)
    stopped = _stop_signals()
    stderr = LineWriter()
    set_up_events(stderr)
    notifier = Notifier()
    notifier.send("READY=1")
    notifier.status(bridge.name)
    print_progress(f"edgeface: frames of /dev/shm/{shm} as {bridge.name}")
    with Reporter(bridge.report):
        bridge.run(stopped, notifier.worked)
    notifier.send("STOPPING=1")
    stderr.flush()


def _stop_signals() -> Callable[[], bool]:
    """Whether the process was asked to end."""
    received = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: received.append(number))
    return lambda: bool(received)
