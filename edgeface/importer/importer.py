"""Original checkpoints to a bundle that `edgeface run --bundle` streams, one by one."""

import os
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

import numpy as np
import torch

from ..core.errors import DataError
from ..core.resources import BUNDLED_VOICE
from ..features.fbank import FBANK_PER_FRAME, MEL_BINS, Fbank
from ..model.runtime.library import onnxruntime
from ..model.window import FRAMES_PER_LATENT, noise
from ..motion.refine import NEIGHBOURS
from ..source.file import read_whole
from .audio2motion import load_audio2motion
from .bundle_writer import check_width, describe_half, origin_of
from .checkpoint import read_checkpoint
from .export import Compare, Progress, export_lengths
from .face import face_of
from .fasthubert import load_fasthubert
from .graphs import EncoderGraph, MotionGraph
from .weights import adapted, find_weights, load_network

_DATABASE = "database.npy"


class Statistics(NamedTuple):
    """`mean`, `std`: of Fbank, float32 [80]; `origin`: where they are from."""

    mean: np.ndarray
    std: np.ndarray
    origin: str


class MotionSettings(NamedTuple):
    """How an imported model moves.

    `temperature`, `seed`: of the latent noise; `share`: how far faces are drawn to the subject's;
    `smoothing`: share of the frame before; `mouth_amp`: how far the mouth opens.
    """

    temperature: float
    seed: int
    share: float
    smoothing: float
    mouth_amp: float


def import_fasthubert(
    path: str,
    folder: Path,
    statistics: Statistics,
    window: Dict[str, int],
    precision: str,
    progress: Progress,
) -> bool:
    """Makes the encoder of a bundle; whether the bundle is complete now.

    :param path: checkpoint in one of fairseq's layouts
    :param folder: of the bundle, new or with the motion network
    :param window: `past`, `hop` and `future` in frames
    :param precision: of the weights: `float32`, `float16` or `int8`
    :param progress: called with lines of text
    :raises MissingInputError: the file is missing
    :raises DataError: it is damaged or holds something else
    :raises UsageError: the motion network in the folder does not fit
    """
    found = find_weights(read_checkpoint(path), "fasthubert", path)
    model = load_network(lambda: load_fasthubert(found.state, heads=found.heads), path)
    width = model.width
    check_width(folder, "encoder", width)
    progress(
        f"{path}: FastHuBERT, {len(model.encoder.layers)} layers of width {width}; "
        f"statistics of Fbank: {statistics.origin}"
    )
    module = EncoderGraph(model, statistics.mean, statistics.std)
    module.eval()
    graphs, figures = export_lengths(
        module, folder, "encoder", window, precision, _encoder_comparison(module), progress
    )
    section = {
        "width": width,
        "precision": precision,
        "statistics": statistics.origin,
        "origin": origin_of(path),
        "graphs": graphs,
        "measured": figures,
    }
    return describe_half(folder, "encoder", section, window)


def import_audio2motion(
    path: str,
    folder: Path,
    basis: Dict[str, np.ndarray],
    adapter: Optional[np.ndarray],
    database: Optional[np.ndarray],
    settings: MotionSettings,
    window: Dict[str, int],
    progress: Progress,
) -> bool:
    """Makes the motion network of a bundle; whether the bundle is complete now.

    :param basis: of `face.face_of`
    :param adapter: float32 [what the checkpoint takes, what the encoder gives], or None
    :param database: faces of the subject in upstream's units (ten times), float32 [N, 204], or None

    The other parameters and errors are those of `import_fasthubert`.
    """
    state = find_weights(read_checkpoint(path), "audio2motion", path).state
    if adapter is not None:
        state = adapted(state, adapter, path)
    model = load_network(lambda: load_audio2motion(state), path)
    width = model.audio
    check_width(folder, "motion", width)
    if database is not None:
        _check_database(database, path)
    pitch = "with pitch" if hasattr(model, "pitch_embed") else "no pitch"
    folded = ", adapter folded in" if adapter is not None else ""
    progress(f"{path}: audio2motion, {pitch}, {model.outputs} outputs{folded}")
    face = face_of(model.outputs, basis, path)
    module = MotionGraph(model, face.matrix, face.offset, settings.mouth_amp)
    module.eval()
    graphs, figures = export_lengths(
        module, folder, "motion", window, "float32", _motion_comparison(module, width), progress
    )
    section = {
        "width": width,
        "origin": origin_of(path),
        "graphs": graphs,
        "measured": figures,
        "temperature": settings.temperature,
        "seed": settings.seed,
        "share": 0.0,
        "smoothing": settings.smoothing,
        "database": None,
    }
    if database is not None:
        section.update(share=settings.share, database=_DATABASE)
        np.save(os.path.join(str(folder), _DATABASE), face.landmarks(database))
    return describe_half(folder, "motion", section, window, face.neutral)


def voice_statistics() -> Statistics:
    """Those of the bundled voice, for lack of the training's own."""
    rows = _voice_rows()
    return Statistics(rows.mean(0), rows.std(0), "the bundled voice, for lack of --cmvn")


def _check_database(database: np.ndarray, path: str) -> None:
    if database.ndim != 2 or database.shape[1] != 204 or len(database) < NEIGHBOURS:
        raise DataError(
            f"{path}: the database is {database.shape}, not [{NEIGHBOURS} or more, 204]"
        )


def _encoder_comparison(module: EncoderGraph) -> Compare:
    """The bundled voice through the network and through a graph of it."""
    voice = torch.from_numpy(_voice_rows())[None]

    def compare(
        session: onnxruntime.InferenceSession, frames: int
    ) -> Tuple[np.ndarray, np.ndarray]:
        count = min(voice.shape[1], FBANK_PER_FRAME * frames - 2)
        given = np.zeros((1, FBANK_PER_FRAME * frames, MEL_BINS), np.float32)
        given[:, :count] = voice[:, :count]
        row_count = np.array([count], np.float32)
        got = session.run(None, {"fbank": given, "rows": row_count})[0]
        with torch.no_grad():
            wanted = module.plain(voice[:, :count]).numpy()
        return wanted, got[:, : -(-count // FBANK_PER_FRAME)]

    return compare


def _motion_comparison(module: MotionGraph, width: int) -> Compare:
    """Random features and pitch through the network and through a graph of it."""
    random = np.random.RandomState(0)

    def compare(
        session: onnxruntime.InferenceSession, frames: int
    ) -> Tuple[np.ndarray, np.ndarray]:
        count = 4 * ((frames + 4) // 8)
        features = np.zeros((1, frames, width), np.float32)
        features[:, :count] = random.standard_normal((count, width))
        bins = np.ones((1, frames), np.int64)
        bins[:, :count] = random.randint(1, 256, count)
        z = np.stack([noise(0, slot) for slot in range(frames // FRAMES_PER_LATENT)], 1)[None]
        feed = dict(zip(module.INPUTS, (features, bins, z, np.array([count], np.float32))))
        got = session.run(None, {item.name: feed[item.name] for item in session.get_inputs()})[0]
        with torch.no_grad():
            wanted = module.plain(
                torch.from_numpy(features[:, :count]),
                torch.from_numpy(bins[:, :count]),
                torch.from_numpy(z[..., : count // FRAMES_PER_LATENT]),
            )
        return wanted.numpy(), got[:, :count]

    return compare


def _voice_rows() -> np.ndarray:
    """Fbank of the bundled voice, float32 [n, 80]."""
    fbank = Fbank()
    voice = read_whole(BUNDLED_VOICE)
    return np.concatenate((fbank.accept(voice), fbank.finish()))
