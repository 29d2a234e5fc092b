"""`edgeface model`: what a bundle is, whether it is undamaged, and engines for an accelerator."""

import argparse

from ..build import load_model, prepare_engine
from ..core.errors import DataError, UnavailableError
from ..model.bundle import unlisted_files
from ..model.engines import cache_root, ready_engine
from ..model.model import Model
from ..model.runtime.onnx_session import available_providers
from ..model.runtime.providers import open_onnx

EXAMPLE = """examples:
  edgeface model info
  edgeface model verify my-bundle
  sudo CACHE_DIRECTORY=/var/cache/edgeface edgeface model prepare     engines for the service"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("info", "verify", "prepare"),
        help="describe; check hashes and load every graph; build TensorRT engines (minutes)",
    )
    parser.add_argument(
        "bundle", metavar="BUNDLE", nargs="?", default="", help="folder; the package's by default"
    )
    parser.add_argument(
        "--lookahead",
        metavar="MS",
        type=int,
        default=None,
        help="of the engine; the bundle's default one otherwise",
    )


def execute(options: argparse.Namespace) -> None:
    """Runs the command; a damaged bundle is exit code 65."""
    model = load_model(options.bundle)
    wanted_ms = model.latency_ms if options.lookahead is None else options.lookahead
    lookahead_ms = model.lookahead_ms(wanted_ms)
    if options.action == "info":
        _info(model, lookahead_ms)
    elif options.action == "verify":
        _verify(model)
    else:
        _prepare(model, lookahead_ms)


def _info(model: Model, lookahead_ms: int) -> None:
    engine = ready_engine(model, lookahead_ms)
    print(f"name       {model.name} {model.version}")
    print(f"folder     {model.folder}")
    print(f"licence    {model.licence}")
    print(f"origin     {model.origin}")
    print(f"look-ahead {model.lookahead_text()}")
    print(f"engine     {engine.folder if engine else f'none in {cache_root()}'}")
    print(f"files      {', '.join(sorted(model.files))}")


def _verify(model: Model) -> None:
    """Loads every graph; the hashes were verified with the bundle.

    :raises DataError: a graph cannot be loaded, or the folder holds a file without a hash
    """
    unlisted = unlisted_files(model.folder, model.description)
    if unlisted:
        raise DataError(
            f"{model.folder}: no hash for {', '.join(unlisted)}; "
            "remove it, or fetch the bundle again"
        )
    for graph in model.graphs:
        open_onnx(graph)
    print(f"{model.folder}: {len(model.files)} files as described, all graphs load")


def _prepare(model: Model, lookahead_ms: int) -> None:
    available = available_providers()
    if "tensorrt" not in available:
        raise UnavailableError(
            f"engine: this onnxruntime has no TensorRT ({', '.join(available)}); "
            "install one that has it, see jetson/README.md"
        )
    engine = prepare_engine(model, lookahead_ms, lambda line: print(line, flush=True))
    print(f"{engine.folder}: {'float16' if engine.float16 else 'float32'}, {engine.reason}")
