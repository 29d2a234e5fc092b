"""`edgeface run`: the daemon in the foreground."""

import dataclasses
import grp
import logging
import signal
import sys

from ..build import build_pipeline, load_bundle
from ..config import print_settings
from ..daemon.journal import set_up_events
from ..daemon.loop import Loop
from ..daemon.status import StatusLine
from ..errors import ConfigurationError, EdgefaceError, UsageError
from ..motion.file import save_motion
from ..shm.writer import Writer
from ..source.spec import make_source
from ..telemetry.log import LogWriter
from ..telemetry.recorder import Recorder
from .common import add_model_arguments, settings_of

EXAMPLE = """examples:
  edgeface run                           the default microphone
  edgeface run --source speech.wav       a file, in real time
  arecord -t raw -f S16_LE -r 16000 -c 1 | edgeface run --source -"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument("--source", metavar="SPEC", help="mic, mic:NAME, file:PATH or - (raw s16le mono 16 kHz)")
    parser.add_argument("--shm", metavar="NAME", help="name of the shared memory")
    parser.add_argument("--fast", action="store_true", help="a file or pipe as fast as this machine can")
    parser.add_argument("--frames-out", metavar="FILE.npz", help="also write the frames, at most the last hour")
    parser.add_argument("--print-config", action="store_true", help="print the settings in force and end")
    add_model_arguments(parser)


def execute(options):
    """Runs the verb."""
    settings = settings_of(options)
    if options.source:
        settings = dataclasses.replace(settings, audio=dataclasses.replace(settings.audio, source=options.source))
    if options.shm:
        settings = dataclasses.replace(settings, output=dataclasses.replace(settings.output, shm=options.shm))
    if options.print_config:
        sys.stdout.write(print_settings(settings))
        return
    set_up_events()
    source = make_source(settings.audio.source, options.fast)
    if options.fast and source.live:
        raise UsageError("--fast: %s is live; give a file" % source.name)
    bundle = load_bundle(settings.model.bundle)
    pipeline = build_pipeline(settings, bundle)
    group_id = _group_id(settings.output.group)
    source.open()  # before the segment, whose heartbeat must not wait for a device
    try:
        writer = Writer(settings.output.shm, bundle.crc32, pipeline.latency_s, int(settings.output.mode, 8), group_id)
    except EdgefaceError:
        source.close()
        raise
    try:
        loop = Loop(source, pipeline, writer, keep=options.frames_out is not None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.stop())
        status = StatusLine(loop) if sys.stderr.isatty() else None
        recorder = _recorder(loop, settings.telemetry)
        logging.getLogger(__name__).info("running: %s to /dev/shm/%s", source.name, settings.output.shm,
                                         extra={"event": "started"})
        try:
            loop.run(status.update if status else None)
        finally:
            if status:
                status.close()
            if recorder:
                recorder.close()  # also ends a tegrastats child
    finally:
        writer.close()
    if options.frames_out:
        save_motion(options.frames_out, loop.kept, pipeline.latency_s)


def _recorder(loop, telemetry):
    if not telemetry.log and not telemetry.prometheus:
        return None
    log = LogWriter(telemetry.log, 1000 * telemetry.file_kb, 1000 * telemetry.total_kb) if telemetry.log else None
    recorder = Recorder(loop, log, telemetry.interval_s, telemetry.prometheus)
    recorder.start()
    return recorder


def _group_id(name):
    if not name:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigurationError("output.group: no group '%s' on this machine; create it or leave it empty"
                                 % name) from None
