# noqa: N999 - named like the verb
"""`edgeface import`: the original networks' checkpoints to a bundle."""

import sys
from pathlib import Path

from ..core.errors import UnavailableError, UsageError

EXAMPLE = """examples:
  edgeface import fasthubert checkpoint280.pt --cmvn global_cmvn.npy -o pair
  edgeface import adapter features/*.npz -o adapter.npz
  edgeface import audio2motion model_ckpt_steps_400000.ckpt --basis bfm.npz --adapter adapter.npz -o pair
  edgeface run --bundle pair
The two halves come in any order. Needs PyTorch: pip install 'edgeface[study]'. docs/import.md tells the rest."""
_WINDOW = {"past": 24, "hop": 4, "future": 8}


def add_arguments(parser):
    """Adds the verb's arguments."""
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


def execute(options):
    """Runs the verb; a damaged or foreign checkpoint is exit code 65."""
    from ..importer.adapter import fit_adapter, read_arrays, save_adapter  # NumPy only

    if options.what == "adapter":
        matrix, explained = fit_adapter(options.files)
        save_adapter(options.out, matrix)
        print(
            f"{options.out}: {matrix.shape[1]} to {matrix.shape[0]} values, {100 * explained:.1f} % of the variance of held-out frames"
        )
        return
    if len(options.files) != 1:
        raise UsageError(f"import {options.what}: give one checkpoint")
    try:
        from ..importer import halves, importer
        from ..importer.checkpoint import read_statistics
    except ImportError as error:
        raise UnavailableError(f"import: {error}; pip install 'edgeface[study]'") from None
    folder, path = Path(options.out), options.files[0]
    window = halves.window_of(folder, _window(options)) or _WINDOW
    if options.what == "fasthubert":
        statistics = (
            (read_statistics(options.cmvn), options.cmvn)
            if options.cmvn
            else (importer.voice_statistics(), "the bundled voice, for want of --cmvn")
        )
        complete = importer.import_fasthubert(
            path, folder, statistics, window, options.precision, _tell
        )
    else:
        settings = {
            name: getattr(options, name)
            for name in ("temperature", "seed", "share", "smoothing", "mouth_amp")
        }
        for name, most in (("temperature", 10.0), ("share", 1.0), ("smoothing", 0.99)):
            if not 0.0 <= settings[name] <= most:
                raise UsageError(f"--{name} {settings[name]:g}: out of range; 0 to {most:g}")
        basis = (
            read_arrays(options.basis, ("mean", "exp", "id", "identity")) if options.basis else {}
        )
        adapter = (
            read_arrays(options.adapter, ("matrix",), ("matrix",))["matrix"]
            if options.adapter
            else None
        )
        faces = (
            read_arrays(options.database, ("faces",), ("faces",))["faces"]
            if options.database
            else None
        )
        complete = importer.import_audio2motion(
            path, folder, basis, adapter, faces, settings, window, _tell
        )
    if not complete:
        print(
            f"{folder}: one half; the other one comes with `edgeface import {'audio2motion' if options.what == 'fasthubert' else 'fasthubert'}`"
        )
        return
    figures = halves.deviation(folder)
    halves.state_deviation(folder, figures)
    print(
        f"{folder}: complete; the stream deviates from one pass by {figures['mean']:.4f} in the mean, {figures['p99']:.4f} in 99 of 100 landmarks and {figures['max']:.4f} at most, where 1 is the distance of the eyes and the mean motion {figures['motion']:.4f}"
    )


def _window(options):
    """The window that was asked for, or None."""
    given = {name: getattr(options, name) for name in _WINDOW}
    if all(frames is None for frames in given.values()):
        return None
    window = {name: _WINDOW[name] if frames is None else frames for name, frames in given.items()}
    if (
        any(frames % 4 or not 0 <= frames <= 1024 for frames in window.values())
        or not window["hop"]
    ):
        raise UsageError(
            "--past, --hop and --future must be multiples of 4 frames up to 1024, and the hop not 0"
        )
    return window


def _tell(line):
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
