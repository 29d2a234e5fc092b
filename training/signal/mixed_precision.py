"""Products in bfloat16, where the processor is faster with them."""

import torch


def faster_in_bfloat16() -> bool:
    """Whether the processor is faster with bfloat16; others are slower."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16", False) or able.get("avx512_bf16", False))


def autocast(device: str = "cpu") -> torch.autocast:
    """A context whose products are in bfloat16 on such a processor, and in float32 elsewhere."""
    enabled = device == "cpu" and faster_in_bfloat16()
    return torch.autocast(device, torch.bfloat16, enabled=enabled)
