"""The settings: frozen dataclasses, a section each, whose fields know what is valid."""

from dataclasses import dataclass, field
from typing import Any, Optional, Tuple

from ..core.rates import LOOKAHEADS_MS
from ..motion.face import BLENDSHAPES
from ..source import SPECS


def setting(
    default: Any,
    text: str,
    choices: Optional[Tuple[Any, ...]] = None,
    span: Optional[Tuple[int, int]] = None,
) -> Any:
    """A field with its meaning; of the valid values either the choices or the range is given."""
    return field(default=default, metadata={"text": text, "choices": choices, "span": span})


def entries(kind: type, text: str, names: Optional[Tuple[str, ...]] = None) -> Any:
    """A field that holds settings by name: pairs of a name and a `kind`, in the file's order.

    :param kind: a dataclass whose fields are made by `setting`; its ValueError is the file's error
    :param names: those that are valid; by default any of up to 32 letters, digits, `-` and `_`
    """
    return field(default=(), metadata={"text": text, "kind": kind, "names": names})


@dataclass(frozen=True)
class Audio:
    """Where sound comes from."""

    sources: Tuple[str, ...] = setting(("mic",), f"in order of priority, highest first: {SPECS}")
    hold_ms: int = setting(
        500,
        "how long a source that pauses keeps its priority before the next one is active, in ms",
        span=(0, 10000),
    )
    gain_db: int = setting(0, "gain of microphones, in dB", span=(-40, 40))
    auto_gain: bool = setting(
        False, "whether a quiet voice in a microphone is raised further, by 30 dB at most"
    )
    playback: str = setting(
        "",
        "output device that plays the sound of fifo:, unix:, wyoming:, cmd: and monitor: sources,"
        " delayed so that the lips agree; default: the system's; empty: none",
    )
    playback_delay_ms: int = setting(
        0, "further delay of that sound, to match a slow screen, in ms", span=(0, 1000)
    )


@dataclass(frozen=True)
class Model:
    """What computes the face."""

    bundle: str = setting("", "folder of a bundle; empty: the one in the package")
    provider: str = setting(
        "cpu",
        "what computes: auto is the fastest one that works, with the CPU as fallback; cuda,"
        " tensorrt, and native (TensorRT without ONNX Runtime) are required where they are named",
        choices=("cpu", "auto", "cuda", "tensorrt", "native"),
    )


@dataclass(frozen=True)
class Shape:
    """What is done to one blendshape."""

    gain: int = setting(100, "its motion, in percent", span=(0, 400))
    offset: int = setting(0, "added to it, in percent of its full motion", span=(-100, 100))
    min: int = setting(0, "the least of it, in percent of its full motion", span=(0, 100))
    max: int = setting(100, "the most of it, in percent of its full motion", span=(0, 100))

    def __post_init__(self) -> None:
        """Refuses limits that leave nothing.

        :raises ValueError: min is above max
        """
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}; exchange them")


@dataclass(frozen=True)
class Motion:
    """How the face moves."""

    lookahead_ms: int = setting(
        80,
        "how much sound after a frame is awaited before it is shown, in ms; more is more accurate",
        choices=LOOKAHEADS_MS,
    )
    blink: bool = setting(True, "whether the eyes blink")
    head: int = setting(
        100, "how much the head sways, turns and nods, in percent; 0: not at all", span=(0, 200)
    )
    gaze: int = setting(
        100, "how much the eyes look about, and make up for the head, in percent", span=(0, 200)
    )
    brows: int = setting(
        100, "how much the brows go with what is stressed, in percent", span=(0, 200)
    )
    f0: bool = setting(
        True,
        "whether the fundamental frequency (pitch) is estimated, which costs about 0.1 ms a frame;"
        " the head rises with it a little, held vowels are known by it, and renderers may show it",
    )
    strength: int = setting(100, "how much of its motion the face shows, in percent", span=(0, 200))
    shapes: Tuple[Tuple[str, Shape], ...] = entries(
        Shape, "what an avatar needs, by blendshape, such as jawOpen: {gain: 80}", BLENDSHAPES
    )


# the sound alone moves the face: for what compares faces
MOUTH_ONLY = Motion(blink=False, head=0, gaze=0, brows=0)


@dataclass(frozen=True)
class Output:
    """Where frames go."""

    shm: str = setting("edgeface", "name of the shared memory below /dev/shm")
    mode: str = setting(
        "0640",
        "its permission bits, octal in quotes",
        choices=("0600", "0640", "0644"),  # only its owner may write, or cut it short
    )
    group: str = setting("", "its group; empty: the group of the process")


@dataclass(frozen=True)
class Telemetry:
    """What the operator reads."""

    log: str = setting("", "folder of the log, such as /var/log/edgeface; empty: none")
    interval_s: int = setting(60, "seconds that a line of the log covers", span=(1, 3600))
    file_kb: int = setting(1024, "size of a log file in kB", span=(16, 65536))
    total_kb: int = setting(16384, "size of all log files in kB", span=(64, 1048576))
    prometheus: str = setting("", "text file for node_exporter's textfile collector; empty: none")


@dataclass(frozen=True)
class Bridge:
    """Frames in a protocol that renderers speak."""

    command: str = setting("", "kind, target and options, as `edgeface bridge` takes them")


@dataclass(frozen=True)
class Settings:
    """All sections."""

    audio: Audio = Audio()
    model: Model = Model()
    motion: Motion = Motion()
    output: Output = Output()
    telemetry: Telemetry = Telemetry()
    bridges: Tuple[Tuple[str, Bridge], ...] = entries(
        Bridge, "what `edgeface bridge --name NAME` and edgeface-bridge@NAME.service send"
    )
