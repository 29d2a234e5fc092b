# noqa: N999 - named like the command
"""`edgeface import`: the original networks' checkpoints to a bundle."""

import argparse
from pathlib import Path
from typing import Dict, Optional

from ..core.advice import install_extra
from ..core.errors import UnavailableError, UsageError
from .common import print_progress

EXAMPLE = f"""examples:
  edgeface import fasthubert checkpoint280.pt --cmvn global_cmvn.npy -o imported
  edgeface import adapter features/*.npz -o adapter.npz
  edgeface import audio2motion model.ckpt --basis bfm.npz --adapter adapter.npz -o imported
  edgeface run --bundle imported
Encoder and motion network come in any order. docs/import.md says more.
Needs PyTorch: {install_extra("import")}."""
_WINDOW = {"past": 24, "hop": 4, "future": 8}  # frames
_MOST_FRAMES = 1024
_HIGHEST = {"temperature": 10.0, "share": 1.0, "smoothing": 0.99}
_OTHER = {"fasthubert": "audio2motion", "audio2motion": "fasthubert"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "what",
        choices=("fasthubert", "audio2motion", "adapter"),
        help="the encoder, the motion network, or the step between their widths, which is fitted",
    )
    parser.add_argument(
        "files",
        metavar="CKPT",
        nargs="+",
        help="one checkpoint; for adapter .npz files with arrays"
        " fasthubert and hubert of the same sound",
    )
    parser.add_argument(
        "-o", "--out", metavar="BUNDLE", required=True, help="folder; for adapter an .npz file"
    )
    for name, frames in _WINDOW.items():
        parser.add_argument(
            f"--{name}",
            metavar="FRAMES",
            type=int,
            default=None,
            help=f"of the streaming window, a multiple of 4 frames of 40 ms ({frames})",
        )
    encoder = parser.add_argument_group("fasthubert")
    encoder.add_argument(
        "--cmvn",
        metavar="FILE",
        help="global_cmvn.npy of the training, or .npz with mean and std;"
        " otherwise taken from the bundled voice",
    )
    encoder.add_argument(
        "--precision",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="of the weights",
    )
    motion = parser.add_argument_group("audio2motion")
    motion.add_argument(
        "--basis",
        metavar="FILE.npz",
        help="mean [68,3], exp [204,64], id [204,80] of the BFM at the"
        " landmarks, identity [80] of the subject",
    )
    motion.add_argument("--adapter", metavar="FILE.npz", help="of `import adapter`")
    motion.add_argument(
        "--database", metavar="FILE.npz", help="faces [N,204] of the subject in the network's units"
    )
    motion.add_argument(
        "--share", type=float, default=0.2, help="how far faces are drawn to the database's, 0 to 1"
    )
    motion.add_argument(
        "--temperature", type=float, default=0.2, help="of the latent noise, 0 to 10"
    )
    motion.add_argument(
        "--smoothing",
        type=float,
        default=0.0,
        help="share of the frame before, 0 to 0.99; GeneFace takes 0.2",
    )
    motion.add_argument("--mouth-amp", type=float, default=0.4, help="how far the mouth opens")
    motion.add_argument("--seed", type=int, default=0, help="of the latent noise")


def execute(options: argparse.Namespace) -> None:
    """Runs the command; a damaged or foreign checkpoint is exit code 65."""
    if options.what == "adapter":
        _fit_adapter(options)
        return
    if len(options.files) != 1:
        raise UsageError(f"import {options.what}: give one checkpoint")
    try:
        from ..importer import importer  # noqa: F401 - needs PyTorch, as all that follows
    except ModuleNotFoundError as error:
        raise UnavailableError(f"import: {error}; {install_extra('import')}") from None
    from ..importer.bundle_writer import record_deviation, window_of
    from ..importer.deviation import measure_deviation

    folder = Path(options.out)
    window = window_of(folder, _window(options)) or _WINDOW
    if options.what == "fasthubert":
        complete = _import_fasthubert(options, folder, window)
    else:
        complete = _import_audio2motion(options, folder, window)
    if not complete:
        print(f"{folder}: one half; add the other with `edgeface import {_OTHER[options.what]}`")
        return
    figures = measure_deviation(folder)
    record_deviation(folder, figures)
    print(
        f"{folder}: complete; the stream deviates from one pass by {figures['mean']:.4f} in the "
        f"mean, {figures['p99']:.4f} in 99 of 100 landmarks and {figures['max']:.4f} at most, "
        "where 1 is the distance between the eyes and the mean motion "
        f"{figures['motion']:.4f}"
    )


def _fit_adapter(options: argparse.Namespace) -> None:
    from ..importer.adapter import fit_adapter, save_adapter

    matrix, explained = fit_adapter(options.files)
    save_adapter(options.out, matrix)
    print(
        f"{options.out}: {matrix.shape[1]} to {matrix.shape[0]} values, "
        f"{100 * explained:.1f} % of the variance of held-out frames"
    )


def _import_fasthubert(options: argparse.Namespace, folder: Path, window: Dict[str, int]) -> bool:
    from ..importer.checkpoint import read_statistics
    from ..importer.importer import Statistics, import_fasthubert, voice_statistics

    if options.cmvn:
        mean, std = read_statistics(options.cmvn)
        statistics = Statistics(mean, std, options.cmvn)
    else:
        statistics = voice_statistics()
    return import_fasthubert(
        options.files[0], folder, statistics, window, options.precision, print_progress
    )


def _import_audio2motion(options: argparse.Namespace, folder: Path, window: Dict[str, int]) -> bool:
    from ..importer.adapter import read_array, read_arrays
    from ..importer.importer import MotionSettings, import_audio2motion

    for name, highest in _HIGHEST.items():
        value = getattr(options, name)
        if not 0.0 <= value <= highest:
            raise UsageError(f"--{name} {value:g}: out of range; 0 to {highest:g}")
    settings = MotionSettings(
        options.temperature, options.seed, options.share, options.smoothing, options.mouth_amp
    )
    basis = {}
    if options.basis:
        basis = read_arrays(options.basis, ("mean", "exp", "id", "identity"))
    return import_audio2motion(
        options.files[0],
        folder,
        basis,
        read_array(options.adapter, "matrix") if options.adapter else None,
        read_array(options.database, "faces") if options.database else None,
        settings,
        window,
        print_progress,
    )


def _window(options: argparse.Namespace) -> Optional[Dict[str, int]]:
    """The window that was asked for, or None."""
    given = {name: getattr(options, name) for name in _WINDOW}
    if all(frames is None for frames in given.values()):
        return None
    window = {name: _WINDOW[name] if frames is None else frames for name, frames in given.items()}
    fits = all(0 <= frames <= _MOST_FRAMES and frames % 4 == 0 for frames in window.values())
    if not fits or window["hop"] == 0:
        raise UsageError(
            "--past, --hop and --future must be multiples of 4 frames up to "
            f"{_MOST_FRAMES}, and the hop not 0"
        )
    return window
