"""Options that each release of ONNX Runtime knows; with any other it falls back silently."""

from typing import Any, Dict, Tuple

# first release with the option, as found in the binaries of the GPU wheels
_TENSORRT = (
    (
        (1, 10),
        (
            "device_id",
            "trt_max_partition_iterations",
            "trt_min_subgraph_size",
            "trt_max_workspace_size",
            "trt_fp16_enable",
            "trt_engine_cache_enable",
            "trt_engine_cache_path",
        ),
    ),
    ((1, 12), ("trt_context_memory_sharing_enable",)),
    ((1, 14), ("trt_layer_norm_fp32_fallback",)),
    ((1, 15), ("trt_timing_cache_enable", "trt_builder_optimization_level")),
    ((1, 17), ("trt_timing_cache_path",)),
)
_WORKSPACE_BYTES = 256 << 20  # where GPU and CPU share memory, the default takes all of it
_GPU_BYTES = 1 << 30
_SMALL_BYTES = 20e6


def version_tuple(text: str) -> Tuple[int, int]:
    """`1.16.3` or `1.24.0rc1` as (1, 16)."""
    major, minor = text.split(".")[:2]
    return int(major), int("".join(c for c in minor if c.isdigit()) or 0)


def tensorrt_options(release: str, cache: str, float16: bool) -> Dict[str, Any]:
    """Options of the TensorRT provider, as far as this release knows them; booleans are booleans.

    :param release: version of ONNX Runtime
    :param cache: folder of the engines
    :param float16: whether kernels may use half precision; normalisation never does where there is
        an option for that
    """
    known = {
        name for first, names in _TENSORRT if version_tuple(release) >= first for name in names
    }
    wanted = {
        "device_id": 0,
        "trt_max_workspace_size": _WORKSPACE_BYTES,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": cache,
        "trt_fp16_enable": bool(float16),
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": cache,
        "trt_layer_norm_fp32_fallback": bool(float16),
        "trt_context_memory_sharing_enable": True,
    }
    return {name: value for name, value in wanted.items() if name in known}


def cuda_options() -> Dict[str, Any]:
    """Options of the CUDA provider, all of which every supported release knows."""
    return {
        "device_id": 0,
        "arena_extend_strategy": "kSameAsRequested",
        "gpu_mem_limit": _GPU_BYTES,
        "cudnn_conv_algo_search": "HEURISTIC",
        "do_copy_in_default_stream": True,
    }


def threads(weight_bytes: float, cores: int) -> int:
    """Threads of one operator: few, since a small model gains nothing and a browser needs cores."""
    if weight_bytes < _SMALL_BYTES:
        return 1
    return max(1, min(2, cores - 2))
