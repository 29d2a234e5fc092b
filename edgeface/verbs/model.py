"""`edgeface model`: what a bundle is, whether it is undamaged, and engines for an accelerator."""

from ..build import load_bundle
from ..errors import UnavailableError
from ..model.engines import cache_root, prepare, ready_engine
from ..model.runtime import available_providers, open_session

EXAMPLE = """examples:
  edgeface model info
  edgeface model verify my-bundle
  sudo CACHE_DIRECTORY=/var/cache/edgeface edgeface model prepare     engines for the service, some minutes"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument("action", choices=("info", "verify", "prepare"),
                        help="describe; check hashes and load every graph; build TensorRT engines")
    parser.add_argument("bundle", metavar="BUNDLE", nargs="?", default="", help="folder; the package's by default")
    parser.add_argument("--lookahead", metavar="MS", type=int, default=None,
                        help="of the engine; the bundle's default one otherwise")


def execute(options):
    """Runs the verb; a damaged bundle is exit code 65."""
    bundle = load_bundle(options.bundle)
    lookahead_ms = bundle.latency_ms if options.lookahead is None else options.lookahead
    if options.action == "prepare":
        if "tensorrt" not in available_providers():
            raise UnavailableError("engine: this onnxruntime has no TensorRT (%s); install one that has it, see"
                                   " jetson/README.md" % ", ".join(available_providers()))
        engine = prepare(bundle, lookahead_ms, lambda line: print(line, flush=True))
        print("%s: %s, %s" % (engine.folder, "float16" if engine.float16 else "float32", engine.reason))
        return
    if options.action == "info":
        print("name       %s %s" % (bundle.name, bundle.version))
        print("folder     %s" % bundle.folder)
        print("licence    %s" % bundle.licence)
        print("origin     %s" % bundle.origin)
        if bundle.pair:
            print("look-ahead %d ms: every %d ms a window of %d ms" % (
                bundle.latency_ms, 40 * bundle.pair.hop_frames, 40 * bundle.pair.frames))
        else:
            print("look-ahead %s ms (default %d)" % (
                ", ".join(map(str, sorted(bundle.steps))), bundle.latency_ms))
        engine = ready_engine(bundle, lookahead_ms)
        print("engine     %s" % (engine.folder if engine else "none in %s" % cache_root()))
        print("files      " + ", ".join(sorted(bundle.files)))
        return
    for graph in bundle.graphs:
        open_session(graph)
    print("%s: %d files as described, all graphs load" % (bundle.folder, len(bundle.files)))
