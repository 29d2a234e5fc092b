"""`edgeface run`: the daemon in the foreground."""

import argparse
import dataclasses
import os
import sys
from typing import FrozenSet

from ..config import Settings, print_settings
from ..core.stdio import STDERR, LineWriter
from ..daemon.daemon import Daemon
from ..daemon.journal import set_up_events
from ..daemon.parts import Options
from ..daemon.status import StatusLine
from ..motion.file import save_motion
from ..source import SPECS
from .common import add_model_arguments, settings_of

EXAMPLE = """examples:
  edgeface run                           the default microphone
  edgeface run --source speech.wav       a file, in real time
  edgeface run --source monitor          what the machine plays
  arecord -t wav | edgeface run --source -
  arecord -t raw -f S16_LE -r 48000 -c 2 | edgeface run --source=-,rate=48000,channels=2

Several sources, in order of priority, go into the configuration. A source named here is
required at the start; one of the configuration is waited for. SIGHUP reloads the
configuration."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument("--source", metavar="SPEC", help=SPECS)
    parser.add_argument("--shm", metavar="NAME", help="name of the shared memory")
    parser.add_argument(
        "--fast", action="store_true", help="process a file or pipe as fast as this machine can"
    )
    parser.add_argument(
        "--frames-out",
        metavar="FILE.npz",
        help="also write the frames, at most the last hour",
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print all settings with their meaning, and end"
    )
    add_model_arguments(parser)


def execute(options: argparse.Namespace) -> None:
    """Runs the verb."""
    settings = _settings(options)
    if options.print_config:
        sys.stdout.write(print_settings(settings))
        return
    stderr = LineWriter()
    set_up_events(stderr)
    daemon = Daemon(
        settings,
        lambda: _settings(options),
        options.signals,
        Options(
            required=options.source is not None,
            fast=options.fast,
            keep=options.frames_out is not None,
            given=_given(options),
        ),
    )
    status = StatusLine(stderr) if os.isatty(STDERR) else None
    try:
        daemon.run(status.update if status else lambda stats: None)
    finally:
        if status:
            status.close()
        stderr.flush()
    if options.frames_out:
        save_motion(options.frames_out, daemon.kept, daemon.latency_ns)


def _given(options: argparse.Namespace) -> FrozenSet[str]:
    """The settings that the command line overrides."""
    overrides = {
        "audio.sources": options.source,
        "output.shm": options.shm,
        "model.bundle": options.bundle,
        "motion.lookahead_ms": options.lookahead,
    }
    return frozenset(key for key, value in overrides.items() if value is not None)


def _settings(options: argparse.Namespace) -> Settings:
    settings = settings_of(options)
    if options.source:
        audio = dataclasses.replace(settings.audio, sources=(options.source,))
        settings = dataclasses.replace(settings, audio=audio)
    if options.shm:
        output = dataclasses.replace(settings.output, shm=options.shm)
        settings = dataclasses.replace(settings, output=output)
    return settings
