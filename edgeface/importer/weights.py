"""The weights of a network out of whatever a checkpoint wraps around them."""

from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, TypeVar

import numpy as np
import torch

from ..core.errors import DataError, one_line

# the tensor by which a network is recognised, whatever prefix its name has
_MARKS = {"fasthubert": "subsample.conv_layers.0.weight", "audio2motion": "mel_encoder.0.weight"}
_DEPTH = 3  # of dicts in dicts that are searched
_MOST_HEADS = 64

State = Dict[str, torch.Tensor]
Network = TypeVar("Network", bound=torch.nn.Module)


class Found(NamedTuple):
    """`state`: tensors by name; `heads`: attention heads that the file mentions, or None."""

    state: State
    heads: Optional[int]


def find_weights(checkpoint: Any, network: str, path: str) -> Found:
    """The weights of a network in a checkpoint.

    :param checkpoint: what `read_checkpoint` read
    :param network: `fasthubert` or `audio2motion`
    :param path: what errors name
    :raises DataError: they are not in there
    """
    mark = _MARKS[network]
    for holder in _dicts(checkpoint, _DEPTH):
        texts = [name for name in holder if isinstance(name, str)]
        marked = [name for name in texts if name == mark or name.endswith(f".{mark}")]
        if not marked:
            continue
        # names without the prefix belong to a larger model, such as the letters of CTC
        prefix = min(marked, key=len)[: -len(mark)]
        arrays = {name[len(prefix) :]: holder[name] for name in texts if name.startswith(prefix)}
        for name in sorted(arrays):
            if not _is_numeric(arrays[name]):
                raise DataError(f"{path}: {name} is no tensor; fetch it again")
        state = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        return Found(state, _heads(checkpoint))
    raise DataError(f"{path}: no {network} checkpoint, it has no {mark}")


def adapted(state: State, adapter: np.ndarray, path: str) -> State:
    """The weights of an audio2motion that takes C values instead of D.

    The adapter becomes part of the first convolution. That is exact at the edges, too, since the
    convolution pads with zeros and the adapter adds nothing.

    :param adapter: float32 [D, C]
    :raises DataError: it does not fit
    """
    mark = _MARKS["audio2motion"]
    first = state[mark]
    if adapter.ndim != 2 or adapter.shape[0] != first.shape[1]:
        raise DataError(
            f"{path}: the adapter is {adapter.shape}, the checkpoint takes {first.shape[1]} values"
        )
    matrix = torch.from_numpy(adapter.astype(np.float32))
    changed = dict(state)
    changed[mark] = torch.einsum("fdk,dc->fck", first.float(), matrix)
    return changed


def load_network(load: Callable[[], Network], path: str) -> Network:
    """The network that `load` makes of weights; DataError if they do not fit."""
    try:
        return load()
    except KeyError as error:
        raise DataError(f"{path}: weights are missing: {error.args[0]}") from None
    except (ValueError, RuntimeError, IndexError, AttributeError) as error:
        raise DataError(f"{path}: weights do not fit: {one_line(error, 200)}") from None


def _dicts(value: Any, depth: int) -> Iterator[Dict[Any, Any]]:
    """A dict and those in it, the outer ones first."""
    if isinstance(value, dict):
        yield value
        if depth:
            for inner in value.values():
                yield from _dicts(inner, depth - 1)


def _is_numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"


def _heads(checkpoint: Any) -> Optional[int]:
    for holder in _dicts(checkpoint, _DEPTH):
        heads = holder.get("encoder_attention_heads")
        if type(heads) is int and 0 < heads <= _MOST_HEADS:
            return heads
    return None
