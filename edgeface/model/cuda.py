"""The calls into tensorrt and pycuda, and nothing else; needs a GPU, see `native`."""

import threading

from ..core.errors import DataError, UnavailableError

_WORKSPACE_BYTES = 256 << 20


class Cuda:
    """One primary context, one stream, one engine with one execution context.

    :raises UnavailableError: a library or the GPU is missing
    """

    def __init__(self):
        try:
            import tensorrt
            from pycuda import driver
        except ImportError as error:
            raise UnavailableError(
                f"provider native: {error}; it needs python3-libnvinfer and pycuda"
            ) from None
        self._driver, self._trt = driver, tensorrt
        self._logger = tensorrt.Logger(tensorrt.Logger.WARNING)
        try:
            driver.init()
            self._context = driver.Device(
                0
            ).retain_primary_context()  # shared with whoever else uses CUDA here
            self._thread = None
            self.attach()
        except driver.Error as error:
            raise UnavailableError(f"provider native: no GPU ({error})") from None
        self._stream = driver.Stream()

    def attach(self):
        """Makes the context current in the calling thread: the one that built it need not be the one that runs it."""
        if self._thread != threading.get_ident():
            self._context.push()
            self._thread = threading.get_ident()

    def build(self, path, float16, single_precision):
        """Serialised engine of an ONNX file, bytes.

        :param single_precision: tells of a layer's name whether it must compute in float32
        """
        trt = self._trt
        builder = trt.Builder(self._logger)
        network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
        parser = trt.OnnxParser(network, self._logger)
        if not parser.parse_from_file(path):
            raise DataError(f"{path}: TensorRT's parser refuses it ({parser.get_error(0).desc()})")
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

    def load(self, plan):
        """Loads an engine; list of (name, shape, whether it is an input) in the order of its bindings."""
        engine = self._trt.Runtime(self._logger).deserialize_cuda_engine(plan)
        if engine is None:
            raise RuntimeError("made by another TensorRT or for another GPU")
        self._engine, self._execution = engine, engine.create_execution_context()
        return [
            (
                engine.get_binding_name(i),
                tuple(engine.get_binding_shape(i)),
                engine.binding_is_input(i),
            )
            for i in range(engine.num_bindings)
        ]

    def allocate(self, size):
        """GPU memory of so many bytes."""
        return self._driver.mem_alloc(size)

    def page_locked(self, shape):
        """Array float32 that the GPU can copy from and to without the CPU."""
        import numpy as np

        return self._driver.pagelocked_zeros(shape, np.float32)

    def upload(self, target, array):
        """Array to GPU memory, on the stream."""
        self._driver.memcpy_htod_async(target, array, self._stream)

    def download(self, array, source):
        """GPU memory to array, on the stream."""
        self._driver.memcpy_dtoh_async(array, source, self._stream)

    def copy(self, target, source, size):
        """GPU memory to GPU memory, on the stream."""
        self._driver.memcpy_dtod_async(target, source, size, self._stream)

    def execute(self, pointers):
        """Runs the engine on the stream; whether it was accepted."""
        return self._execution.execute_async_v2(
            bindings=[int(p) for p in pointers], stream_handle=self._stream.handle
        )

    def synchronise(self):
        """Waits for the stream."""
        self._stream.synchronize()
