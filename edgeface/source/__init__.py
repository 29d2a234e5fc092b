"""Where sound comes from.

Every source has `name`; `live`, whether it can be lost and come back; `playback`,
whether it is a voice that the machine plays; `pauses`, whether it may be silent
without being lost; `open()`, which raises `UnavailableError`; `read(timeout_s)`,
which returns a `Block`, an empty one when nothing came in time, or None at the
end, and raises `SourceLost`; and `close()`, which never hangs.
"""

SPECS = (
    "mic, mic:NAME, monitor, monitor:SINK, cmd:COMMAND, fifo:PATH, unix:PATH, file:PATH or"
    " - (raw s16le mono 16 kHz)"
)
