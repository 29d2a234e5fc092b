"""Where sound comes from: sources, their supervision, and the choice between them.

`base.Source` is the interface. `supervisor.Supervisor` makes a source that is never
lost of one that may be, `selector.Selector` a stream that never stands still of several.
"""

SPECS = (
    "mic, mic:NAME, monitor, monitor:SINK, unix, unix:PATH, wyoming, wyoming:HOST:PORT, file:PATH,"
    " cmd:COMMAND, fifo:PATH or - (WAV or raw sound: s16le mono 16 kHz, or else as in"
    " fifo,rate=48000,channels=2,format=f32le:PATH)"
)
