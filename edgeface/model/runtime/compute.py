"""Where a model computes: the configured provider, and the engine that was built for it."""

from typing import NamedTuple, Optional


class Engine(NamedTuple):
    """A complete folder of TensorRT engines.

    `folder`: its path; `float16`: whether kernels may use half precision; `reason`: why or why not.
    """

    folder: str
    float16: bool = False
    reason: str = ""


class Compute(NamedTuple):
    """What a graph is opened with.

    `provider`: `cpu`, `cuda`, `tensorrt` or `native`, which are required and never replaced, or
    `auto`, the fastest that works; `engine`: without one, `auto` does not use TensorRT, since
    building takes minutes, and `native` cannot run; `keep_memory`: whether ONNX Runtime keeps the
    memory of a run for the next, which large runs need: between results that are kept, the C
    library would leave hundreds of MB unused.
    """

    provider: str = "cpu"
    engine: Optional[Engine] = None
    keep_memory: bool = False
