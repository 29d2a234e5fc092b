"""`edgeface model`: what a bundle is, whether it is undamaged, and engines for an accelerator."""

from ..build import load_bundle
from ..core.errors import UnavailableError
from ..model.engines import cache_root, prepare, ready_engine
from ..model.runtime import available_providers, open_session

EXAMPLE = """examples:
  edgeface model info
  edgeface model verify my-bundle
  sudo CACHE_DIRECTORY=/var/cache/edgeface edgeface model prepare     engines for the service, some minutes"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument(
        "action",
        choices=("info", "verify", "prepare"),
        help="describe; check hashes and load every graph; build TensorRT engines",
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


def execute(options):
    """Runs the verb; a damaged bundle is exit code 65."""
    bundle = load_bundle(options.bundle)
    lookahead_ms = bundle.latency_ms if options.lookahead is None else options.lookahead
    if options.action == "prepare":
        if "tensorrt" not in available_providers():
            raise UnavailableError(
                f"engine: this onnxruntime has no TensorRT ({', '.join(available_providers())}); install one that has it, see jetson/README.md"
            )
        engine = prepare(bundle, lookahead_ms, lambda line: print(line, flush=True))
        print(f"{engine.folder}: {'float16' if engine.float16 else 'float32'}, {engine.reason}")
        return
    if options.action == "info":
        print(f"name       {bundle.name} {bundle.version}")
        print(f"folder     {bundle.folder}")
        print(f"licence    {bundle.licence}")
        print(f"origin     {bundle.origin}")
        if bundle.pair:
            print(
                f"look-ahead {bundle.latency_ms} ms: every {40 * bundle.pair.hop_frames} ms a window of {40 * bundle.pair.frames} ms"
            )
        else:
            print(
                f"look-ahead {', '.join(map(str, sorted(bundle.steps)))} ms (default {bundle.latency_ms})"
            )
        engine = ready_engine(bundle, lookahead_ms)
        print(f"engine     {(engine.folder if engine else f'none in {cache_root()}')}")
        print(f"files      {', '.join(sorted(bundle.files))}")
        return
    for graph in bundle.graphs:
        open_session(graph)
    print(f"{bundle.folder}: {len(bundle.files)} files as described, all graphs load")
