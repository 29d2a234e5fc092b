"""Foreign checkpoints to a bundle that `edgeface run --bundle` streams; the two halves one after the other."""

import os
from typing import NamedTuple, Optional

import numpy as np
import torch

from ..core.errors import DataError, UsageError
from ..core.resources import BUNDLED_VOICE, DEFAULT_BUNDLE
from ..features.fbank import Fbank
from ..model.bundle import Bundle
from ..model.window import noise
from ..motion.refine import NEIGHBOURS
from ..source.file import read_whole
from .audio2motion import load_audio2motion
from .checkpoint import read_checkpoint
from .fasthubert import load_fasthubert
from .graphs import EncoderGraph, MotionGraph
from .halves import check_width, describe_half, origin_of, write_half

# by these tensors a checkpoint is known, whatever prefix stands before them
_MARKS = {"fasthubert": "subsample.conv_layers.0.weight", "audio2motion": "mel_encoder.0.weight"}
_ORIGIN, _EYES = 27, (36, 45)  # of the contract's unit and origin
# The outer-eye distance of the BFM's mean face in its own units, assumed where no basis tells it.
_BFM_EYES = 0.9


def import_fasthubert(path, folder, statistics, window, precision, tell):
    """Makes the encoder half of a bundle.

    :param path: checkpoint in one of fairseq's layouts
    :param folder: of the bundle, a `pathlib.Path`, new or with the other half
    :param statistics: (mean, std) of Fbank, each float32 [80], and where they are from
    :param window: dict of `past`, `hop` and `future` in frames
    :param tell: called with lines of text
    :raises DataError: the file is damaged or holds something else
    """
    found = find_weights(read_checkpoint(path), "fasthubert", path)
    model = _load(lambda: load_fasthubert(found.state, heads=found.heads), path)
    width = model.post_extract_proj.out_features
    check_width(folder, "encoder", width)
    (mean, std), origin = statistics
    tell(
        f"{path}: FastHuBERT, {len(model.encoder.layers)} layers of width {width}; statistics of Fbank: {origin}"
    )
    module = EncoderGraph(model, mean, std).eval()
    rows = torch.from_numpy(_voice_rows())[None]

    def compare(session, frames):
        count = min(rows.shape[1], 4 * frames - 2)
        given = np.zeros((1, 4 * frames, 80), np.float32)
        given[:, :count] = rows[:, :count]
        got = session.run(None, {"fbank": given, "rows": np.array([count], np.float32)})[0][
            :, : -(-count // 4)
        ]
        with torch.no_grad():
            return module.plain(rows[:, :count]).numpy(), got

    graphs, figures = write_half(module, folder, "encoder", window, precision, compare, tell)
    section = {
        "width": width,
        "precision": precision,
        "statistics": origin,
        "origin": origin_of(path),
        "graphs": graphs,
        "measured": figures,
    }
    return describe_half(folder, "encoder", section, window)


def import_audio2motion(path, folder, basis, adapter, database, settings, window, tell):
    """Makes the motion half of a bundle.

    :param basis: arrays `mean` [68, 3], `exp` [204, 64], `id` [204, 80], `identity` [80] as far as they are known
    :param adapter: float32 [what the checkpoint hears, what the encoder gives], or None
    :param database: faces of the subject in upstream's units (ten times), float32 [N, 204], or None
    :param settings: dict of temperature, seed, share, smoothing, mouth_amp

    The other parameters and errors as `import_fasthubert`.
    """
    state = find_weights(read_checkpoint(path), "audio2motion", path).state
    if adapter is not None:
        state = adapted(state, adapter, path)
    model = _load(lambda: load_audio2motion(state), path)
    outputs, width = model.vae.decoder.out_proj.out_channels, model.mel_encoder[0].in_channels
    check_width(folder, "motion", width)
    if database is not None and (
        database.ndim != 2 or database.shape[1] != 204 or len(database) < NEIGHBOURS
    ):
        raise DataError(
            f"{path}: the database is {database.shape}, not [{NEIGHBOURS} or more, 204]"
        )
    tell(
        f"{path}: audio2motion, {'with pitch' if hasattr(model, 'pitch_embed') else 'no pitch'}, {outputs} outputs{', adapter folded in' if adapter is not None else ''}"
    )
    neutral, matrix, offset, scale = face_of(outputs, basis, path)
    module = MotionGraph(model, matrix, offset, settings["mouth_amp"]).eval()
    rng = np.random.RandomState(0)

    def compare(session, frames):
        count = 4 * ((frames + 4) // 8)
        features, bins = np.zeros((1, frames, width), np.float32), np.ones((1, frames), np.int64)
        features[:, :count] = rng.standard_normal((count, width))
        bins[:, :count] = rng.randint(1, 256, count)
        z = np.stack([noise(0, i) for i in range(frames // 4)], 1)[None]
        feed = dict(zip(module.INPUTS, (features, bins, z, np.array([count], np.float32))))
        got = session.run(None, {item.name: feed[item.name] for item in session.get_inputs()})[0]
        with torch.no_grad():
            wanted = module.plain(
                *(
                    torch.from_numpy(x)
                    for x in (features[:, :count], bins[:, :count], z[..., : count // 4])
                )
            )
        return wanted.numpy(), got[:, :count]

    graphs, figures = write_half(module, folder, "motion", window, "float32", compare, tell)
    section = {
        "width": width,
        "origin": origin_of(path),
        "graphs": graphs,
        "measured": figures,
        "temperature": settings["temperature"],
        "seed": settings["seed"],
        "share": 0.0,
        "smoothing": settings["smoothing"],
        "database": None,
    }
    if database is not None:
        section.update(share=settings["share"], database="database.npy")
        faces = neutral.reshape(204) + database.astype(np.float32) / 10 / scale
        np.save(os.path.join(str(folder), "database.npy"), faces.astype(np.float32))
    return describe_half(folder, "motion", section, window, neutral)


class Found(NamedTuple):
    """State dict of torch tensors, and the attention heads that the file names, or None."""

    state: dict
    heads: Optional[int]


def adapted(state, adapter, path):
    """A state dict of audio2motion that hears C values instead of D: the adapter [D, C] within the first convolution.

    Exact at the edges too, since the convolution pads with zeros and the adapter adds nothing.

    :raises DataError: it does not fit
    """
    first = state[_MARKS["audio2motion"]]
    if adapter.ndim != 2 or adapter.shape[0] != first.shape[1]:
        raise DataError(
            f"{path}: the adapter is {adapter.shape}, the checkpoint hears {first.shape[1]} values"
        )
    folded = torch.einsum(
        "fdk,dc->fck", first.float(), torch.from_numpy(adapter.astype(np.float32))
    )
    return dict(state, **{_MARKS["audio2motion"]: folded})


def find_weights(checkpoint, what, path):
    """The state dict in what `read_checkpoint` read, with `state` and `heads`; `what`: fasthubert or audio2motion.

    :raises DataError: it is not in there
    """
    mark = _MARKS[what]
    for holder in _dicts(checkpoint):
        ends = [
            name
            for name in holder
            if isinstance(name, str) and (name == mark or name.endswith(f".{mark}"))
        ]
        if ends:
            prefix = min(ends, key=len)[: -len(mark)]
            # what stands beside the prefix is the rest of a larger model, such as the letters of a CTC fine-tuning
            state = {
                name[len(prefix) :]: value
                for name, value in holder.items()
                if isinstance(name, str) and name.startswith(prefix)
            }
            wrong = sorted(
                name
                for name, value in state.items()
                if not (isinstance(value, np.ndarray) and value.dtype.kind in "fiub")
            )
            if wrong:
                raise DataError(f"{path}: {wrong[0]} is no tensor; fetch it again")
            state = {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
            return Found(state, _heads(checkpoint))
    raise DataError(f"{path}: no {what} checkpoint, it has no {mark}")


def _dicts(value, depth=3):
    if isinstance(value, dict):
        yield value
        if depth:
            for inner in value.values():
                yield from _dicts(inner, depth - 1)


def _heads(checkpoint):
    for holder in _dicts(checkpoint):
        heads = holder.get("encoder_attention_heads")
        if type(heads) is int and 0 < heads <= 64:
            return heads
    return None


def _load(load, path):
    try:
        return load()
    except KeyError as error:
        raise DataError(f"{path}: weights are missing: {error.args[0]}") from None
    except (ValueError, RuntimeError, IndexError, AttributeError) as error:
        raise DataError(
            f"{path}: weights do not fit: {' '.join(str(error).split())[:200]}"
        ) from None


def _voice_rows():
    fbank, voice = Fbank(), read_whole(BUNDLED_VOICE)
    return np.concatenate((fbank.accept(voice), fbank.finish()))


def voice_statistics():
    """Mean and deviation of Fbank in the bundled voice: for want of the training's own."""
    rows = _voice_rows()
    return rows.mean(0), rows.std(0)


def face_of(outputs, basis, path):
    """The resting face [68, 3], what makes landmarks of the network's motion (matrix, offset), and the unit's size."""
    for name, shape in (
        ("mean", (68, 3)),
        ("exp", (204, outputs)),
        ("id", (204, 80)),
        ("identity", (80,)),
    ):
        if name in basis and basis[name].shape != shape:
            raise DataError(f"{path}: {name} of the basis is {basis[name].shape}, not {shape}")
    rest, scale = np.array(Bundle(DEFAULT_BUNDLE).neutral, np.float64).reshape(204), _BFM_EYES
    if "mean" in basis:
        rest = np.asarray(basis["mean"], np.float64).reshape(204)
        if "id" in basis and "identity" in basis:
            rest = rest + basis["id"].astype(np.float64).dot(basis["identity"])
        face = rest.reshape(68, 3)
        scale = float(np.linalg.norm(face[_EYES[1]] - face[_EYES[0]]))
        rest = ((face - face[_ORIGIN]) / scale).reshape(204)
    if outputs == 204:
        matrix = np.eye(204) / 10 / scale
    elif "exp" not in basis or "mean" not in basis:
        raise UsageError(
            f"{path}: it makes {outputs} coefficients, which only the landmarks of the BFM turn into a face; give --basis with mean [68, 3] and exp [204, {outputs}]"
        )
    else:
        matrix = basis["exp"].astype(np.float64).T / scale
    return (
        rest.reshape(68, 3).astype(np.float32),
        matrix.astype(np.float32),
        rest.astype(np.float32),
        scale,
    )
