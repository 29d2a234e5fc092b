"""The calls into tensorrt and pycuda, and nothing else; needs a GPU, see `native`."""

import threading
from typing import Any, Callable, List, Sequence, Tuple

import numpy as np

from ...core.errors import DataError, UnavailableError

_WORKSPACE_BYTES = 256 << 20


class Cuda:
    """One primary context, one stream, one engine with one execution context.

    :raises UnavailableError: a library or the GPU is missing
    """

    def __init__(self) -> None:
        try:
            import tensorrt
            from pycuda import driver
        except ImportError as error:
            raise UnavailableError(
                f"provider native: {error}; it needs python3-libnvinfer and pycuda"
            ) from None
        self._driver = driver
        self._trt = tensorrt
        self._logger = tensorrt.Logger(tensorrt.Logger.WARNING)
        self._thread = -1
        try:
            driver.init()
            # shared with whoever else uses CUDA here
            self._context = driver.Device(0).retain_primary_context()
            self.attach()
        except driver.Error as error:
            raise UnavailableError(f"provider native: no GPU ({error})") from None
        self._stream = driver.Stream()

    def attach(self) -> None:
        """Makes the context current in the calling thread, often not the one that created it."""
        if self._thread != threading.get_ident():
            self._context.push()
            self._thread = threading.get_ident()

    def build(self, path: str, float16: bool, single_precision: Callable[[str], bool]) -> bytes:
        """The serialised engine of an ONNX file.

        :param single_precision: whether the layer of this name must compute in float32
        :raises DataError: the parser rejects the file
        :raises UnavailableError: TensorRT cannot build it
        """
        trt = self._trt
        builder = trt.Builder(self._logger)
        network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
        parser = trt.OnnxParser(network, self._logger)
        if not parser.parse_from_file(path):
            raise DataError(f"{path}: TensorRT's parser rejects it ({parser.get_error(0).desc()})")
        config = builder.create_builder_config()
        config.max_workspace_size = _WORKSPACE_BYTES
        if float16:
            config.set_flag(trt.BuilderFlag.FP16)
            config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)
            for i in range(network.num_layers):
                layer = network.get_layer(i)
                if single_precision(layer.name):
                    layer.precision = trt.float32
                    for k in range(layer.num_outputs):
                        layer.set_output_type(k, trt.float32)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise UnavailableError("engine: TensorRT did not build it; see its messages above")
        return bytes(plan)

    def load(self, plan: bytes) -> List[Tuple[str, Tuple[int, ...], bool]]:
        """Loads an engine; (name, shape, whether it is an input) in the order of its bindings."""
        engine = self._trt.Runtime(self._logger).deserialize_cuda_engine(plan)
        if engine is None:
            raise RuntimeError("made by another TensorRT or for another GPU")
        self._engine = engine
        self._execution = engine.create_execution_context()
        return [
            (
                engine.get_binding_name(i),
                tuple(engine.get_binding_shape(i)),
                engine.binding_is_input(i),
            )
            for i in range(engine.num_bindings)
        ]

    def allocate(self, size: int) -> Any:
        """GPU memory of so many bytes."""
        return self._driver.mem_alloc(size)

    def page_locked(self, shape: Sequence[int]) -> np.ndarray:
        """Array float32 that the GPU can copy from and to without the CPU."""
        return self._driver.pagelocked_zeros(shape, np.float32)

    def upload(self, target: Any, array: np.ndarray) -> None:
        """Array to GPU memory, on the stream."""
        self._driver.memcpy_htod_async(target, array, self._stream)

    def download(self, array: np.ndarray, source: Any) -> None:
        """GPU memory to array, on the stream."""
        self._driver.memcpy_dtoh_async(array, source, self._stream)

    def copy(self, target: Any, source: Any, size: int) -> None:
        """GPU memory to GPU memory, on the stream."""
        self._driver.memcpy_dtod_async(target, source, size, self._stream)

    def execute(self, pointers: Sequence[Any]) -> bool:
        """Runs the engine on the stream; whether it was accepted."""
        return self._execution.execute_async_v2(
            bindings=[int(pointer) for pointer in pointers], stream_handle=self._stream.handle
        )

    def synchronise(self) -> None:
        """Waits for the stream."""
        self._stream.synchronize()
