"""Where sound comes from: sources, their supervision, and the choice between them.

`base.Source` is the interface. `supervisor.Supervisor` makes a source that is never
lost of one that may be, `selector.Selector` a stream that never stands still of several.
"""

SPECS = (
    "mic, mic:NAME, monitor, monitor:SINK, cmd:COMMAND, fifo:PATH, unix, unix:PATH, file:PATH"
    " or - (raw s16le mono 16 kHz)"
)
